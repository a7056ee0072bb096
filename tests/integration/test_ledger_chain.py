"""The chain is followed marker by marker, a page at a time, and past every anchor before anything is written."""

import collections

import msgspec
import pytest

from ledger.anchor import FILE_NAME, Anchor
from ledger.block import CONFLICT, Marker, mark
from ledger.chain import Chain
from ledger.errors import Damaged
from ledger.ledger import Ledger
from ledger.writer import _with_place, marker_row
from metering.intake import load_index
from tests.place import NOON_MS, Place, append, problems, rows


def followed(ledger: Ledger, last: int = 2**64 - 1) -> list[Marker]:
    return list(Chain(ledger.identity.id).read(ledger.reading, last))


@pytest.mark.parametrize("at_once", [1, 2, 3, 5, 6, 100])
def test_every_marker_is_followed_once_however_many_are_read_at_once(
    place: Place, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("ledger.chain.MARKERS_AT_ONCE", at_once)
    with place.ledger() as ledger:
        markers = append(ledger, 6)
        assert followed(ledger) == markers
        assert followed(ledger, 4) == markers[:4]
    with place.ledger() as again:
        assert (again.head, again.accepted) == (markers[-1], 24)


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
@pytest.mark.parametrize("block", [1, 2, 3, 4])
def test_a_second_marker_of_a_number_is_found_wherever_a_page_ends(
    place: Place, monkeypatch: pytest.MonkeyPatch, at_once: int, block: int
) -> None:
    monkeypatch.setattr("ledger.chain.MARKERS_AT_ONCE", at_once)
    with place.ledger() as ledger:
        markers = append(ledger, 4)
        place.raw.insert("blocks", marker_row(markers[block - 1]))
        with pytest.raises(Damaged, match=f"block {block + 1}: missing: block {block} follows {block}"):
            followed(ledger)


def test_a_block_is_adopted_only_where_the_anchors_hold(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 1)
        left = mark(ledger.head, rows(4, 3), 1, NOON_MS)
        ledger._write.insert("events", _with_place(rows(4, 3), left))
        whose = ledger.identity.id
    for anchor in (Anchor(whose, 2, "00"), Anchor(whose, 3, "00"), Anchor("another", 1, "00")):
        (place.directory / FILE_NAME).write_bytes(msgspec.json.encode(anchor))
        with pytest.raises(Damaged):
            place.ledger()
        assert place.raw.rows("is_marked", block=2) == [(0,)]
    (place.directory / FILE_NAME).write_bytes(msgspec.json.encode(Anchor(whose, 2, left.chain.hex())))
    with place.ledger() as again:
        assert again.head == left


def test_blocks_that_come_while_the_ledger_is_verified_are_no_problem(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.ledger() as ledger:
        append(ledger, 2)
        derive = ledger.derive

        def while_others_write(cutoff: int | None = None) -> None:
            append(ledger, 1)
            ledger._anchor_head()
            derive(cutoff)

        monkeypatch.setattr(ledger, "derive", while_others_write)
        assert problems(ledger) == []


@pytest.mark.parametrize("events", [1, 3, 4, 5, 9, 100])
def test_ranges_cover_every_block_once_and_are_bounded_by_what_was_accepted(place: Place, events: int) -> None:
    accepted = [4, 1, 0, 2, 7, 0, 3]
    with place.ledger() as ledger:
        for many in accepted:
            some = rows(ledger.accepted, many) if many else rows(0, 2, outcome=CONFLICT)
            ledger.append(some, 1, NOON_MS)
        ranges = ledger.ranges(events)
        assert [block for first, last in ranges for block in range(first, last + 1)] == list(range(1, 8))
        for first, last in ranges:
            assert first == last or sum(accepted[first - 1 : last]) < events + max(accepted)
        counts = collections.Counter(load_index(ledger).find(ledger.identities(1, 7)[0]).block.tolist())
        assert [counts.get(block, 0) for block in range(1, 8)] == accepted


def test_a_ledger_without_blocks_has_no_ranges(place: Place) -> None:
    with place.ledger() as ledger:
        assert ledger.ranges(10) == []
