"""Write down the documents that a run's charges make, inside the transaction that makes the run count."""

from itertools import chain, repeat
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from posting.accounts import STANDARD, Accounts
from posting.content import Journal, digest
from posting.documents import DRAFT, documents
from posting.invoices import Drafts, Invoices
from posting.journal import journals

SHARED = ("tenant", "period", "run", "state", "attempts", "updated_at")
COLUMNS = tuple(column.name for column in documents.c if column.name in {*SHARED, "kind", *Drafts._fields})


def write_drafts(
    connection: sa.Connection,
    tenant: str,
    period: str,
    run: int,
    charges: pa.Table,
    now_ms: int,
    accounts: Accounts = STANDARD,
) -> None:
    """Draft the invoices and journals of a run."""
    shared = dict(zip(SHARED, (tenant, period, run, DRAFT, 0, now_ms), strict=True))
    invoices = Invoices(charges, tenant, period).drafts()
    summaries = _journal_drafts(journals(charges, tenant, period, accounts))
    rows = list(chain(_rows(invoices, shared | {"kind": "invoice"}), _rows(summaries, shared | {"kind": "journal"})))
    if rows:
        _insert(connection, rows)


def _journal_drafts(summaries: list[Journal]) -> Drafts:
    """What is kept of journals; their events are counted once, by the receivables."""
    nothing: list[Any] = [None] * len(summaries)
    return Drafts(
        id=[journal.id for journal in summaries],
        key=[journal.key for journal in summaries],
        entity=[journal.entity for journal in summaries],
        customer=nothing,
        currency=nothing,
        total=nothing,
        lines=[len(journal.lines) for journal in summaries],
        events=[sum(line.events for line in journal.lines if line.product is None) for journal in summaries],
        digest=[digest(journal) for journal in summaries],
    )


def _rows(drafts: Drafts, shared: dict[str, Any]) -> "zip[tuple[Any, ...]]":
    columns = drafts._asdict()
    return zip(*(columns[name] if name in columns else repeat(shared[name]) for name in COLUMNS), strict=False)


def _insert(connection: sa.Connection, rows: list[tuple[Any, ...]]) -> None:
    """Insert `rows`; where the driver takes tuples, its own bulk insert needs a third of the time dictionaries need."""
    statement = sa.insert(documents).compile(connection, column_keys=list(COLUMNS))
    if statement.positiontup is None:
        connection.execute(sa.insert(documents), [dict(zip(COLUMNS, row, strict=True)) for row in rows])
        return
    assert tuple(statement.positiontup) == COLUMNS
    connection.exec_driver_sql(str(statement), rows)
