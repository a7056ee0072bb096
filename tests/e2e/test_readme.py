"""The README tells the truth: its session runs as written, a copy of the data is a backup, and its names are there."""

import re
import shlex
import shutil
from pathlib import Path

import msgspec
import pytest

from meterline.settings import Settings
from tests.e2e.site import Site, meterline

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SESSION = README.partition("## Use it")[2].partition("```console\n")[2].partition("```")[0]
CATALOG = README.partition("```yaml\n")[2].partition("```")[0]
BODY = SESSION.partition("-d '")[2].partition("'\n")[0]
REPORT = SESSION.partition("localhost:8080/v1/usage")[2].partition('"')[0]
ANSWERS = [line for line in SESSION.splitlines() if line.startswith("{")]
COMMANDS = [
    shlex.split(command.replace("--data ledger", ""), comments=True)
    for line in SESSION.splitlines()
    if line.startswith("$ meterline ") and not line.endswith("&")
    for command in line.removeprefix("$ ").split("&&")
]
NAMES = sorted(set(re.findall(r"`([^`\s]+)`", README)))


def test_the_session_runs_as_it_is_written_and_a_copy_of_its_data_is_a_backup(tmp_path: Path) -> None:
    site = Site(tmp_path, CATALOG)
    site.start()
    sent, report = ANSWERS
    assert site.send(BODY.encode()).json == msgspec.json.decode(sent)
    assert site.read(f"/v1/usage{REPORT}").json == msgspec.json.decode(report)
    assert [command[1] for command in COMMANDS] == ["apply", "close", "close", "approve", "post", "trace", "verify"]
    for _, *arguments in COMMANDS:
        done = site.run(*(str(tmp_path / one) if one == "catalog.yaml" else one for one in arguments))
        assert done.status == 0, done.said
    assert site.stop() == 0
    copy = tmp_path / "copy"
    shutil.copytree(site.data, copy, symlinks=True)
    assert meterline("verify", data=copy).status == 0
    shutil.rmtree(copy / "erp")
    assert meterline("verify", data=copy).status == 1


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("tests/", "docs/", "meterline/"))])
def test_a_file_that_is_named_is_there(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("_max")])
def test_a_limit_that_is_named_can_be_set(name: str) -> None:
    assert name in Settings.__struct_fields__
