"""Post what is approved, each document once, whatever fails in between.

A batch goes through in this order, and a crash after any step leaves what the next `post_all` can finish:

1. documents cut off or without an answer before are looked up by their key; only those proven absent go on
2. `posting` is committed       crash here: looked up, not there, sent again
3. the ERP is called            crash here: looked up, there or not
4. what came of it is committed

A journal is posted after all invoices of its entity, so that the general ledger never shows a receivable that has no
invoice. One process posts at a time: a document found in `posting` belongs to nobody who still runs.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ledger.errors import Damaged
from posting.content import Document, digest
from posting.documents import APPROVED, PARKED, POSTED, POSTING, UNKNOWN, documents
from posting.erp import Erp, OutcomeUnknown, Receipt, Rejected, Unavailable

BATCH = 100
"""Documents between two commits: at most so many are looked up after a crash."""

UNANSWERED_MAX = 3
"""Calls in a row without an answer after which the rest waits for another time."""

CHANGING = ("state", "attempts", "reference", "file", "error", "frozen_until")
DUE = (APPROVED, POSTING, UNKNOWN)
Row = sa.Row[Any]


class Result(msgspec.Struct, frozen=True):
    """What came of one document: the columns of its row that change."""

    id: str
    state: str
    attempts: int
    reference: str | None = None
    file: str | None = None
    error: str | None = None
    frozen_until: int | None = None
    answered: bool = True
    """Whether the ERP answered; not a column."""


def due(connection: sa.Connection, tenant: str, period: str) -> Sequence[Row]:
    """What may be posted now, in the order of ids: invoices, and journals whose invoices are all posted."""
    invoice = documents.alias("invoice")
    open_invoice = sa.exists().where(
        invoice.c.tenant == documents.c.tenant,
        invoice.c.period == documents.c.period,
        invoice.c.entity == documents.c.entity,
        invoice.c.kind == "invoice",
        invoice.c.state != POSTED,
    )
    query = (
        sa.select(documents)
        .where(documents.c.tenant == tenant, documents.c.period == period, documents.c.state.in_(DUE))
        .where(sa.or_(documents.c.kind == "invoice", sa.not_(open_invoice)))
        .order_by(documents.c.kind, documents.c.id)
    )
    return connection.execute(query).all()


def post_all(
    engine: sa.Engine,
    erp: Erp,
    tenant: str,
    period: str,
    load_document: Callable[[str], Document],
    clock: Callable[[], int],
    is_stopping: Callable[[], bool] = lambda: False,
) -> list[Result]:
    """Post what is due, and say what came of each document that was tried; nothing is due when all is posted.

    Who is stopping finishes the batch that was begun, and leaves the rest for another time.
    """
    results: list[Result] = []
    for kind in ("invoice", "journal"):
        with engine.connect() as connection:
            rows = [row for row in due(connection, tenant, period) if row.kind == kind]
        for start in range(0, len(rows), BATCH):
            if is_stopping():
                return results
            results += _post_batch(engine, erp, rows[start : start + BATCH], load_document, clock)
            if _silent(results):
                return results
    return results


def _post_batch(
    engine: sa.Engine,
    erp: Erp,
    rows: Sequence[Row],
    load_document: Callable[[str], Document],
    clock: Callable[[], int],
) -> list[Result]:
    settled = {row.id: _settle(erp, row, clock) for row in rows if row.state != APPROVED}
    results = [result for result in settled.values() if result is not None]
    _record(engine, rows, results, clock)
    clear = [row for row in rows if settled.get(row.id) is None]
    wanted = [_approved_document(row, load_document) for row in clear]
    _record(engine, clear, [Result(row.id, POSTING, row.attempts) for row in clear], clock)
    sent: list[Result] = []
    for row, document in zip(clear, wanted, strict=True):
        if not _silent(sent):
            sent.append(_send(erp, row, document, clock))
    answered = {result.id for result in sent}
    unsent = [Result(row.id, APPROVED, row.attempts, error=row.error) for row in clear if row.id not in answered]
    _record(engine, clear, [*sent, *unsent], clock)
    return results + sent


def _settle(erp: Erp, row: Row, clock: Callable[[], int]) -> Result | None:
    """What a look-up says of a document whose outcome is not known; None if it is proven absent."""
    try:
        receipt = erp.look_up(row.key)
    except Rejected as refusal:
        return Result(row.id, PARKED, row.attempts, error=str(refusal))
    except Unavailable as error:
        # It stays what it is: nothing was learned.
        frozen = row.frozen_until
        return Result(row.id, row.state, row.attempts, error=str(error), frozen_until=frozen, answered=False)
    if receipt is not None:
        return _acknowledged(row, receipt, row.attempts)
    now = clock()
    # A crash left no time of the call, only that it was before now.
    until = now + erp.settle_ms if row.state == POSTING else row.frozen_until
    if now < until:
        return Result(
            row.id, UNKNOWN, row.attempts, error="no answer; looked up, and not there yet", frozen_until=until
        )
    return None


def _approved_document(row: Row, load_document: Callable[[str], Document]) -> Document:
    """The document of `row`, if it still says what was approved."""
    document = load_document(row.id)
    if digest(document) != row.digest:
        raise Damaged(row.id, "its charges do not say what was approved; nothing of its batch was posted: run verify")
    return document


def _send(erp: Erp, row: Row, document: Document, clock: Callable[[], int]) -> Result:
    attempts = row.attempts + 1
    try:
        receipt = erp.post(document)
    except Rejected as refusal:
        return Result(row.id, PARKED, attempts, error=str(refusal))
    except Unavailable as error:
        return Result(row.id, APPROVED, attempts, error=str(error), answered=False)
    except OutcomeUnknown as error:
        until = clock() + erp.settle_ms
        return Result(row.id, UNKNOWN, attempts, error=str(error), frozen_until=until, answered=False)
    return _acknowledged(row, receipt, attempts)


def _acknowledged(row: Row, receipt: Receipt, attempts: int) -> Result:
    if receipt.digest == row.digest:
        return Result(row.id, POSTED, attempts, receipt.reference, receipt.file)
    held = receipt.file or receipt.reference
    return Result(row.id, PARKED, attempts, error=f"the ERP holds something else under {row.key}: {held}")


def _silent(results: Sequence[Result]) -> bool:
    """Whether the ERP left the last calls unanswered."""
    last = results[-UNANSWERED_MAX:]
    return len(last) == UNANSWERED_MAX and not any(result.answered for result in last)


def _record(engine: sa.Engine, rows: Sequence[Row], results: Iterable[Result], clock: Callable[[], int]) -> None:
    """Write what came of some of `rows`, and commit it."""
    changes = [{f"new_{name}": getattr(result, name) for name in (*CHANGING, "id")} for result in results]
    if not changes:
        return
    statement = (
        sa.update(documents)
        .where(documents.c.tenant == rows[0].tenant, documents.c.period == rows[0].period)
        .where(documents.c.id == sa.bindparam("new_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in CHANGING} | {"updated_at": clock()})
    )
    with engine.begin() as connection:
        connection.execute(statement, changes)
