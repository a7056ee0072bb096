"""Usage by dimensions, single usage and the highest of it are what a ledger in memory says of the same events."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pyarrow as pa
import pytest

from ledger.meters import Meter
from ledger.usage import Keyed, Peaks, Singles, Stretched
from rating.clocks import bucket_starts, slot_starts
from rating.pricing.parts import Every, Slot
from tests.faults import Fuse, Kill, cut_short
from tests.place import NOON_MS, Place, event, problems, told
from tests.unit.rating.world import DAY_MS, MemoryLedger, Use

DIMENSIONS = {"region": "geo.region", "size": "size"}
METERS = [
    Meter("calls", "call", "count", dimensions=DIMENSIONS),
    Meter("bytes", "call", "sum", value="bytes", dimensions={"size": "size"}),
    Meter("gb_out", "egress", "sum", value="bytes"),
]
MORE_METERS = [*METERS, Meter("egresses", "egress", "count", dimensions={"region": "geo.region"})]
CUTS = [["region"], ["size"], ["size", "region"]]
SLOTS = [Slot("night", start_minute=22 * 60, end_minute=14 * 60 + 30), Slot("weekend", ("sat", "sun"))]
VALUES = ["", "\0", "a\0b", "a", "a\0", "é😀", "x'{y}\\", " "]
QUANTITIES = ["0", "1", "0.000000001", "-2.5", "999999999999999.999999999", "1000000000000000"]
EARLIEST_MS = NOON_MS - 31 * DAY_MS
DERIVED_UNTIL_THE_RECORD = 2
"""Of a step's three statements: its rows are there, and nothing says that they are done."""


def random_event(source: random.Random, name: str) -> dict[str, Any]:
    """One of few times and subjects, with some of its dimensions."""
    time = EARLIEST_MS + source.randrange(8) * 4 * DAY_MS + source.choice([0, 0, 1, 3_600_000])
    data: dict[str, Any] = {"bytes": source.choice(QUANTITIES)}
    if source.random() < 0.8:
        data["geo"] = {"region": source.choice(VALUES)}
    if source.random() < 0.8:
        data["size"] = source.choice(VALUES)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time)
    kind, subject = source.choice(["call", "egress"]), source.choice(["a", "b", "a\0b", "é"])
    return event(name, type=kind, subject=subject, time=at.isoformat(), data=data)


def uses_of(sent: dict[str, Any], block: int, meters: list[Meter]) -> list[Use]:
    """The usage that an event is."""
    data = sent["data"]
    said = {"region": data.get("geo", {}).get("region", ""), "size": data.get("size", "")}
    time = int((datetime.fromisoformat(sent["time"]) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
    return [
        Use(
            meter.name,
            sent["subject"],
            time,
            int(Decimal(data["bytes"] if meter.value else "1").scaleb(9)),
            block,
            tuple((name, said[name]) for name in meter.dimensions),
        )
        for meter in meters
        if meter.event_type == sent["type"]
    ]


def by_key(found: Keyed) -> dict[tuple[str, str, int, tuple[str, ...]], int]:
    rows = zip(
        found.meter.to_pylist(),
        found.subject.to_pylist(),
        found.segment.tolist(),
        [found.keys[key] for key in found.key.tolist()],
        strict=True,
    )
    summed = dict(zip(rows, found.quantity.tolist(), strict=True))
    assert len(summed) == len(found.key), "a key has one row"
    return summed


def by_hour(found: Stretched) -> dict[tuple[str, str, int], int]:
    rows = zip(found.meter.to_pylist(), found.subject.to_pylist(), found.segment.tolist(), strict=True)
    summed = dict(zip(rows, found.quantity.tolist(), strict=True))
    assert len(summed) == len(found.segment), "an hour has one row"
    return summed


def highest(found: Peaks) -> dict[tuple[str, str, int], int]:
    rows = zip(found.meter.to_pylist(), found.subject.to_pylist(), found.segment.tolist(), strict=True)
    values = dict(zip(rows, found.quantity.tolist(), strict=True))
    assert len(values) == len(found.quantity), "a meter of a subject has one row a stretch"
    return values


def in_time(found: Singles, meter: str) -> list[tuple[str, int, int]]:
    """One meter's: which of its usage came first among that of one event is nobody's question."""
    columns = (found.meter.to_pylist(), found.subject.to_pylist(), found.segment.tolist(), found.quantity.tolist())
    return [row[1:] for row in zip(*columns, strict=True) if row[0] == meter]


@pytest.mark.parametrize("seed", range(2))
def test_details_are_those_of_the_events_up_to_the_cutoff(place: Place, seed: int) -> None:
    """Several steps under two catalogs, one of which a kill cut short and which was derived again."""
    source, known = random.Random(seed), MemoryLedger()
    ledger, meters = place.ledger(), METERS
    for nth in range(6):
        if nth == 3:
            meters = MORE_METERS
        with place.intake(ledger) as intake:
            intake.admission = place.catalog(2 + (nth >= 3), {"default": meters})
            for block in range(source.randint(1, 2)):
                sent = [random_event(source, f"{nth}-{block}-{one}") for one in range(source.randint(1, 15))]
                assert told(intake, *sent).accepted == len(sent)
                for one in sent:
                    known.usage += uses_of(one, ledger.head.block, meters)
        if nth in {1, 4}:
            cut_short(ledger, Fuse(DERIVED_UNTIL_THE_RECORD))
            with pytest.raises(Kill):
                ledger.derive()
            ledger.close()
            ledger = place.ledger()
        elif nth % 2 == 0:
            ledger.derive()
    with ledger:
        cuts = sorted({EARLIEST_MS, NOON_MS, *source.sample([use.time for use in known.usage], 5)})
        for cutoff in (ledger.head.block // 2, ledger.head.block):
            for bounds in (cuts, cuts[1:-1]):
                _alike(ledger, known, bounds, cutoff)
        assert len(place.raw.rows("steps")) > 2
        assert ledger._follower.cut_short != []
        assert problems(ledger) == []


def line_of(subjects: list[str], bounds: list[int], cutoff: int) -> pa.Table:
    """What a charge says of where its events are looked for."""
    said = {"tenant": "default", "meter": "calls", "window_start": bounds[0], "window_end": bounds[-1]}
    return pa.Table.from_pylist([{**said, "cutoff": cutoff, "subjects": subjects}])


def _alike(ledger: Any, known: MemoryLedger, bounds: list[int], cutoff: int) -> None:
    names = [meter.name for meter in MORE_METERS]
    by_slot = slot_starts(SLOTS, "Europe/Berlin", bounds[0], bounds[-1])
    hours = sorted({*bounds, *bucket_starts(Every.HOUR, "Europe/Berlin", bounds[0], bounds[-1])})
    for meter in names:
        for cut, slots in product([*CUTS, []], [[], by_slot]):
            if cut or slots:
                found = ledger.keyed("default", meter, cut, slots, bounds, cutoff)
                assert by_key(found) == by_key(known.keyed("default", meter, cut, slots, bounds, cutoff))
        of_hours = (one.stretched("default", meter, hours, cutoff) for one in (ledger, known))
        found_hours, known_hours = (by_hour(one) for one in of_hours)
        assert found_hours == known_hours
        both = (one.singles("default", names, bounds, cutoff) for one in (ledger, known))
        found_rows, known_rows = (in_time(one, meter) for one in both)
        assert found_rows == known_rows
    for some in (names, ["bytes", "gb_out"], ["calls"]):
        values = highest(ledger.peaks("default", some, bounds, cutoff))
        assert values == highest(known.peaks("default", some, bounds, cutoff))
        lines = line_of(["a", "é"], bounds, cutoff)
        assert ledger.usage_by_meter(lines, some) == known.usage_by_meter(lines, some)
    assert len(ledger.peaks("other", names, bounds, cutoff).quantity) == 0
    alone = ledger.singles("default", ["bytes"], bounds, cutoff)
    assert set(alone.meter.to_pylist()) <= {"bytes"}
    assert len(ledger.keyed("other", "calls", ["region"], by_slot, bounds, cutoff).key) == 0
    assert len(ledger.stretched("other", "calls", hours, cutoff).segment) == 0
