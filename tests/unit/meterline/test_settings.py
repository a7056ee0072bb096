"""Settings: read once, and wrong ones are told."""

from pathlib import Path

import msgspec
import pytest

from metering.columns import Bounds
from metering.intake import IntakeSettings
from meterline.installation import _intake
from meterline.settings import Settings, SettingsError, load


def test_defaults_hold_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({}) == Settings()


def test_what_is_given_beats_the_environment_and_that_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / "meterline.toml"
    file.write_text('port = 1\nlinger_ms = 2\ndata = "from-file"\n')
    found = load({"METERLINE_PORT": "3", "METERLINE_LINGER_MS": "4", "OTHER": "x"}, file, port=5, data=None)
    assert (found.port, found.linger_ms, found.data) == (5, 4, "from-file")


def test_every_limit_of_the_intake_can_be_set_and_has_one_default() -> None:
    assert _intake(Settings()) == IntakeSettings()
    names = {*IntakeSettings.__struct_fields__, *Bounds.__struct_fields__} - {"bounds"}
    found = _intake(msgspec.convert(dict.fromkeys(names, 7), Settings))
    assert {*msgspec.structs.astuple(found)} == {7, Bounds(7, 7)}


@pytest.mark.parametrize(
    ("text", "environment", "says"),
    [
        ("prot = 1", {}, "prot"),
        ("port = 'many'", {}, "port"),
        ("port = 70000", {}, "65535"),
        ("port =", {}, "meterline.toml"),
        ("", {"METERLINE_BODY_BYTES_MAX": "0"}, ">= 1"),
        ("", {"METERLINE_NOPE": "1"}, "nope"),
    ],
)
def test_a_wrong_setting_is_told(tmp_path: Path, text: str, environment: dict[str, str], says: str) -> None:
    file = tmp_path / "meterline.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=says):
        load(environment, file)
