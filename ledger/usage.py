"""Derive `usage` from `events` in steps, and read it at a cutoff.

A step is a range of blocks under one catalog version, and its done-record is written last. A step cut short is derived
again under a new number, and readers leave out what it left: every number up to the last that has no done-record. The
answer to an emitter never waits for this: a read beyond the last step derives first.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ledger.block import Marker
from ledger.engine import Handle
from ledger.errors import Damaged
from ledger.meters import Meter, measures
from ledger.scale import Digests, decimal_integers, digests

STEP_EVENTS_MAX = 2_000_000
MetersAt = Callable[[int], dict[str, list[Meter]]]
Slots = Sequence[tuple[int, str]]
"""In the order of time: an instant, UTC milliseconds, and the slot that begins with it."""


class Step(NamedTuple):
    """A range of blocks whose usage is derived."""

    number: int
    first_block: int
    last_block: int
    catalog: int
    rows: int


class Totals(NamedTuple):
    """One row per meter, subject and stretch of time between two boundaries; no order promised."""

    meter: pa.Array
    subject: pa.Array
    segment: NDArray[np.int64]
    """The boundary at or before the usage's time, milliseconds."""
    quantity: NDArray[np.int64] | NDArray[np.object_]
    events: NDArray[np.int64]
    digest: Digests
    """Sums of row digests modulo 2^128."""


class Keyed(NamedTuple):
    """One row per subject of one meter, stretch of time and values of some of its dimensions; no order promised."""

    meter: pa.Array
    subject: pa.Array
    segment: NDArray[np.int64]
    quantity: NDArray[np.int64] | NDArray[np.object_]
    key: NDArray[np.int64]
    """Which of `keys`."""
    keys: list[tuple[str, ...]]


class Stretched(NamedTuple):
    """One row per subject of one meter and stretch of time; no order promised."""

    meter: pa.Array
    subject: pa.Array
    segment: NDArray[np.int64]
    quantity: NDArray[np.int64] | NDArray[np.object_]


class Singles(NamedTuple):
    """One row per usage, in the order of time."""

    meter: pa.Array
    subject: pa.Array
    segment: NDArray[np.int64]
    quantity: NDArray[np.int64] | NDArray[np.object_]


class Peaks(NamedTuple):
    """One row per meter, subject and stretch of time, with the highest single usage in it; no order promised."""

    meter: pa.Array
    subject: pa.Array
    segment: NDArray[np.int64]
    quantity: NDArray[np.int64] | NDArray[np.object_]


class UsageFollower:
    """Derives usage behind the writer, and knows how far it got."""

    def __init__(self, handle: Handle, meters_at: MetersAt) -> None:
        """It is told of every marked block, in order, before it is asked for anything."""
        self._handle = handle
        self._meters_at = meters_at
        self._lock = threading.Lock()
        self._waiting: list[Marker] = []
        self._last_step = 0
        self.done_block = 0
        self.cut_short: list[int] = []
        """Steps whose rows are not to be read."""
        self._look()

    def _look(self) -> None:
        """See which steps are done: at the start, and after one whose outcome is not known."""
        done = [Step(*row) for row in self._handle.rows("steps")]
        numbers = {step.number for step in done}
        (last_seen,) = self._handle.row("last_step")
        self._last_step = max({self._last_step, last_seen, *numbers})
        self.cut_short = [number for number in range(1, self._last_step + 1) if number not in numbers]
        self.done_block = gapless(done)
        del self._waiting[: sum(marker.block <= self.done_block for marker in self._waiting)]
        self._is_sure = True

    def block_marked(self, marker: Marker) -> None:
        """Take note of a block whose usage is not there: as the ledger is opened and as one is written, in order."""
        if marker.block > self.done_block:
            self._waiting.append(marker)

    @property
    def waiting_events(self) -> int:
        """How many accepted events are not in usage yet."""
        return sum(marker.accepted for marker in tuple(self._waiting))

    def derive(self, cutoff: int) -> None:
        """Bring usage up to block `cutoff`."""
        with self._lock:
            if not self._is_sure:
                self._look()
            while self.done_block < cutoff:
                self._step(cutoff)

    def _step(self, cutoff: int) -> None:
        blocks = self._next_blocks(cutoff)
        self._is_sure = False  # until its record is known to be there: it may be, when the answer is lost
        first, last, catalog = blocks[0].block, blocks[-1].block, blocks[0].catalog
        self._last_step += 1
        self.cut_short = [*self.cut_short, self._last_step]
        wanted = measures(self._meters_at(catalog))
        rows = 0
        if wanted and any(marker.accepted for marker in blocks):
            self._handle.run("derive_usage", first=first, last=last, step=self._last_step, measures=wanted)
            (rows,) = self._handle.row("step_rows", first=first, last=last, step=self._last_step)
        self._handle.insert("usage_steps", step_row(Step(self._last_step, first, last, catalog, rows)))
        self.cut_short = self.cut_short[:-1]
        self.done_block = last
        del self._waiting[: len(blocks)]
        self._is_sure = True

    def _next_blocks(self, cutoff: int) -> list[Marker]:
        """The next blocks up to `cutoff` that share a catalog version, as many as one step takes."""
        taken: list[Marker] = []
        events = 0
        for marker in self._waiting:
            if marker.block > cutoff or (taken and marker.catalog != taken[0].catalog):
                break
            events += marker.accepted
            if taken and events > STEP_EVENTS_MAX:
                break
            taken.append(marker)
        if not taken:
            raise Damaged(f"block {cutoff}", f"never marked, and usage is derived to block {self.done_block}")
        return taken


def gapless(done: Sequence[Step]) -> int:
    """The last block of `done`, which have to follow each other."""
    last = 0
    for step in done:
        if step.first_block != last + 1:
            raise Damaged(f"usage step {step.number}", f"begins at block {step.first_block}, and not at {last + 1}")
        last = step.last_block
    return last


def step_row(step: Step) -> pa.Table:
    """`step` as the row of `usage_steps` it is stored as."""
    return pa.table(
        {
            "step": pa.array([step.number], pa.uint32()),
            "first_block": pa.array([step.first_block], pa.uint64()),
            "last_block": pa.array([step.last_block], pa.uint64()),
            "catalog": pa.array([step.catalog], pa.uint32()),
            "rows": pa.array([step.rows], pa.uint64()),
        }
    )


class UsageReader:
    """Reads usage as it was at a cutoff it is derived to."""

    def __init__(self, handle: Handle, summing: Sequence[Handle], follower: UsageFollower) -> None:
        """`summing` are two handles that work in one thread each."""
        self._handle = handle
        self._summing = summing
        self._follower = follower

    def table(self, name: str, cutoff: int, **parameters: Any) -> pa.Table:
        """The answer of statement `name`, which reads usage, at `cutoff`."""
        self._follower.derive(cutoff)
        return self._handle.table(name, cutoff=cutoff, cut_short=self._follower.cut_short, **parameters)

    def both_halves(self, name: str, cutoff: int, tenant: str, start: int, end: int, **parameters: Any) -> pa.Table:
        """The answer of statement `name`, which sums all usage in [start, end), at `cutoff`, as it lies."""
        self._follower.derive(cutoff)
        cut_short = self._follower.cut_short
        ((meter, subject),) = self._handle.row("middle_of_usage", tenant=tenant, instant=(start + end) // 2)

        def half(handle: Handle, is_first: bool) -> pa.Table:
            return handle.table(
                name,
                tenant=tenant,
                start=start,
                end=end,
                cutoff=cutoff,
                cut_short=cut_short,
                meter=meter,
                subject=subject,
                is_first=is_first,
                **parameters,
            )

        # The engine merges what its own threads summed by hashing it: two statements have nothing to merge.
        with ThreadPoolExecutor(len(self._summing)) as summing:
            return pa.concat_tables(list(summing.map(half, self._summing, (True, False))))


def totals(reader: UsageReader, tenant: str, boundaries: Sequence[int], cutoff: int) -> Totals:
    """The sums of usage in [boundaries[0], boundaries[-1]), in one pass over all customers."""
    start, end = boundaries[0], boundaries[-1]
    if len(boundaries) == 2:
        answer = reader.both_halves("totals_of_one_stretch", cutoff, tenant, start, end).combine_chunks()
        segment = np.full(len(answer), start, dtype=np.int64)
    else:
        cuts = list(boundaries)
        answer = reader.both_halves("totals", cutoff, tenant, start, end, boundaries=cuts).combine_chunks()
        segment = _column(answer, "segment").to_numpy()
    return Totals(
        _column(answer, "meter"),
        _column(answer, "subject"),
        segment,
        decimal_column(answer, "quantity"),
        _column(answer, "events").to_numpy().astype(np.int64),
        digest_column(answer, "digest"),
    )


def keyed(
    reader: UsageReader,
    tenant: str,
    meter: str,
    names: Sequence[str],
    slots: Slots,
    boundaries: Sequence[int],
    cutoff: int,
) -> Keyed:
    """The sums of a meter's usage in [boundaries[0], boundaries[-1]) by the values of its dimensions `names`.

    Where there are slots, each key ends with one.
    """
    name, by = f"usage_by_key{'_and_slot' if slots else ''}", key_parameters(names, slots)
    answer = reader.table(name, cutoff, **_span(tenant, boundaries), meter=meter, **by).combine_chunks()
    values = _column(answer, "key").flatten().dictionary_encode()
    codes = values.indices.to_numpy().astype(np.int64).reshape(len(answer), len(names) + bool(slots))
    different, key = np.unique(codes, axis=0, return_inverse=True)
    texts = values.dictionary.to_pylist()
    return Keyed(
        pa.repeat(pa.scalar(meter, pa.string()), len(answer)),
        *_in_stretches(answer),
        key.reshape(-1),
        [tuple(texts[code] for code in row) for row in different.tolist()],
    )


def key_parameters(names: Sequence[str], slots: Slots) -> dict[str, Any]:
    """What usage is cut by, as its statements take it."""
    if not slots:
        return {"names": list(names)}
    instants, named = map(list, zip(*slots, strict=True))
    return {"names": list(names), "instants": instants, "slots": named}


def stretched(reader: UsageReader, tenant: str, meter: str, boundaries: Sequence[int], cutoff: int) -> Stretched:
    """The sums of a meter's usage in [boundaries[0], boundaries[-1])."""
    answer = reader.table("usage_by_stretch", cutoff, **_span(tenant, boundaries), meter=meter).combine_chunks()
    return Stretched(pa.repeat(pa.scalar(meter, pa.string()), len(answer)), *_in_stretches(answer))


def singles(reader: UsageReader, tenant: str, meters: Sequence[str], boundaries: Sequence[int], cutoff: int) -> Singles:
    """Every usage of some meters in [boundaries[0], boundaries[-1])."""
    answer = reader.table("single_usage", cutoff, **_span(tenant, boundaries), meters=list(meters)).combine_chunks()
    return Singles(_column(answer, "meter"), *_in_stretches(answer))


def peaks(reader: UsageReader, tenant: str, meters: Sequence[str], boundaries: Sequence[int], cutoff: int) -> Peaks:
    """The highest single usage of some meters in [boundaries[0], boundaries[-1])."""
    answer = reader.table("peaks", cutoff, **_span(tenant, boundaries), meters=list(meters)).combine_chunks()
    return Peaks(_column(answer, "meter"), *_in_stretches(answer))


def _span(tenant: str, boundaries: Sequence[int]) -> dict[str, Any]:
    """Whose usage, from when until when, and where it is cut, as statements take it."""
    return {"tenant": tenant, "start": boundaries[0], "end": boundaries[-1], "boundaries": list(boundaries)}


def _in_stretches(answer: pa.Table) -> tuple[pa.Array, NDArray[np.int64], NDArray[Any]]:
    """Subjects, the stretches of time, and quantities, row by row."""
    return _column(answer, "subject"), _column(answer, "segment").to_numpy(), decimal_column(answer, "quantity")


def counts(reader: UsageReader, tenant: str, start: int, end: int, cutoff: int) -> dict[str, tuple[int, int]]:
    """Per meter, how many rows and what quantity usage holds in [start, end): independent of `totals`."""
    return per_meter(reader.table("usage_counts", cutoff, tenant=tenant, start=start, end=end))


def per_meter(answer: pa.Table) -> dict[str, tuple[int, int]]:
    """Columns meter, events and quantity as a mapping."""
    meters, events = answer["meter"].to_pylist(), answer["events"].to_pylist()
    quantities = decimal_column(answer, "quantity").tolist()
    return dict(zip(meters, zip(events, quantities, strict=True), strict=True))


def _column(table: pa.Table, name: str) -> pa.Array:
    column = table[name].combine_chunks()
    return pa.array([], column.type) if isinstance(column, pa.ChunkedArray) else column


def decimal_column(table: pa.Table, name: str) -> NDArray[np.int64] | NDArray[np.object_]:
    """A decimal128 column as exact integers of its scale."""
    column = _column(table, name)
    if not len(column):
        return np.array([], dtype=np.int64)
    return decimal_integers(column.buffers()[1].slice(column.offset * 16, len(column) * 16))


def digest_column(table: pa.Table, name: str) -> Digests:
    """A column of 128-bit digests."""
    column = _column(table, name)
    return digests(column.buffers()[1].slice(column.offset * 16, len(column) * 16) if len(column) else b"")
