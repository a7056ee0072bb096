"""Who may reach a ledger and how: one process a directory, reports that can't write, values that stay values."""

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.engine import migrate
from ledger.errors import Held, LedgerError
from ledger.lock import DirectoryLock
from ledger.sql import migrations
from meterline.copies import copies
from tests.place import NOON_MS, Place, append, event, told

HOLD = """
import sys
from pathlib import Path
from ledger.lock import DirectoryLock

lock = DirectoryLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_who_holds_the_directory_and_what_to_do(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Held) as told_off:
            DirectoryLock(tmp_path)
        message = str(told_off.value)
        assert f"process {holder.pid}" in message
        assert str(tmp_path) in message
        assert f"--data {tmp_path}" in message
        assert "stop it" in message
        holder.kill()
    with DirectoryLock(tmp_path):  # what a killed process held is free at once
        pass


def test_an_empty_directory_becomes_private_and_one_with_something_in_it_stays(tmp_path: Path) -> None:
    for name in ("empty", "used"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o755)
    (tmp_path / "used" / "file").touch()
    with DirectoryLock(tmp_path / "empty"), DirectoryLock(tmp_path / "used"):
        assert (tmp_path / "empty").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "used").stat().st_mode & 0o777 == 0o755


def test_a_directory_given_up_can_be_held_again_and_not_twice(tmp_path: Path) -> None:
    directory = tmp_path / "made on the way"
    with DirectoryLock(directory):
        with pytest.raises(Held, match="One process opens a ledger"):
            DirectoryLock(directory)
        assert directory.stat().st_mode & 0o077 == 0
    with DirectoryLock(directory):
        pass


FORBIDDEN = [
    "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "SELECT * FROM file('/etc/hostname', 'LineAsString') SETTINGS readonly = 0",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:1', 'system.one')",
    "SELECT * FROM executable('ls', 'TSV', 'name String')",
    "INSERT INTO FUNCTION file('written.csv', 'CSV', 'a Int8') SELECT 1",
    "INSERT INTO blocks (block) VALUES (9)",
    "ALTER TABLE events UPDATE count = 2 WHERE 1",
    "ALTER TABLE events DELETE WHERE 1",
    "DELETE FROM events WHERE 1",
    "TRUNCATE TABLE usage",
    "DROP TABLE events",
    "CREATE TABLE mine (a Int8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE mine (a Int8)",
    "RENAME TABLE events TO gone",
    "SET readonly = 0",
    "SET max_memory_usage = 0",
    "SELECT 1 SETTINGS readonly = 0",
]


def test_a_report_cant_write_nor_leave_the_database(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 1)
        for text in FORBIDDEN:
            with pytest.raises(LedgerError, match="READONLY"):
                ledger.reading.execute(text)
        assert ledger.reading.rows("steps") == []
        assert list(ledger.problems(lambda _rows: iter(()))) == []


NASTY = [
    "'",
    '"',
    "\\",
    "\\'",
    "' OR 1=1 --",
    "{tenant:String}",
    "}",
    "%s",
    "\n",
    "\t",
    "\\n",
    "\0",
    "é😀",
    "`",
    "$1",
    "[']",
]


def test_whatever_a_name_holds_it_is_a_value_and_nothing_else(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        sent = [event(name, source=f"/s{name}", subject=f"of {name}", data={"gb": "1"}) for name in NASTY]
        assert told(intake, *sent).accepted == len(NASTY)
        cutoff = ledger.head.block
        for name in NASTY:
            report = ledger.usage_report("default", "gb_out", 0, NOON_MS + 1, cutoff, ["subject"], [f"of {name}"], 9)
            assert report == [([f"of {name}"], 10**9, 1)], name
            identity = intake.hasher.identity("default", f"/s{name}", name)
            (copy,) = copies(ledger, intake.index, "default", identity, cutoff)
            assert copies(ledger, intake.index, name, identity, cutoff) == []
            assert (copy["id"], copy["source"], copy["outcome"]) == (name, f"/s{name}", "accepted")
            assert ledger.usage_report(name, "gb_out", 0, NOON_MS + 1, cutoff, ["subject"], [], 9) == []
            assert ledger.usage_report("default", name, 0, NOON_MS + 1, cutoff, [name], [], 9) == []
        every = ledger.usage_report("default", "gb_out", 0, NOON_MS + 1, cutoff, ["subject"], [], 99)
        assert sorted(key[0] for key, _, _ in every) == sorted(f"of {name}" for name in NASTY)


def test_tenants_named_with_quotes_are_kept_apart(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        for tenant in NASTY:
            assert told(intake, event("a"), tenant=tenant).quarantined == 1
        for tenant in NASTY:
            assert ledger.outcomes(tenant, ledger.head.block) == {"/s": {"quarantined": 1}}, tenant
            assert [row["id"] for row in ledger.kept_events(tenant, "quarantined", (0, 0), 9)] == ["a"]


def test_a_report_has_one_group_more_than_asked_when_there_are_more(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 2, many_rows=10)
        for most in (1, 4, 5, 6):
            found = ledger.usage_report("default", "gb_out", 0, 2**41, ledger.head.block, ["subject"], [], most)
            assert len(found) == min(most + 1, 5)


def test_a_migration_is_applied_once_and_one_that_was_changed_is_refused(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 1)
        migrate(place.raw, migrations())
        assert ledger.reading.rows("is_marked", block=1) == [(1,)]
        number, _, text = migrations()[0]
        with pytest.raises(LedgerError, match=f"migration {number} was changed after it was applied"):
            migrate(place.raw, [(number, "another digest", text)])


def test_kept_events_are_listed_from_any_place_on(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        for batch in range(3):
            told(intake, *(event(f"{batch}-{number}", data={}) for number in range(4)))
        found: list[str] = []
        after = (0, 0)
        while page := ledger.kept_events("default", "quarantined", after, 5):
            found += [row["id"] for row in page]
            after = (page[-1]["block"], page[-1]["row"])
        assert found == [f"{batch}-{number}" for batch in range(3) for number in range(4)]
