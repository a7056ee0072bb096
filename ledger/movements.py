"""Write and read movements of credit: double-entry, append-only, immutable under the run that made them.

Every entry takes its amount out of one account and puts it into another, and one of the two is a grant's balance; so
a balance is a sum of entries and nothing else. A run's entries count once its relational row says so, like its charges:
whatever a kill or a discarded run leaves is never read.
"""

from collections.abc import Sequence

import pyarrow as pa

from ledger.digest import columns_digest
from ledger.engine import Handle
from ledger.errors import Damaged

BALANCE = "balance"
"""The account that a grant is; the others are shared."""
ISSUED, USED, EXPIRED, VOIDED, FORFEITED = "issued", "used", "expired", "voided", "forfeited"
"""Where a balance comes from, and where it goes."""

NO_LINE = -1

SCHEMA = pa.schema(
    [
        pa.field("run", pa.uint64(), nullable=False),
        pa.field("entry", pa.uint32(), nullable=False),
        pa.field("tenant", pa.string(), nullable=False),
        pa.field("customer", pa.string(), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("grant_id", pa.string(), nullable=False),
        pa.field("at", pa.int64(), nullable=False),
        pa.field("debit", pa.string(), nullable=False),
        pa.field("credit", pa.string(), nullable=False),
        pa.field("amount", pa.int64(), nullable=False),
        pa.field("charge", pa.int64(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
    ]
)
"""`amount` is in minor units; `charge` is the line that was paid for and `line` the one on the invoice that says so."""

SUMS = pa.schema(
    [
        pa.field("grant_id", pa.string(), nullable=False),
        pa.field("debit", pa.string(), nullable=False),
        pa.field("credit", pa.string(), nullable=False),
        pa.field("amount", pa.decimal128(38, 0), nullable=False),
    ]
)

DIGESTED = pa.schema([field for field in SCHEMA if field.name != "run"])


def digest(entries: pa.Table) -> bytes:
    """What the movements of a run say, whichever run said it."""
    return columns_digest(entries, DIGESTED)


def write(handle: Handle, entries: pa.Table) -> None:
    """Write the movements of one run, and check that all of them are there."""
    if not len(entries):
        return
    handle.insert_in_parts("credit_movements", entries.cast(SCHEMA))
    run = entries["run"][0].as_py()
    (found,) = handle.row("credit_movements_count", run=run)
    if found != len(entries):
        message = f"{found} movements of credit are there of {len(entries)}; the run is not kept: close again"
        raise Damaged(f"run {run}", message)


def read(handle: Handle, run: int) -> pa.Table:
    """The movements of one run, in order."""
    return handle.table("credit_movements", run=run).cast(SCHEMA)


def sums(handle: Handle, runs: Sequence[int], until: int) -> pa.Table:
    """What `runs` moved up to an instant, inclusive."""
    return handle.table("credit_sums", runs=list(runs), until=until).cast(SUMS)
