"""Check that rated = invoiced = journalled = posted, document by document and in the sum of the money.

Each equality has its own witness: the charges as the ledger holds them, the rows that were drafted from them, the lines
that a journal says, and what the ERP gives back when it is asked.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from ledger.charges import column, starts_of_groups
from ledger.verify import Problem
from posting.accounts import STANDARD, Accounts
from posting.approval import digests
from posting.charge_columns import exact_sums
from posting.documents import POSTED, POSTING, UNKNOWN
from posting.erp import Erp, Receipt, Rejected, Unavailable
from posting.journal import journals
from posting.money import money_text

Row = sa.Row[Any]
Sums = Mapping[tuple[str, str], int]
"""Minor units by entity and currency."""

IN_DOUBT = (POSTING, UNKNOWN)


def read_back(erp: Erp, documents: Sequence[Row]) -> dict[str, Receipt | Problem]:
    """What the ERP holds of `documents`, by key; a problem where that can't be read, nothing where it holds nothing."""
    found: dict[str, Receipt | Problem] = {}
    for row in documents:
        try:
            receipt = erp.look_up(row.key)
        except (Rejected, Unavailable) as error:
            found[row.key] = Problem(row.id, str(error))
        else:
            if receipt is not None:
                found[row.key] = receipt
    return found


def agreement(
    charges: pa.Table,
    documents: Sequence[Row],
    held: Mapping[str, Receipt | Problem],
    tenant: str,
    period: str,
    accounts: Accounts = STANDARD,
) -> list[Problem]:
    """What does not agree between a run's charges, its documents and what the ERP holds; nothing, if all does."""
    rated = _rated(charges)
    return [
        *_drafted_otherwise(charges, documents, tenant, period, accounts),
        *_differences("invoiced", rated, _invoiced(documents)),
        *_differences("journalled", rated, _journalled(charges, tenant, period, accounts)),
        *_posted_otherwise(documents, held),
        *_posted_sums(rated, documents, held, accounts),
    ]


def _rated(charges: pa.Table) -> Sums:
    """What the charges come to, before anything was made of them."""
    starts = starts_of_groups(charges)
    sums: Counter[tuple[str, str]] = Counter()
    places = [column(charges, name).take(pa.array(starts)).to_pylist() for name in ("entity", "currency")]
    for entity, currency, amount in zip(*places, exact_sums(column(charges, "amount").to_numpy(), starts), strict=True):
        sums[entity, currency] += amount
    return sums


def _invoiced(documents: Sequence[Row]) -> Sums:
    sums: Counter[tuple[str, str]] = Counter()
    for row in documents:
        if row.kind == "invoice":
            sums[row.entity, row.currency] += row.total
    return sums


def _journalled(charges: pa.Table, tenant: str, period: str, accounts: Accounts) -> Sums:
    """What journals debit the receivables with."""
    return {
        (journal.entity, currency): amount
        for journal in journals(charges, tenant, period, accounts)
        for (account, currency), amount in journal.balances().items()
        if account == accounts.receivable
    }


def _differences(word: str, rated: Sums, other: Sums) -> Iterator[Problem]:
    for place in sorted({*rated, *other}):
        entity, currency = place
        left, right = rated.get(place, 0), other.get(place, 0)
        if left != right:
            said = f"rated {money_text(left, currency)}, {word} {money_text(right, currency)}"
            yield Problem(f"{entity} {currency}", said)


def _drafted_otherwise(
    charges: pa.Table, documents: Sequence[Row], tenant: str, period: str, accounts: Accounts
) -> Iterator[Problem]:
    """Documents that are not the ones the charges make."""
    made = digests(charges, tenant, period, accounts)
    kept = {row.id: row.digest for row in documents}
    for document_id in sorted({*made, *kept}):
        if document_id not in kept:
            yield Problem(document_id, "its charges were rated, and the document is missing")
        elif document_id not in made:
            yield Problem(document_id, "there are no charges that it was made of")
        elif kept[document_id] not in {None, made[document_id]}:
            yield Problem(document_id, "its charges make another document than the one that was approved")


def _posted_otherwise(documents: Sequence[Row], held: Mapping[str, Receipt | Problem]) -> Iterator[Problem]:
    """Documents that the ERP holds otherwise than we believe."""
    for row in documents:
        found = held.get(row.key)
        if isinstance(found, Problem):
            yield found
        elif found is None:
            if row.state == POSTED:
                yield Problem(row.id, "it was posted, and the ERP does not have it")
        elif found.digest != row.digest:
            yield Problem(row.id, f"what the ERP holds as {found.reference} is not what was drafted")
        elif row.state not in {POSTED, *IN_DOUBT}:
            yield Problem(row.id, f"it is {row.state} here, and the ERP has it as {found.reference}")


def _posted_sums(
    rated: Sums, documents: Sequence[Row], held: Mapping[str, Receipt | Problem], accounts: Accounts
) -> Iterator[Problem]:
    """Of entities whose documents are all posted: the money in the ERP's invoices, receivables and revenue."""
    by_entity: dict[str, list[tuple[Row, Receipt | Problem | None]]] = {}
    for row in documents:
        by_entity.setdefault(row.entity, []).append((row, held.get(row.key)))
    for entity, receipts in sorted(by_entity.items()):
        if any(row.state != POSTED or not isinstance(receipt, Receipt) for row, receipt in receipts):
            continue  # what is missing or unreadable is told document by document
        sums: dict[str, Counter[tuple[str, str]]] = {word: Counter() for word in ("posted", "receivable", "revenue")}
        for row, receipt in receipts:
            assert isinstance(receipt, Receipt)
            for (account, currency), amount in receipt.balances.items():
                if row.kind == "invoice":
                    sums["posted"][entity, currency] += amount
                elif account == accounts.receivable:
                    sums["receivable"][entity, currency] += amount
                else:
                    sums["revenue"][entity, currency] -= amount
        expected = {place: amount for place, amount in rated.items() if place[0] == entity}
        for word, found in sums.items():
            yield from _differences(word, expected, found)
