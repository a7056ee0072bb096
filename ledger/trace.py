"""Walk from charges down to the events they were made of, and prove that these are all of them and no others.

A charge stores a set descriptor: meter, subjects, window, cutoff, and the count, quantity and digest of its events.
Expanding it reads the events again, and gives exactly those three, or something was changed.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from ledger.engine import Handle
from ledger.scale import add_digests
from ledger.usage import Slots, UsageReader, decimal_column, digest_column, key_parameters

SUBJECTS_AT_ONCE = 5_000
EVENTS_AT_ONCE = 20_000


class EventSet(NamedTuple):
    """What a set of events adds up to: a row per event and meter, scaled units, digests modulo 2^128."""

    events: int
    quantity: int
    digest: int


class OfMeter(NamedTuple):
    """What usage of a meter adds up to, and the highest single one."""

    total: int
    highest: int


class Window(NamedTuple):
    """Where the events of some charges are looked for."""

    tenant: str
    meter: str
    start: int
    end: int
    cutoff: int


def described(charges: pa.Table) -> EventSet:
    """What the descriptors of `charges` say their events add up to."""
    return EventSet(
        sum(charges["events"].to_pylist()),
        sum(decimal_column(charges, "quantity").tolist()),
        add_digests(digest_column(charges, "digest")),
    )


def expanded(usage: UsageReader, charges: pa.Table) -> EventSet:
    """What the events add up to that the ledger holds for `charges`."""
    events = quantity = digest = 0
    for window, subjects in _windows(charges):
        found = usage.table("totals_of_subjects", **window._asdict(), subjects=list(subjects))
        events += found["events"][0].as_py()
        quantity += int(decimal_column(found, "quantity")[0])
        digest += add_digests(digest_column(found, "digest"))
    return EventSet(events, quantity, digest % 2**128)


def events_of(usage: UsageReader, handle: Handle, charges: pa.Table) -> Iterator[dict[str, Any]]:
    """Every event behind `charges`, as it was sent, with what it counted for."""
    for window, subjects in _windows(charges):
        rows = usage.table("events_of_subjects", **window._asdict(), subjects=list(subjects))
        for first in range(0, len(rows), EVENTS_AT_ONCE):
            yield from _with_raw(handle, rows.slice(first, EVENTS_AT_ONCE))


def single_usage(usage: UsageReader, charges: pa.Table) -> list[int]:
    """The scaled quantity of every usage behind `charges`, in the order in which single events are priced."""
    found = [
        usage.table("single_usage_of_subjects", **window._asdict(), subjects=list(subjects))
        for window, subjects in _windows(charges)
    ]
    if not found:
        return []
    # Subjects may be too many for one statement, so the engine's order would hold for parts of the usage alone.
    ordered = pa.concat_tables(found).sort_by([(name, "ascending") for name in ("at", "block", "row")])
    return list(decimal_column(ordered, "quantity").tolist())


def usage_by_key(
    usage: UsageReader, charges: pa.Table, names: Sequence[str], slots: Slots
) -> list[tuple[tuple[str, ...], int]]:
    """The scaled usage behind `charges` by the values of its dimensions `names`, then by slots if any, in order."""
    sums: dict[tuple[str, ...], int] = {}
    name, by = f"usage_of_subjects_by_key{'_and_slot' if slots else ''}", key_parameters(names, slots)
    for window, subjects in _windows(charges):
        found = usage.table(name, **window._asdict(), subjects=list(subjects), **by)
        quantities = decimal_column(found, "quantity").tolist()
        for values, quantity in zip(found["key"].to_pylist(), quantities, strict=True):
            sums[tuple(values)] = sums.get(tuple(values), 0) + quantity
    return sorted(sums.items())


def usage_by_stretch(usage: UsageReader, charges: pa.Table, boundaries: Sequence[int]) -> list[tuple[int, int]]:
    """The scaled usage behind `charges` by the boundary at or before it, in the order of time."""
    sums: dict[int, int] = {}
    for window, subjects in _windows(charges):
        parameters = window._asdict() | {"subjects": list(subjects), "boundaries": list(boundaries)}
        found = usage.table("usage_of_subjects_by_stretch", **parameters)
        quantities = decimal_column(found, "quantity").tolist()
        for instant, quantity in zip(found["segment"].to_pylist(), quantities, strict=True):
            sums[instant] = sums.get(instant, 0) + quantity
    return sorted(sums.items())


def usage_by_meter(usage: UsageReader, charges: pa.Table, meters: Sequence[str]) -> dict[str, OfMeter]:
    """The scaled usage of some meters, other ones too, that lies where `charges` look for their events."""
    found: dict[str, OfMeter] = {}
    for window, subjects in _windows(charges):
        where = {name: value for name, value in window._asdict().items() if name != "meter"}
        rows = usage.table("meters_of_subjects", **where, subjects=list(subjects), meters=list(meters))
        columns = (decimal_column(rows, name).tolist() for name in ("total", "highest"))
        for meter, total, highest in zip(rows["meter"].to_pylist(), *columns, strict=True):
            before = found.get(meter, OfMeter(0, highest))
            found[meter] = OfMeter(before.total + total, max(before.highest, highest))
    return found


def _with_raw(handle: Handle, rows: pa.Table) -> Iterator[dict[str, Any]]:
    counted = rows.to_pylist()
    found = handle.table(
        "raw_events",
        blocks=sorted({row["block"] for row in counted}),
        event_blocks=[row["block"] for row in counted],
        event_rows=[row["row"] for row in counted],
    )
    raw = {(row["block"], row["row"]): row for row in found.to_pylist()}
    for row in counted:
        yield raw[row["block"], row["row"]] | {"meter": row["meter"], "quantity": row["quantity"]}


def _windows(charges: pa.Table) -> Iterator[tuple[Window, Sequence[str]]]:
    """The charges' windows, each with the subjects to look for in it, not too many at a time."""
    subjects_of: dict[Window, list[str]] = {}
    wanted = charges.select(["tenant", "meter", "window_start", "window_end", "cutoff", "subjects"]).to_pylist()
    for row in wanted:
        window = Window(row["tenant"], row["meter"], row["window_start"], row["window_end"], row["cutoff"])
        subjects_of.setdefault(window, []).extend(row["subjects"])
    for window, subjects in subjects_of.items():
        for first in range(0, len(subjects), SUBJECTS_AT_ONCE):
            yield window, subjects[first : first + SUBJECTS_AT_ONCE]
