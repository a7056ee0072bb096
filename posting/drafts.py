"""Write down the documents that a run's charges make, inside the transaction that makes the run count."""

from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from posting.accounts import STANDARD, Accounts
from posting.content import Journal
from posting.documents import DRAFT, documents
from posting.invoices import Drafts, Invoices
from posting.journal import journals

INVOICES_AT_ONCE = 10_000
"""What is kept of an invoice is some forty objects on the way to the database; a million of them were two gigabytes."""
ROWS_AT_ONCE = 100
"""A statement for as many rows needs two thirds of the time of one for each; any SQLite takes 999 values in one."""


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
    shared = {"tenant": tenant, "period": period, "run": run, "state": DRAFT, "attempts": 0, "updated_at": now_ms}
    invoices = Invoices(charges, tenant, period)
    for first in range(0, len(invoices), INVOICES_AT_ONCE):
        _insert(connection, {**shared, "kind": "invoice"}, invoices.drafts(first, first + INVOICES_AT_ONCE))
    summaries = _journal_drafts(journals(charges, tenant, period, accounts), accounts)
    _insert(connection, {**shared, "kind": "journal"}, summaries)


def _journal_drafts(summaries: list[Journal], accounts: Accounts) -> Drafts:
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
        events=[
            sum(line.events for line in journal.lines if line.account == accounts.receivable) for journal in summaries
        ],
    )


def _insert(connection: sa.Connection, shared: dict[str, Any], drafts: Drafts) -> None:
    """Insert `drafts`, each with the values of `shared` in it."""
    columns: tuple[list[Any], ...] = drafts
    count = len(drafts.id)
    if not count:
        return
    if connection.dialect.paramstyle != "qmark":  # PostgreSQL's drivers
        each = [shared | dict(zip(Drafts._fields, row, strict=True)) for row in zip(*columns, strict=True)]
        connection.execute(sa.insert(documents), each)
        return
    # What the drafts share is bound once a statement, by number.
    own = Drafts._fields
    values = ", ".join([*(f"?{number}" for number in range(1, len(shared) + 1)), *("?" for _ in own)])
    insert = f"INSERT INTO documents ({', '.join([*shared, *own])}) VALUES "  # noqa: S608 - the columns' names are ours
    for first in range(0, count, ROWS_AT_ONCE):
        some = slice(first, min(first + ROWS_AT_ONCE, count))
        bound: list[Any] = [None] * (some.stop - first) * len(own)
        for place, column in enumerate(columns):
            bound[place :: len(own)] = column[some]
        statement = insert + ", ".join([f"({values})"] * (some.stop - first))
        connection.exec_driver_sql(statement, (*shared.values(), *bound))
