"""Append blocks: one insert, one part, then the marker; one block at a time.

After a kill the highest block without a marker is whole, because it is one part, and is adopted: its marker is made
from its rows. A block is never deleted and its number never used again.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from ledger.block import SCHEMA, Marker, counted, mark, sealed
from ledger.engine import Handle
from ledger.errors import Damaged, LedgerError, Unavailable, UnknownOutcome

MARKER_ATTEMPTS = 30
MARKER_PAUSE_S = 1.0


class BlockWriter:
    """The one writer of `events` and `blocks`; holds the head."""

    def __init__(self, handle: Handle, head: Marker) -> None:
        self._handle = handle
        self._stop = threading.Event()
        self._sealing = ThreadPoolExecutor(1, "sealing")
        self.head = head

    def append(self, rows: pa.Table, catalog: int, received: int) -> Marker:
        """Store `rows` as the next block and return its marker.

        Raises Unavailable when nothing was stored, and UnknownOutcome when the process has to stop and look.
        """
        unsealed = counted(self.head, rows, catalog, received)
        # The digest is made while the engine writes: neither needs the other.
        sealing = self._sealing.submit(sealed, self.head, unsealed, rows)
        self._insert_block(rows, unsealed)
        marker = sealing.result()
        self._insert_marker(marker)
        self.head = marker
        return marker

    def _insert_block(self, rows: pa.Table, marker: Marker) -> None:
        columns = _with_place(rows, marker)
        try:
            self._handle.insert("events", columns)
        except UnknownOutcome:
            if not self._is_whole(marker):
                raise Unavailable(f"block {marker.block} was not stored; send its events again") from None
        else:
            if not self._is_whole(marker):
                raise Damaged(f"block {marker.block}", "acknowledged by the engine, and not there")

    def _is_whole(self, marker: Marker) -> bool:
        """Whether the block is there, in one part with all its rows; anything between that and absent is damage."""
        try:
            rows, parts = self._handle.row("block_parts", block=marker.block)
        except LedgerError as error:
            raise UnknownOutcome(f"whether block {marker.block} is stored can't be told: restart ({error})") from error
        if rows == 0:
            return False
        if rows != marker.rows or parts != 1:
            raise Damaged(f"block {marker.block}", f"{rows} rows in {parts} parts, and not {marker.rows} in one")
        return True

    def _insert_marker(self, marker: Marker) -> None:
        """The block is there, so its marker has to follow: a full disk is waited for."""
        for _ in range(MARKER_ATTEMPTS):
            try:
                self._handle.insert("blocks", marker_row(marker))
            except (UnknownOutcome, Unavailable):
                if self._is_marked(marker) or self._stop.wait(MARKER_PAUSE_S):
                    break
            else:
                return
        if not self._is_marked(marker):
            raise UnknownOutcome(f"block {marker.block} is stored without its marker; a restart adopts it")

    def _is_marked(self, marker: Marker) -> bool:
        try:
            (marked,) = self._handle.row("is_marked", block=marker.block)
        except LedgerError as error:
            raise UnknownOutcome(f"whether block {marker.block} is marked can't be told: restart ({error})") from error
        return bool(marked)

    def stop(self) -> None:
        """Stop waiting for a disk that stays full."""
        self._stop.set()


def unmarked(handle: Handle, head: Marker) -> Marker | None:
    """The marker that the block a kill left without one has to get, if there is such a block after `head`."""
    found = handle.rows("blocks_after", block=head.block)
    if not found:
        return None
    block, _, parts = found[0]
    if len(found) > 1 or block != head.block + 1 or parts != 1:
        numbers = ", ".join(str(number) for number, _, _ in found[:5])
        what = f"blocks {numbers} have no markers: expected none or one, in one part"
        raise Damaged(f"block {head.block + 1}", what)
    table = handle.table("block_rows", first=block, last=block)
    return mark(head, table, table["catalog"][0].as_py(), table["received"][0].value)


def adopt(handle: Handle, marker: Marker) -> None:
    """Give a block that a kill left without a marker the one it has to get."""
    handle.insert("blocks", marker_row(marker))


def _with_place(rows: pa.Table, marker: Marker) -> pa.Table:
    """`rows` with the columns that say which block they are."""
    count = len(rows)
    return pa.table(
        {
            "block": pa.array(np.full(count, marker.block, dtype=np.uint64)),
            "row": pa.array(np.arange(count, dtype=np.uint32)),
            "catalog": pa.array(np.full(count, marker.catalog, dtype=np.uint32)),
            "received": pa.array(np.full(count, marker.received, dtype="datetime64[ms]"), pa.timestamp("ms", "UTC")),
            **{name: rows[name] for name in SCHEMA.names},
        }
    )


def marker_row(marker: Marker) -> pa.Table:
    """`marker` as the row of `blocks` it is stored as."""
    return pa.table(
        {
            "block": pa.array([marker.block], pa.uint64()),
            "catalog": pa.array([marker.catalog], pa.uint32()),
            "received": pa.array([marker.received], pa.timestamp("ms", "UTC")),
            "rows": pa.array([marker.rows], pa.uint32()),
            "accepted": pa.array([marker.accepted], pa.uint64()),
            "conflicts": pa.array([marker.conflicts], pa.uint64()),
            "quarantined": pa.array([marker.quarantined], pa.uint64()),
            "duplicates": pa.array([marker.duplicates], pa.uint64()),
            "rejected": pa.array([marker.rejected], pa.uint64()),
            "digest": pa.array([marker.digest], pa.binary(32)),
            "chain": pa.array([marker.chain], pa.binary(32)),
        }
    )
