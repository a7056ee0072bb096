"""Say which charges stand behind a document or one of its lines: the way from the general ledger down to usage."""

from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from posting.accounts import STANDARD, Accounts
from posting.content import JournalLine
from posting.invoices import Invoices
from posting.journal import journal_lines
from posting.names import UnknownDocument, read_id


class Named(Protocol):
    """What of a document's row is needed to find its charges."""

    @property
    def tenant(self) -> str:
        """Whose it is."""

    @property
    def id(self) -> str:
        """What it is."""


def charges_behind(document: Named, line: int | None, charges: pa.Table, accounts: Accounts = STANDARD) -> pa.Table:
    """What the document, or its `line`, was made of; `charges` are all those of its run."""
    name = read_id(document.id)
    if name.kind == "invoice":
        start, end = Invoices(charges, document.tenant, name.period).slice_of(document.id)
        return charges.slice(start, end - start) if line is None else _line(document.id, charges, line, start, end)
    of_entity = charges.filter(pc.equal(charges["entity"], name.entity))
    if not len(of_entity):
        raise UnknownDocument(f"there is no {document.id}: the run made no charges for {name.entity}")
    if line is None:
        return of_entity
    lines = journal_lines(of_entity, accounts)
    _check_line(document.id, line, len(lines))
    return summarized(of_entity, lines[line - 1])


def summarized(charges: pa.Table, line: JournalLine) -> pa.Table:
    """The charges, among those of one entity, that `line` of its journal summarizes."""
    chosen = pc.equal(charges["currency"], line.currency)
    if line.product is not None:
        chosen = pc.and_(chosen, pc.equal(charges["product"], line.product))
    return charges.filter(chosen)


def _line(document_id: str, charges: pa.Table, line: int, start: int, end: int) -> pa.Table:
    _check_line(document_id, line, end - start)
    return charges.slice(start + line - 1, 1)


def _check_line(document_id: str, line: int, count: int) -> None:
    if not 1 <= line <= count:
        raise UnknownDocument(f"{document_id} has no line {line}: its lines are 1 to {count}")
