"""Say what a block is: rows of `events` in a fixed schema, their digest, and the marker chained to the one before.

Everything in a marker can be computed again from the block's rows and the marker before it, so a kill between the
rows and the marker costs nothing, and a row that was changed, dropped or moved shows.
"""

import hashlib
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from ledger.digest import columns_digest

ACCEPTED: Final = 1
CONFLICT: Final = 2
QUARANTINED: Final = 3
DUPLICATES: Final = 4
REJECTED: Final = 5
OUTCOMES: Final = {
    ACCEPTED: "accepted",
    CONFLICT: "conflict",
    QUARANTINED: "quarantined",
    DUPLICATES: "duplicates",
    REJECTED: "rejected",
}

SCHEMA = pa.schema(
    [
        pa.field("outcome", pa.int8(), nullable=False),
        pa.field("tenant", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("subject", pa.string(), nullable=False),
        pa.field("time", pa.int64(), nullable=False),
        pa.field("data", pa.string(), nullable=False),
        pa.field("identity", pa.binary(16), nullable=False),
        pa.field("content", pa.uint64(), nullable=False),
        pa.field("quantities", pa.list_(pa.field("item", pa.decimal128(38, 9), nullable=False)), nullable=False),
        pa.field("dimensions", pa.list_(pa.field("item", pa.string(), nullable=False)), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("count", pa.uint32(), nullable=False),
    ]
)
"""What a block's rows say; the ledger adds block, row, catalog and received. Columns may be dictionary-encoded."""

GENESIS_LABEL = b"meterline ledger "


class Marker(msgspec.Struct, frozen=True):
    """A block's place in the ledger: readers see marked blocks only."""

    block: int
    catalog: int
    received: int
    rows: int
    accepted: int
    conflicts: int
    quarantined: int
    duplicates: int
    rejected: int
    digest: bytes
    chain: bytes

    @property
    def events(self) -> int:
        """How many events were received with this block."""
        return self.accepted + self.conflicts + self.quarantined + self.duplicates + self.rejected


def genesis(ledger_id: str) -> Marker:
    """The marker before the first: a chain belongs to one ledger."""
    start = hashlib.blake2b(GENESIS_LABEL + ledger_id.encode(), digest_size=32).digest()
    return Marker(0, 0, 0, 0, 0, 0, 0, 0, 0, bytes(32), start)


def mark(previous: Marker, rows: pa.Table, catalog: int, received: int) -> Marker:
    """The marker of the block that follows `previous` and holds `rows`."""
    return sealed(previous, counted(previous, rows, catalog, received), rows)


def counted(previous: Marker, rows: pa.Table, catalog: int, received: int) -> Marker:
    """What a block's marker counts, and no digest yet."""
    outcome = rows["outcome"].combine_chunks().to_numpy(zero_copy_only=False)
    count = rows["count"].combine_chunks().to_numpy(zero_copy_only=False)
    counts = np.bincount(outcome, minlength=REJECTED + 1)
    return Marker(
        block=previous.block + 1,
        catalog=catalog,
        received=received,
        rows=len(rows),
        accepted=int(counts[ACCEPTED]),
        conflicts=int(counts[CONFLICT]),
        quarantined=int(counts[QUARANTINED]),
        duplicates=int(count[outcome == DUPLICATES].sum(dtype=np.int64)),
        rejected=int(count[outcome == REJECTED].sum(dtype=np.int64)),
        digest=b"",
        chain=b"",
    )


def sealed(previous: Marker, unsealed: Marker, rows: pa.Table) -> Marker:
    """A marker with the digest of its rows, chained to the one before."""
    digested = msgspec.structs.replace(unsealed, digest=columns_digest(rows, SCHEMA))
    return msgspec.structs.replace(digested, chain=chain_after(previous, digested))


def chain_after(previous: Marker, marker: Marker) -> bytes:
    """The hash that ties `marker` to everything before it."""
    fields = msgspec.structs.astuple(marker)[:-1]
    return hashlib.blake2b(previous.chain + msgspec.json.encode(fields), digest_size=32).digest()
