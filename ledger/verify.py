"""Check everything the ledger says against itself, and name the first record that was changed, dropped or moved.

The chain was checked when the ledger was opened; here every block is read again, its marker made again from its
rows, and usage derived again and compared.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
import numpy as np
import pyarrow as pa

from ledger.block import Marker, mark
from ledger.engine import Handle
from ledger.errors import Damaged
from ledger.meters import Meter, measures
from ledger.usage import Step, gapless

BLOCK_EVENTS_AT_ONCE = 200_000


class Problem(msgspec.Struct, frozen=True):
    """Something that does not hold: where, and what was found there."""

    where: str
    what: str


def block_problems(
    handle: Handle, previous: Marker, markers: Iterable[Marker], look: Callable[[pa.Table], Iterator[Problem]]
) -> Iterator[Problem]:
    """What is wrong with the blocks of `markers`, which follow `previous`.

    `look` is given each range of them to check what it knows of events.
    """
    for some in _read_together(markers):
        first, last = some[0].block, some[-1].block
        rows = handle.table("block_rows", first=first, last=last).combine_chunks()
        numbers = rows["block"].to_numpy()
        starts = np.searchsorted(numbers, np.arange(first, last + 2))
        for marker in some:
            begin, end = starts[marker.block - first], starts[marker.block - first + 1]
            yield from _block_problem(rows.slice(begin, end - begin), previous, marker)
            previous = marker
        yield from look(rows)


def stray_problems(handle: Handle, cutoff: int, head: Callable[[], int]) -> Iterator[Problem]:
    """Rows outside of the chain: before the first block, or beyond the one that may be being written right now."""
    blocks = [block for (block,) in handle.rows("stray_blocks", cutoff=cutoff)]
    last = head() + 1
    for block in blocks:
        if block == 0 or block > last:
            yield Problem(f"block {block}", "holds rows, and no block has this number")


def _read_together(markers: Iterable[Marker]) -> Iterator[list[Marker]]:
    """Blocks whose rows are read together."""
    taken: list[Marker] = []
    rows = 0
    for marker in markers:
        if taken and rows + marker.rows > BLOCK_EVENTS_AT_ONCE:
            yield taken
            taken, rows = [], 0
        taken.append(marker)
        rows += marker.rows
    if taken:
        yield taken


def _block_problem(rows: pa.Table, previous: Marker, marker: Marker) -> Iterator[Problem]:
    where = f"block {marker.block}"
    if len(rows) != marker.rows:
        yield Problem(where, f"{len(rows)} rows, and its marker says {marker.rows}")
        return
    if not np.array_equal(rows["row"].to_numpy(), np.arange(marker.rows)):
        yield Problem(where, "its rows are not numbered 0, 1, 2...: one was dropped, doubled or moved")
        return
    catalog, received = rows["catalog"].to_numpy(), rows["received"].cast(pa.int64()).to_numpy()
    found = mark(previous, rows, marker.catalog, marker.received)
    if found.digest != marker.digest:
        yield Problem(where, "its rows are not the ones its digest was made of: one was changed or moved")
    elif found != marker or (catalog != marker.catalog).any() or (received != marker.received).any():
        yield Problem(where, "its marker does not say what its rows say")


def usage_problems(
    handle: Handle, cutoff: int, cut_short: Sequence[int], meters_at: Callable[[int], dict[str, list[Meter]]]
) -> Iterator[Problem]:
    """Where usage up to `cutoff` is not what `events` says it must be, derived again step by step."""
    steps = [Step(*row) for row in handle.rows("steps")]
    try:
        last = gapless(steps)
    except Damaged as damage:
        yield Problem(damage.where, damage.what)
        return
    if last < cutoff:
        yield Problem(f"usage of block {last + 1}", "its step has no record")
    known = {*cut_short, *(step.number for step in steps)}
    for (number,) in handle.rows("steps_of_usage", cutoff=cutoff):
        if number not in known:
            yield Problem(f"usage step {number}", "holds rows, and was never taken")
    for step in steps:
        wanted = measures(meters_at(step.catalog))
        again = (
            handle.rows("derived_image", first=step.first_block, last=step.last_block, measures=wanted)
            if wanted
            else []
        )
        stored = handle.rows("usage_image", step=step.number)
        if stored == again:
            continue
        where = f"usage of blocks {step.first_block} to {step.last_block} (step {step.number})"
        meters = sorted({row[0] for row in set(stored) ^ set(again)})
        yield Problem(where, f"not what the events give when derived again, in {', '.join(meters)}")
