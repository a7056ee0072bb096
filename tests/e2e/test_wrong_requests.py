"""Requests that are wrong in themselves: told without a traceback, with status 2, and nothing is made."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import Site, meterline


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service that runs."""
    site = Site(tmp_path_factory.mktemp("wrong"))
    site.start()
    yield site
    site.stop()


@pytest.mark.parametrize("command", [["verify"], ["close", "2026-10"], ["status"], ["keys", "list"]])
def test_a_directory_without_a_ledger_is_told_and_not_made(tmp_path: Path, command: list[str]) -> None:
    done = meterline(*command, "--json", data=tmp_path / "mistyped")
    assert (done.status, done.output) == (2, "")
    assert "mistyped holds no ledger" in done.said
    assert not (tmp_path / "mistyped").exists()


def test_a_file_is_no_data_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = meterline("apply", os.devnull, data=tmp_path / "file")
    assert done.status == 2
    assert "can't be used as a data directory" in done.said
    assert "Traceback" not in done.said


def test_settings_that_are_not_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "meterline.toml").write_bytes(b"\xff\xfe")
    done = meterline("status", "--config", str(tmp_path / "meterline.toml"), data=tmp_path)
    assert done.status == 2
    assert "meterline.toml" in done.said
    assert "Traceback" not in done.said


def test_a_port_that_is_taken_is_told(site: Site, tmp_path: Path) -> None:
    assert site.service is not None
    done = meterline("serve", "--port", site.service.url.rpartition(":")[2], data=tmp_path / "other")
    assert done.status == 2
    assert "choose another with --port" in done.said
    assert not (tmp_path / "other" / "control.sock").exists()


def test_a_cutoff_that_no_answer_gave_is_told(site: Site) -> None:
    span = "meter=gb_out&from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z"
    for cutoff in ("9" * 5_000, "-1", "x", "%D9%A3"):
        assert site.read(f"/v1/usage?{span}&cutoff={cutoff}").status == 400


def test_a_method_that_is_not_possible_is_told_with_those_that_are(site: Site) -> None:
    answer = site.request("/livez", b"", {})
    assert answer.status == 405
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD"}


@pytest.mark.parametrize("path", ["/v1/events/", "/v1/events//"])
def test_a_slash_at_the_end_is_told_with_the_path_that_is_meant(site: Site, path: str) -> None:
    answer = site.request(path, b"[]", {})
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json["detail"] == f"{path} is not here: write /v1/events, without a slash at its end"


def test_a_page_that_is_not_here_is_told_with_where_events_go(site: Site) -> None:
    for path in ("/", "/v1/event", "/v1/event/"):
        assert site.request(path, b"[]", {}).json["detail"] == f"{path} is not here; events go to POST /v1/events"


@pytest.mark.parametrize("command", ["close", "approve", "post", "invoices"])
def test_a_tenant_without_a_catalog_is_told_with_those_that_have_one(site: Site, command: str) -> None:
    done = site.run(command, "2026-10", "--tenant", "typo", "--json")
    assert (done.status, done.output) == (2, "")
    assert "tenant typo has no catalog: the tenants are default" in done.said


def test_nothing_of_a_tenant_without_a_catalog_is_discarded(site: Site) -> None:
    done = site.run("close", "2026-10", "--discard", "a mistake", "--tenant", "typo")
    assert done.status == 2
    assert "tenant typo has no catalog" in done.said


@pytest.mark.parametrize("name", ["", "../up"])
def test_a_name_that_no_tenant_can_have_is_told_and_gets_no_key_and_no_catalog(site: Site, name: str) -> None:
    keys = site.asked("keys", "list")
    for command in (["keys", "create", "--scope", "ingest"], ["apply", str(site.directory / "catalog.yaml")]):
        done = site.run(*command, "--tenant", name)
        assert (done.status, done.output) == (2, "")
        assert f"{name!r} can't be a tenant's name: expected letters, digits" in done.said
    assert site.asked("keys", "list") == keys


def test_a_directory_with_signs_of_an_address_in_its_name_holds_all_that_is_made(tmp_path: Path) -> None:
    data = tmp_path / "a&b=c #d;%41"
    assert meterline("keys", "create", "--scope", "read", data=data).status == 0
    assert (data / "relational.sqlite").stat().st_mode & 0o777 == 0o600
    assert meterline("status", data=tmp_path / "what?").status == 2
    assert [file.name for file in tmp_path.iterdir()] == [data.name]


def test_a_ledger_that_contradicts_itself_is_not_served_and_nothing_is_said_of_what_was_not_looked_at(
    tmp_path: Path,
) -> None:
    assert meterline("keys", "create", "--scope", "read", data=tmp_path).status == 0
    (tmp_path / "head.json").write_text("{")
    done = meterline("serve", "--port", "0", data=tmp_path)
    assert (done.status, done.output) == (1, "")
    assert done.said.endswith("backup. Run `meterline verify`, and keep the directory as it is\n")


def test_a_relational_store_that_can_not_be_opened_is_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "relational.sqlite").write_text("not a database, and long enough to be read as one" * 20)
    done = meterline("keys", "create", "--scope", "read", data=data)
    assert done.status == 2
    assert "relational.sqlite can't be opened: file is not a database" in done.said
    assert "Traceback" not in done.said
