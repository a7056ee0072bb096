"""Keep what becomes of every document, from draft to posted.

    draft --approve--> approved --> posting --> posted
                          ^            |-----> parked    refused by the ERP; waits for a person, then `release`
                          |            |-----> unknown   no answer; frozen until a look-up can settle it
                          +------------+                 unavailable: nothing was stored, due again

`posting` is committed before the ERP is called. So a document found in `posting` was cut off by a crash, and is treated
like one in `unknown`: it is looked up by its key first, and sent again only when it is proven not to be there.

A document's lines are not kept here: they are the charges of its run. A row's key leaves out the run: the drafts of a
discarded run are deleted (its charges stay), and two runs can never both hold a document.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ledger.errors import Refused
from ledger.relational import metadata
from posting.names import read_id

DRAFT, APPROVED, POSTING, POSTED, PARKED, UNKNOWN = "draft", "approved", "posting", "posted", "parked", "unknown"

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("tenant", sa.String, primary_key=True),
    sa.Column("period", sa.String, primary_key=True),
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("run", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String, nullable=False, comment="invoice or journal"),
    sa.Column("entity", sa.String, nullable=False),
    sa.Column("customer", sa.String, comment="a journal has none"),
    sa.Column("currency", sa.String, comment="a journal has none of its own"),
    sa.Column("key", sa.String, nullable=False, comment="how the ERP knows it"),
    sa.Column("total", sa.BigInteger, comment="minor units of the currency; a journal balances to nothing"),
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("events", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.String, comment="hex BLAKE2b-256 of what was approved; a draft has none"),
    sa.Column("state", sa.String, nullable=False, server_default=DRAFT),
    sa.Column("reference", sa.String, comment="the ERP's name for it"),
    sa.Column("file", sa.String),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error", sa.String),
    sa.Column("frozen_until", sa.BigInteger, comment="when a look-up that finds nothing proves something"),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    # The primary key is the table: 100,000 drafts of a close go in twice as fast, and a period is read in one range.
    sqlite_with_rowid=False,
)


def of_period(connection: sa.Connection, tenant: str, period: str) -> Sequence[sa.Row[Any]]:
    """Every document of a period, invoices first, in the order of their ids."""
    query = (
        sa.select(documents)
        .where(documents.c.tenant == tenant, documents.c.period == period)
        .order_by(documents.c.kind, documents.c.id)
    )
    return connection.execute(query).all()


def find(connection: sa.Connection, tenant: str, document_id: str) -> sa.Row[Any] | None:
    """One document, if there is one of that name."""
    period = read_id(document_id).period
    return connection.execute(sa.select(documents).where(*_is(tenant, period, document_id))).one_or_none()


def drafts(connection: sa.Connection, tenant: str, period: str) -> list[str]:
    """The ids of a period's documents that nobody approved yet."""
    query = sa.select(documents.c.id).where(documents.c.tenant == tenant, documents.c.period == period)
    return list(connection.execute(query.where(documents.c.state == DRAFT)).scalars())


def approve(connection: sa.Connection, tenant: str, period: str, digests: Mapping[str, str], now_ms: int) -> None:
    """Let drafts be posted: each is what its digest says from here on."""
    of_period = (documents.c.tenant == tenant, documents.c.period == period, documents.c.state == DRAFT)
    mine = sa.update(documents).where(*of_period, documents.c.id == sa.bindparam("document"))
    rows = [{"document": document_id, "said": said} for document_id, said in digests.items()]
    connection.execute(mine.values(state=APPROVED, digest=sa.bindparam("said"), updated_at=now_ms), rows)


def release(connection: sa.Connection, tenant: str, document_id: str, now_ms: int) -> None:
    """Let a parked document be posted again, once a person has removed what the ERP refused it for."""
    row = find(connection, tenant, document_id)
    if row is None or row.state != PARKED:
        raise Refused(f"{document_id} is {row.state if row else 'not there'}: only a parked document can be released")
    connection.execute(
        sa.update(documents)
        .where(*_is(tenant, row.period, document_id))
        # Not `approved`: what was refused as "there with other content" is looked up before it is sent again.
        .values(state=UNKNOWN, frozen_until=now_ms, updated_at=now_ms)
    )


def drop_drafts(connection: sa.Connection, tenant: str, period: str, run: int) -> int:
    """Delete what a discarded run drafted, and return how many that were; refused once one was approved."""
    of_run = (documents.c.tenant == tenant, documents.c.period == period, documents.c.run == run)
    beyond = connection.execute(sa.select(documents.c.id).where(*of_run, documents.c.state != DRAFT).limit(1)).scalar()
    if beyond is not None:
        raise Refused(f"{beyond} is approved: a run can be discarded only while all its documents are drafts")
    return connection.execute(sa.delete(documents).where(*of_run)).rowcount


def _is(tenant: str, period: str, document_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return documents.c.tenant == tenant, documents.c.period == period, documents.c.id == document_id
