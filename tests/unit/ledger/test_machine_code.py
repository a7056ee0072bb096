"""Each state of the source has its place for machine code; those that no start used for a while go."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.machine_code import UNUSED_S_MAX, place_in

OURS, ANOTHER, THIRD = (f"meterline-{letter * 16}" for letter in "abc")
MINUTE_S = 60


def used(directory: Path, age_s: int) -> Path:
    """A place with code in it that was last used so long ago."""
    (directory / "metering").mkdir(parents=True)
    (directory / "metering" / "scan.nbi").touch()
    os.utime(directory, (time.time() - age_s,) * 2)
    return directory


def test_what_no_start_used_for_a_while_goes_and_what_was_used_lately_stays(tmp_path: Path) -> None:
    used(tmp_path / ANOTHER, UNUSED_S_MAX + MINUTE_S)
    used(tmp_path / THIRD, UNUSED_S_MAX - MINUTE_S)
    assert place_in([tmp_path], OURS) == tmp_path / OURS
    assert sorted(one.name for one in tmp_path.iterdir()) == [OURS, THIRD]


def test_the_place_in_use_stays_however_old_it_is_and_counts_as_used(tmp_path: Path) -> None:
    ours = used(tmp_path / OURS, 2 * UNUSED_S_MAX)
    assert place_in([tmp_path], OURS) == ours
    assert place_in([tmp_path], ANOTHER) == tmp_path / ANOTHER
    assert (ours / "metering" / "scan.nbi").exists()


def test_what_a_start_that_was_killed_left_is_removed_by_the_next(tmp_path: Path) -> None:
    used(tmp_path / f"{ANOTHER}.unused", UNUSED_S_MAX + MINUTE_S)
    place_in([tmp_path], OURS)
    assert [one.name for one in tmp_path.iterdir()] == [OURS]


@pytest.mark.parametrize("name", ["meterline", "meterline-data", f"{ANOTHER}0", f"{ANOTHER}.old", "other"])
def test_what_is_no_place_of_ours_stays(tmp_path: Path, name: str) -> None:
    kept = used(tmp_path / name, 2 * UNUSED_S_MAX)
    place_in([tmp_path], OURS)
    assert (kept / "metering" / "scan.nbi").exists()


def test_where_nothing_can_be_written_the_next_base_is_taken_and_nothing_removed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    unwritable = [tmp_path / "file", Path("~nobody-has-this-name")]
    assert place_in([*unwritable, tmp_path / "home"], OURS) == tmp_path / "home" / OURS
    assert place_in(unwritable, OURS) is None


def test_starts_at_one_moment_do_not_disturb_each_other(tmp_path: Path) -> None:
    for number in range(100):
        used(tmp_path / f"meterline-{number:016}", UNUSED_S_MAX + MINUTE_S)
    with ThreadPoolExecutor(8) as starts:
        places = list(starts.map(lambda _: place_in([tmp_path], OURS), range(8)))
    assert places == [tmp_path / OURS] * 8
    place_in([tmp_path], OURS)
    assert [one.name for one in tmp_path.iterdir()] == [OURS]
