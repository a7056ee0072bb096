"""Say which charges stand behind a document or one of its lines: the way from the general ledger down to usage."""

from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.charges import COMMITMENT, CREDIT, KINDS
from posting.accounts import STANDARD, Accounts
from posting.charge_columns import Int64s
from posting.content import JournalLine
from posting.invoices import Invoices
from posting.journal import accounts_of, journal_lines
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
    return summarized(of_entity, lines[line - 1], accounts)


def summarized(charges: pa.Table, line: JournalLine, accounts: Accounts = STANDARD) -> pa.Table:
    """The charges, among those of one entity, that `line` of its journal summarizes."""
    chosen = pc.equal(charges["currency"], line.currency)
    if line.account != accounts.receivable:
        chosen = pc.and_(chosen, pc.equal(accounts_of(charges, accounts), line.account))
    return charges.filter(chosen)


def made_of(document: Named, line: int, charges: pa.Table, most: int, accounts: Accounts = STANDARD) -> list[str]:
    """The first lines of invoices that a line was made of, at most so many; none for one that was made of events."""
    found = charges_behind(document, line, charges, accounts)
    name = read_id(document.id)
    invoices = Invoices(charges, document.tenant, name.period)
    if name.kind == "invoice":
        found = _before(charges.slice(*_place_and_length(invoices, document.id)), found)
    return lines_of(invoices, found["line"].to_numpy()[:most].astype(np.int64))


def lines_of(invoices: Invoices, rows: Int64s) -> list[str]:
    """What charges of a run are called: DOCUMENT:LINE of the invoice that each is on."""
    place = np.searchsorted(invoices.starts, rows, side="right") - 1
    ids = invoices.ids.take(pa.array(place)).to_pylist()
    return [f"{own}:{row - invoices.starts[nth] + 1}" for own, row, nth in zip(ids, rows, place, strict=True)]


def _place_and_length(invoices: Invoices, document_id: str) -> tuple[int, int]:
    start, end = invoices.slice_of(document_id)
    return start, end - start


def _before(invoice: pa.Table, line: pa.Table) -> pa.Table:
    """The lines of an invoice that one of its lines was made of: of kinds before its own, and of its contract.

    Credit makes no other line: neither more credit nor a tax is made of it.
    """
    kind, contract = line["kind"][0].as_py(), line["contract"][0].as_py()
    if KINDS.index(kind) < KINDS.index(COMMITMENT):
        return invoice.slice(0, 0)
    earlier = pc.is_in(invoice["kind"], pa.array(KINDS[: min(KINDS.index(kind), KINDS.index(CREDIT))]))
    is_its = pc.equal(invoice["contract"], contract) if contract else earlier
    return invoice.filter(pc.and_(earlier, is_its))


def _line(document_id: str, charges: pa.Table, line: int, start: int, end: int) -> pa.Table:
    _check_line(document_id, line, end - start)
    return charges.slice(start + line - 1, 1)


def _check_line(document_id: str, line: int, count: int) -> None:
    if not 1 <= line <= count:
        raise UnknownDocument(f"{document_id} has no line {line}: its lines are 1 to {count}")
