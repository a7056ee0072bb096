"""Wherever a kill or a lost answer cuts the ledger's writing, opening it again leaves each block once and whole."""

from typing import Any

import pytest

from ledger.block import Marker, mark
from ledger.engine import Handle, open_handle
from ledger.errors import Damaged, LedgerError, Unavailable, UnknownOutcome
from ledger.ledger import Ledger
from ledger.meters import Meter
from ledger.writer import _with_place
from tests.faults import Fuse, Kill, Unsure, cut_short, made_unsure
from tests.place import METERS, NOON_MS, YEAR_MS, Place, append, problems, rows, usage


def images(ledger: Ledger) -> dict[str, list[int]]:
    """What usage says, whatever steps it was derived in."""
    total: dict[str, list[int]] = {}
    for number, *_ in ledger.reading.rows("steps"):
        for meter, *sums in ledger.reading.rows("usage_image", step=number):
            total[meter] = [
                (one + other) % 2**128 for one, other in zip(total.get(meter, [0] * 4), map(scaled, sums), strict=True)
            ]
    return total


def scaled(value: Any) -> int:
    return int(value if isinstance(value, int) else value.scaleb(9))


def parts(place: Place) -> list[tuple[Any, ...]]:
    return place.raw.rows("blocks_after", block=0)


STATEMENTS = 18
"""Of three blocks of three statements each, and three steps of usage of three each."""


@pytest.mark.parametrize("cut", range(STATEMENTS))
def test_a_kill_at_any_statement_leaves_every_acknowledged_block_once(place: Place, cut: int) -> None:
    acknowledged: list[Marker] = []
    ledger = place.ledger()
    cut_short(ledger, Fuse(cut))
    with pytest.raises(Kill):  # noqa: PT012 - which of the statements it is, is the parameter
        for _ in range(3):
            acknowledged += append(ledger, 1)
            ledger.derive()
    ledger.close()
    with place.ledger() as again:
        assert again.head.block - len(acknowledged) in (0, 1)
        for marker in acknowledged:
            assert again.chain_at(marker.block) == marker.chain.hex()
        append(again, 3 - again.head.block)
        assert [(block, many) for block, many, _ in parts(place)] == [(1, 4), (2, 4), (3, 4)]
        assert usage(again) == {"api_calls": (6, 6 * 10**9), "gb_out": (6, 6 * 10**8)}
        assert problems(again) == []


def test_the_script_of_kills_ends_with_its_last_statement(place: Place) -> None:
    with place.ledger() as ledger:
        fuse = Fuse(STATEMENTS)
        cut_short(ledger, fuse)
        for _ in range(3):
            append(ledger, 1)
            ledger.derive()
        assert fuse.left == 0


def test_an_adopted_block_has_the_marker_its_writer_would_have_written(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 1)
        whole = mark(ledger.head, rows(4, 3), 7, NOON_MS + 123)
        ledger._write.insert("events", _with_place(rows(4, 3), whole))
    with place.ledger() as again:
        assert again.head == whole
        assert again.accepted == 7
        assert len(again.identities(1, 2)[0]) == 7


def test_an_adopted_block_is_adopted_once(place: Place) -> None:
    with place.ledger() as ledger:
        ledger._write.insert("events", _with_place(rows(0, 3), mark(ledger.head, rows(0, 3), 1, NOON_MS)))
    for _ in range(3):
        with place.ledger() as again:
            assert again.head.block == 1
            assert problems(again) == []


def test_a_last_marker_that_was_dropped_is_made_again_the_same(place: Place) -> None:
    with place.ledger() as ledger:
        last = append(ledger, 2)[-1]
    place.raw.execute("DELETE FROM blocks WHERE block = 2")
    with place.ledger() as again:
        assert again.head == last


def test_two_blocks_without_markers_are_damage(place: Place) -> None:
    with place.ledger() as ledger:
        first = mark(ledger.head, rows(0, 2), 1, NOON_MS)
        ledger._write.insert("events", _with_place(rows(0, 2), first))
        ledger._write.insert("events", _with_place(rows(2, 2), mark(first, rows(2, 2), 1, NOON_MS)))
    with pytest.raises(Damaged, match=r"block 1: blocks 1, 2 have no markers"):
        place.ledger()


def test_a_block_without_a_marker_that_does_not_follow_the_last_is_damage(place: Place) -> None:
    with place.ledger() as ledger:
        skipped = mark(ledger.head, rows(0, 2), 1, NOON_MS)
        ledger._write.insert("events", _with_place(rows(0, 2), mark(skipped, rows(0, 2), 1, NOON_MS)))
    with pytest.raises(Damaged, match="block 1: blocks 2 have no markers"):
        place.ledger()


def test_an_unmarked_block_in_two_parts_is_damage(place: Place) -> None:
    with place.ledger() as ledger:
        columns = _with_place(rows(0, 4), mark(ledger.head, rows(0, 4), 1, NOON_MS))
        place.raw.execute("SYSTEM STOP MERGES events")
        ledger._write.insert("events", columns.slice(0, 2))
        ledger._write.insert("events", columns.slice(2))
    with pytest.raises(Damaged, match="in one part"):
        place.ledger()


def test_a_damaged_ledger_leaves_no_connection_open(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Handle] = []

    def noted(*asked: Any, **more: Any) -> Handle:
        opened.append(open_handle(*asked, **more))
        return opened[-1]

    with place.ledger() as ledger:
        append(ledger, 2)
    place.raw.execute("DELETE FROM blocks WHERE block = 1")
    monkeypatch.setattr("ledger.ledger.open_handle", noted)
    with pytest.raises(Damaged, match="block 1: missing"):
        place.ledger()
    assert len(opened) == 6
    for handle in opened:
        with pytest.raises(LedgerError, match="closed"):
            handle.rows("steps")


@pytest.mark.parametrize("table", ["events", "blocks"])
def test_a_lost_answer_after_everything_was_stored_changes_nothing(place: Place, table: str) -> None:
    with place.ledger() as ledger:
        made_unsure(ledger, table, "all")
        markers = append(ledger, 2)
        assert [marker.block for marker in markers] == [1, 2]
        assert [(block, many, found) for block, many, found in parts(place)] == [(1, 4, 1), (2, 4, 1)]
        assert place.raw.rows("is_marked", block=1) == [(1,)]
        assert problems(ledger) == []


def test_a_block_that_was_not_stored_is_sent_again_under_the_same_number(place: Place) -> None:
    with place.ledger() as ledger:
        made_unsure(ledger, "events", "nothing")
        with pytest.raises(Unavailable, match="block 1 was not stored; send its events again"):
            append(ledger, 1)
        assert (ledger.head.block, ledger.accepted) == (0, 0)
        assert append(ledger, 1)[0].block == 1
        assert problems(ledger) == []


def test_a_marker_that_was_not_stored_is_written_again(place: Place) -> None:
    with place.ledger() as ledger:
        made_unsure(ledger, "blocks", "nothing")
        append(ledger, 1)
        assert place.raw.rows("is_marked", block=1) == [(1,)]
        assert problems(ledger) == []


@pytest.mark.parametrize(("stored", "found"), [("half", "2 rows in 1 parts"), ("in two parts", "4 rows in 2 parts")])
def test_a_block_that_is_there_and_not_whole_is_damage(place: Place, stored: str, found: str) -> None:
    with place.ledger() as ledger:
        place.raw.execute("SYSTEM STOP MERGES events")
        made_unsure(ledger, "events", stored)
        with pytest.raises(Damaged, match=f"block 1: {found}, and not 4 in one"):
            append(ledger, 1)
        assert ledger.head.block == 0


@pytest.mark.parametrize(("table", "stored"), [("events", "all"), ("events", "nothing"), ("blocks", "nothing")])
def test_when_the_outcome_cant_be_told_a_restart_tells(place: Place, table: str, stored: str) -> None:
    ledger = place.ledger()
    unsure = made_unsure(ledger, table, stored)
    if table == "events":
        unsure.blind = True
    else:
        ledger._writer.stop()
    with pytest.raises(UnknownOutcome, match="restart"):
        append(ledger, 1)
    assert ledger.head.block == 0
    ledger.close()
    with place.ledger() as again:
        append(again, 1 - again.head.block)
        assert parts(place) == [(1, 4, 1)]
        assert problems(again) == []


def test_a_step_without_its_record_is_derived_again_and_counted_once(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 3)
        ledger.derive()
        before = images(ledger)
        steps = ledger.reading.rows("steps")
    place.raw.execute("DELETE FROM usage_steps WHERE 1")
    with place.ledger() as again:
        assert again._follower.done_block == 0
        assert usage(again) == {"api_calls": (6, 6 * 10**9), "gb_out": (6, 6 * 10**8)}
        assert images(again) == before
        assert again.reading.rows("steps")[0][0] > steps[-1][0]
        assert problems(again) == []


@pytest.mark.parametrize("stored", ["all", "nothing"])
def test_a_step_whose_records_answer_was_lost_is_counted_once(place: Place, stored: str) -> None:
    with place.ledger() as ledger:
        append(ledger, 2)
        ledger._follower._handle = Unsure(ledger._follower._handle, "usage_steps", stored)
        with pytest.raises(UnknownOutcome):
            ledger.derive()
        assert usage(ledger) == {"api_calls": (4, 4 * 10**9), "gb_out": (4, 4 * 10**8)}
        append(ledger, 1)
        assert usage(ledger) == {"api_calls": (6, 6 * 10**9), "gb_out": (6, 6 * 10**8)}
        assert problems(ledger) == []
    with place.ledger() as again:
        assert usage(again) == {"api_calls": (6, 6 * 10**9), "gb_out": (6, 6 * 10**8)}
        assert problems(again) == []


def test_usage_is_the_same_in_whatever_steps_it_is_derived(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 6)
        ledger.derive()
        at_once = images(ledger)
        assert len(ledger.reading.rows("steps")) == 1
    place.raw.execute("TRUNCATE TABLE usage")
    place.raw.execute("TRUNCATE TABLE usage_steps")
    with place.ledger() as again:
        for cutoff in (1, 2, 5, 6):
            again.derive(cutoff)
        assert [step[1:3] for step in again.reading.rows("steps")] == [(1, 1), (2, 2), (3, 5), (6, 6)]
        assert images(again) == at_once
        assert problems(again) == []


def test_each_block_counts_towards_the_meters_of_its_own_catalog(place: Place) -> None:
    place.catalog(2, {"default": [Meter("egress_events", "egress", "count")]})
    place.catalog(3, {"default": [Meter("gb_out", "egress", "count")]})
    with place.ledger() as ledger:
        for version in (1, 2, 2, 3):
            ledger.append(rows(ledger.accepted, 4), version, NOON_MS)
        assert usage(ledger) == {
            "api_calls": (8, 8 * 10**9),
            "egress_events": (6, 6 * 10**9),
            "gb_out": (8, 6 * 2 * 10**8 // 2 + 2 * 10**9),
        }
        assert [step[1:4] for step in ledger.reading.rows("steps")] == [(1, 1, 1), (2, 3, 2), (4, 4, 3)]
        assert problems(ledger) == []


def test_a_reader_that_sees_a_head_can_derive_up_to_it_at_that_very_moment(place: Place) -> None:
    with place.ledger() as ledger:
        noted = ledger._follower.block_marked

        def read_first(marker: Marker) -> None:
            ledger.derive()  # as another thread may, between any two lines of append
            noted(marker)
            ledger.derive()

        ledger._follower.block_marked = read_first  # type: ignore[method-assign]
        append(ledger, 2)
        ledger.derive()
        assert ledger._follower.done_block == 2


def test_usage_before_a_cutoff_stays_as_it_was(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 2)
        then = ledger.counts("default", 0, NOON_MS + YEAR_MS, 1)
        append(ledger, 2)
        assert (
            ledger.counts("default", 0, NOON_MS + YEAR_MS, 1)
            == then
            == {
                "api_calls": (2, 2 * 10**9),
                "gb_out": (2, 2 * 10**8),
            }
        )


def test_a_block_keeps_the_meters_it_had_whatever_is_applied_later(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 1)
        place.catalog(2, {"default": [*METERS, Meter("more", "egress", "count")]})
        assert set(usage(ledger)) == {"api_calls", "gb_out"}
