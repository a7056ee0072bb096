"""What was changed, dropped, doubled or moved in a ledger is named by the first record it shows in."""

import msgspec
import pyarrow as pa
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from ledger.anchor import FILE_NAME, Anchor, ledgers
from ledger.block import SCHEMA, chain_after, genesis, mark
from ledger.errors import Damaged
from ledger.ledger import Ledger
from ledger.verify import Problem
from ledger.writer import _with_place, marker_row
from tests.place import NOON_MS, Place, append, rows

NOW = "SETTINGS mutations_sync = 2"
CHANGES = {
    "outcome": "'quarantined'",
    "tenant": "'other'",
    "source": "'/x'",
    "id": "'id-x'",
    "type": "'ingress'",
    "subject": "'someone else'",
    "time": "time + 1",
    "data": "'{ }'",
    "identity": "identity + 1",
    "content": "content + 1",
    "quantities": "arrayConcat(quantities, [toDecimal128('0.000000001', 9)])",
    "dimensions": "arrayConcat(dimensions, [''])",
    "reason": "'because'",
    "count": "count + 1",
    "catalog": "catalog + 1",
}


def found(ledger: Ledger) -> list[Problem]:
    return list(ledger.problems(lambda _rows: iter(())))


def wheres(ledger: Ledger) -> list[str]:
    return [problem.where for problem in found(ledger)]


def change(place: Place, what: str) -> None:
    place.raw.execute(f"ALTER TABLE {what} {NOW}")


def test_a_ledger_nobody_touched_has_no_problems(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
        assert found(ledger) == []
    with place.ledger() as again:
        assert found(again) == []


def test_every_column_of_a_block_is_tried() -> None:
    assert set(CHANGES) == {*SCHEMA.names, "catalog"}


@pytest.mark.parametrize("row", [0, 2])
def test_a_changed_value_of_any_column_is_found_in_its_block(place: Place, row: int) -> None:
    """One column of one row in each block, and one block that nobody touched."""
    with place.ledger() as ledger:
        append(ledger, len(CHANGES) + 1)
        for block, (column, value) in enumerate(CHANGES.items(), 1):
            change(place, f"events UPDATE {column} = {value} WHERE block = {block} AND row = {row}")
        assert [where for where in wheres(ledger) if where.startswith("block")] == [
            f"block {block}" for block in range(1, len(CHANGES) + 1)
        ]


def test_a_value_moved_to_the_column_beside_is_found(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 2)
        change(place, "events UPDATE source = id, id = source WHERE block = 2 AND row = 1")
        assert wheres(ledger) == ["block 2"]


def test_a_character_moved_to_the_row_below_is_found(place: Place) -> None:
    """As bytes one after the other, the column would be the same."""
    with place.ledger() as ledger:
        append(ledger, 2)
        change(
            place,
            "events UPDATE id = if(row = 1, substring(id, 1, 3), concat('5', id)) WHERE block = 2 AND row IN (1, 2)",
        )
        assert wheres(ledger) == ["block 2"]


def copied(replace: str, where: str, into: str = "events") -> str:
    return f"INSERT INTO {into} SELECT * REPLACE ({replace}) FROM (SELECT * FROM events WHERE {where})"  # noqa: S608


def rewritten(place: Place, replace: str) -> None:
    """Block 2 written again, with something else in its key, which cannot be updated."""
    place.raw.execute("CREATE TABLE moved AS events ENGINE = Memory")
    place.raw.execute(copied(replace, "block = 2", into="moved"))
    change(place, "events DELETE WHERE block = 2")
    place.raw.execute("INSERT INTO events SELECT * FROM moved ORDER BY block, row")


@pytest.mark.parametrize(
    ("replace", "problem"),
    [
        ("3 - row AS row", "digest"),
        ("toUInt32(transform(row, [0, 1], [1, 0], row)) AS row", "digest"),
        ("row + 1 AS row", "numbered"),
        ("toUInt32(if(row = 3, 2, row)) AS row", "numbered"),
        ("received + 1 AS received", "marker"),
        ("if(row = 2, received + 1, received) AS received", "marker"),
        ("block + 10 AS block", "0 rows, and its marker says 4"),
    ],
)
def test_rows_that_were_moved_are_found_in_their_block(place: Place, replace: str, problem: str) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
        ledger.derive()
        rewritten(place, replace)
        problems = found(ledger)
        assert problems[0].where == "block 2"
        assert problem in problems[0].what


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("block = 2 AND row = 1", "3 rows, and its marker says 4"),
        ("block = 2 AND row = 3", "3 rows, and its marker says 4"),
        ("block = 2", "0 rows, and its marker says 4"),
        ("block = 3", "0 rows, and its marker says 4"),
        ("1", "0 rows, and its marker says 4"),
    ],
)
def test_rows_that_were_dropped_are_missed(place: Place, where: str, problem: str) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
        ledger.derive()
        change(place, f"events DELETE WHERE {where}")
        problems = found(ledger)
        assert problems[0] == Problem(
            "block 3" if where == "block = 3" else "block 1" if where == "1" else "block 2", problem
        )


def test_rows_that_were_doubled_are_found(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
        ledger.derive()
        place.raw.execute("INSERT INTO events SELECT * FROM events WHERE block = 2 AND row = 1")
        assert found(ledger)[0] == Problem("block 2", "5 rows, and its marker says 4")


def test_a_row_moved_to_the_next_block_is_found_in_both(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
        place.raw.execute(copied("toUInt64(3) AS block, toUInt32(4) AS row", "block = 2 AND row = 3"))
        change(place, "events DELETE WHERE block = 2 AND row = 3")
        assert wheres(ledger)[:2] == ["block 2", "block 3"]


def test_rows_put_where_no_block_is_are_found(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 2)
        for block in (0, 1_000):
            place.raw.execute(copied(f"toUInt64({block}) AS block", "block = 2"))
        assert wheres(ledger) == ["block 0", "block 1000"]


MARKER_CHANGES = {
    "catalog": "catalog + 1",
    "rows": "rows + 1",
    "accepted": "accepted + 1",
    "conflicts": "conflicts + 1",
    "quarantined": "quarantined + 1",
    "duplicates": "duplicates + 1",
    "rejected": "rejected + 1",
    "digest": "unhex(repeat('00', 32))",
    "chain": "unhex(repeat('00', 32))",
    "received": "received + 1",
}


@pytest.mark.parametrize("column", MARKER_CHANGES)
def test_a_changed_marker_is_found(place: Place, column: str) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
        change(place, f"blocks UPDATE {column} = {MARKER_CHANGES[column]} WHERE block = 2")
        assert wheres(ledger) == ["block 2"]
    with pytest.raises(Damaged, match="block 2: its marker does not chain"):
        place.ledger()


@pytest.mark.parametrize("block", [1, 2, 3])
def test_a_dropped_marker_is_missed_while_it_runs_and_at_the_next_start(place: Place, block: int) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
        change(place, f"blocks DELETE WHERE block = {block}")
        assert wheres(ledger) == [f"block {block}"]
        change(place, f"events DELETE WHERE block = {block}")
    with pytest.raises(Damaged, match=f"^block {block}:"):
        place.ledger()


def test_a_doubled_marker_is_found(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
        place.raw.execute("INSERT INTO blocks SELECT * FROM blocks WHERE block = 2")
        assert wheres(ledger) == ["block 3"]


def forge(place: Place, ledger: Ledger) -> None:
    """Block 2 with other rows, and a marker that chains: what an intruder would do who knows how all this works."""
    first = mark(genesis(ledger.identity.id), rows(0, 4), 1, NOON_MS)
    forged = rows(4, 4, quantity="0.2")
    marker = mark(first, forged, 1, NOON_MS + 1)
    for table in ("events", "blocks"):
        change(place, f"{table} DELETE WHERE block = 2")
    place.raw.insert("events", _with_place(forged, marker))
    place.raw.insert("blocks", marker_row(marker))


def test_a_forged_tail_is_found_by_either_anchor(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 2)
    forge(place, ledger)
    with pytest.raises(Damaged, match="block 2: its chain hash is not the one that was anchored"):
        place.ledger()
    file = (place.directory / FILE_NAME).read_bytes()
    (place.directory / FILE_NAME).unlink()
    with pytest.raises(Damaged, match="block 2: its chain hash"):
        place.ledger()
    (place.directory / FILE_NAME).write_bytes(file)
    with place.relational.begin() as connection:
        connection.execute(sa.update(ledgers).values(block=0, chain=b""))
    with pytest.raises(Damaged, match="block 2: its chain hash"):
        place.ledger()


@pytest.mark.parametrize("kept", ["both", "file", "relational"])
def test_a_cut_tail_is_seen_by_any_anchor(place: Place, kept: str) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
    for table in ("events", "blocks"):
        change(place, f"{table} DELETE WHERE block >= 2")
    if kept == "file":
        with place.relational.begin() as connection:
            connection.execute(sa.update(ledgers).values(block=0, chain=b""))
    if kept == "relational":
        (place.directory / FILE_NAME).unlink()
    with pytest.raises(Damaged, match="block 2: the tail is cut: 3 blocks were marked, 1 are here"):
        place.ledger()


def test_an_anchor_of_another_ledger_is_refused(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 1)
    (place.directory / FILE_NAME).write_bytes(msgspec.json.encode(Anchor("another", 1, "00")))
    with pytest.raises(Damaged, match="it is of ledger another"):
        place.ledger()


def test_an_anchor_that_can_not_be_read_is_named(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 1)
    (place.directory / FILE_NAME).write_text("{")
    with pytest.raises(Damaged, match=r"head\.json: not a head anchor .*: restore it from a backup"):
        place.ledger()


def test_the_head_is_anchored_within_a_moment_and_not_only_at_the_end(place: Place) -> None:
    with place.ledger() as ledger:
        head = append(ledger, 1)[0]
        while not (place.directory / FILE_NAME).exists():
            ledger._closing.wait(0.01)
        anchored = msgspec.json.decode((place.directory / FILE_NAME).read_bytes(), type=Anchor)
        assert anchored == Anchor(ledger.identity.id, 1, head.chain.hex())


def test_a_head_that_can_not_be_anchored_is_said_and_shown_until_it_can(place: Place) -> None:
    in_the_way = place.directory / f"{FILE_NAME}.new"
    with place.ledger() as ledger, capture_logs() as said:
        in_the_way.mkdir()
        append(ledger, 1)
        while not ledger.anchor_trouble:
            ledger._closing.wait(0.01)
        assert ledger.anchor_trouble.startswith("IsADirectoryError")
        assert (ledger.anchored_block, ledger.head.block) == (0, 1)
        in_the_way.rmdir()
        while ledger.anchor_trouble:
            ledger._closing.wait(0.01)
        assert (ledger.anchored_block, ledger.head.block) == (1, 1)
    assert [(one["event"], one["log_level"]) for one in said] == [
        ("anchoring the head put off", "error"),
        ("anchoring the head goes on", "info"),
    ]


@pytest.mark.parametrize(
    ("what", "meter"),
    [
        ("UPDATE quantity = quantity + toDecimal128('0.000000001', 9) WHERE meter = 'gb_out' AND block = 2", "gb_out"),
        ("DELETE WHERE meter = 'api_calls' AND block = 2", "api_calls"),
        ("UPDATE dimensions = map('region', 'mars') WHERE meter = 'api_calls' AND block = 2", "api_calls"),
        ("UPDATE digest = digest + 1 WHERE meter = 'gb_out' AND block = 2", "gb_out"),
        ("UPDATE row = row + 1 WHERE meter = 'gb_out' AND block = 2", "gb_out"),
    ],
)
def test_usage_that_is_not_what_its_events_say_is_named(place: Place, what: str, meter: str) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
        ledger.derive(2)
        ledger.derive()
        change(place, f"usage {what}")
        expected = f"not what the events give when derived again, in {meter}"
        assert found(ledger) == [Problem("usage of blocks 1 to 2 (step 1)", expected)]


def test_two_sums_that_cancel_out_are_still_found(place: Place) -> None:
    """The quantities of two customers swapped: every sum over both is as it was."""
    with place.ledger() as ledger:
        append(ledger, 1, many_rows=10)
        ledger.derive()
        change(place, "usage UPDATE quantity = quantity + if(row = 1, 1, -1) WHERE meter = 'gb_out' AND row IN (1, 3)")
        assert wheres(ledger) == ["usage of blocks 1 to 1 (step 1)"]


def test_usage_of_a_step_that_was_never_taken_is_found(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 2)
        ledger.derive()
        place.raw.execute("INSERT INTO usage SELECT * REPLACE (toUInt32(9) AS step) FROM usage WHERE block = 1")
        assert found(ledger) == [Problem("usage step 9", "holds rows, and was never taken")]


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (1, Problem("usage step 2", "begins at block 2, and not at 1")),
        (2, Problem("usage of block 2", "its step has no record")),
    ],
)
def test_a_step_whose_record_was_dropped_is_missed(place: Place, step: int, problem: Problem) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
        ledger.derive(1)
        ledger.derive()
        change(place, f"usage_steps DELETE WHERE step = {step}")
        assert found(ledger)[0] == problem


@pytest.mark.parametrize("what", ["DELETE WHERE step = 1", "UPDATE first_block = 2 WHERE step = 1"])
def test_a_gap_in_the_steps_of_usage_stops_the_start(place: Place, what: str) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
        ledger.derive(1)
        ledger.derive()
        change(place, f"usage_steps {what}")
    with pytest.raises(Damaged, match=r"usage step \d: begins at block 2, and not at 1"):
        place.ledger()


def test_what_is_known_of_events_elsewhere_is_asked_for_every_block(place: Place) -> None:
    seen: list[tuple[int, int]] = []

    def look(table: pa.Table) -> list[Problem]:
        seen.extend(zip(table["block"].to_pylist(), table["row"].to_pylist(), strict=True))
        return [Problem("here", "something")]

    with place.ledger() as ledger:
        append(ledger, 3, many_rows=2)
        problems = list(ledger.problems(lambda table: iter(look(table))))
    assert seen == [(block, row) for block in (1, 2, 3) for row in (0, 1)]
    assert problems == [Problem("here", "something")]


def test_a_chain_belongs_to_one_ledger(place: Place) -> None:
    with place.ledger() as ledger:
        markers = append(ledger, 2)
        assert chain_after(markers[0], markers[1]) == markers[1].chain
    with place.relational.begin() as connection:
        connection.execute(sa.update(ledgers).values(id="another", block=0))
    (place.directory / FILE_NAME).unlink()
    with pytest.raises(Damaged, match="block 1: its marker does not chain"):
        place.ledger()
