"""Close a period: fix the cutoff, rate everything up to it, check that nothing is lost, and make the run stand.

Order is what a kill is survived by: the charges and the movements of credit are written under a number that nobody
reads yet, and the one relational transaction that makes the run stand carries the documents with it. Cut off anywhere
before it, the period is simply not closed; closing again takes a new number.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from rating import credit_life, runs
from rating.calculation import UsageReader, calculate
from rating.catalog_store import newest_version
from rating.commitment_windows import Earlier
from rating.conservation import Balance, residual
from rating.invoicing.taxes import TaxService
from rating.periods import parse_period
from rating.runs import Manifest, Run

OnRated = Callable[[sa.Connection, int, pa.Table], None]
"""What else becomes true in the transaction that makes a run stand: its documents."""


class Head(Protocol):
    """The newest marker."""

    @property
    def block(self) -> int:
        """The newest cutoff."""


class Record(UsageReader, credit_life.Reader, Protocol):
    """What a close reads and writes."""

    @property
    def head(self) -> Head:
        """The newest marker."""

    def write_charges(self, lines: pa.Table) -> None:
        """Store a run's lines, and check that they can be read back."""

    def read_charges(self, run: int) -> pa.Table:
        """A run's lines, in order."""

    def write_movements(self, entries: pa.Table) -> None:
        """Store a run's movements of credit, and check that they can be read back."""

    def read_movements(self, run: int) -> pa.Table:
        """A run's movements of credit, in order."""


class Closed(NamedTuple):
    """A period that is closed, or with a dry run would be."""

    manifest: Manifest
    run: int | None
    """None for a dry run."""
    state: str
    new: bool
    """Whether this call closed it."""
    later_blocks: int
    """Blocks after the cutoff: what they hold of the period is not in it."""
    charges: pa.Table | None
    """Of a new or a dry run."""


class Unbalanced(NamedTuple):
    """The equation does not hold for some meters: nothing was kept."""

    manifest: Manifest
    residual: list[Balance]


def close(
    ledger: Record,
    relational: sa.Engine,
    tenant: str,
    period: str,
    now_ms: int,
    *,
    dry_run: bool = False,
    on_rated: OnRated | None = None,
    tax_service: TaxService | None = None,
    processes: int = 1,
) -> Closed | Unbalanced:
    """Close `period`; one that is closed stays as it is. Taxes are of the catalog's table unless a service is named."""
    month = parse_period(period)
    with relational.connect() as connection:
        standing = runs.live_run(connection, tenant, period)
        if standing is not None:
            return _already(ledger, standing)
        version, cutoff = newest_version(connection), ledger.head.block
        credit = credit_life.opening(ledger, connection, tenant)
        earlier = Earlier(ledger, runs.standing_before(connection, tenant, period))
        manifest, charges, moved = calculate(
            ledger, connection, tenant, version, month, cutoff, now_ms, credit, tax_service, processes, earlier
        )
    if left := residual(manifest.conservation):
        return Unbalanced(manifest, left)
    if dry_run:
        return Closed(manifest, None, "dry_run", new=False, later_blocks=0, charges=charges)
    with relational.begin() as connection:
        run = runs.begin(connection, manifest, now_ms)
    charges, moved = _of_run(charges, run), _of_run(moved, run)
    with ThreadPoolExecutor(1) as writer, relational.begin() as connection:
        # The engine writes the charges while the documents are drafted; the commit waits for both.
        written = writer.submit(ledger.write_charges, charges)
        entered = writer.submit(ledger.write_movements, moved)
        runs.finish(connection, run, now_ms)
        if on_rated is not None:
            on_rated(connection, run, charges)
        written.result()
        entered.result()
    return Closed(manifest, run, runs.RATED, new=True, later_blocks=0, charges=charges)


def _of_run(rows: pa.Table, run: int) -> pa.Table:
    return rows.set_column(0, rows.schema.field("run"), pa.array(np.full(len(rows), run, dtype=np.uint64)))


def _already(ledger: Record, run: Run) -> Closed:
    later = ledger.head.block - run.manifest.cutoff
    return Closed(run.manifest, run.id, run.state, new=False, later_blocks=later, charges=None)
