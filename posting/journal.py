"""Summarize the charges of an entity and a period into one journal: receivable against revenue, discounts and taxes.

In each currency one line debits the receivable account with what was invoiced, and one line for each kind and product
credits revenue or a tax that is payable, or debits what discounts took off. A total below zero changes sides, so no
figure is negative. A product whose charges come to nothing keeps its line: every charge stands behind some line.
"""

from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import attrgetter

import msgspec
import numpy as np
import pyarrow as pa

from ledger.charges import KINDS
from posting.accounts import STANDARD, Accounts
from posting.charge_columns import Int64s, column, exact_sums, starts_of_groups
from posting.content import Journal, JournalLine, unbalanced
from posting.names import document_key, journal_id

ENTITY = ("entity",)
SUMMARIZED = ("currency", "kind", "product")


class Summary(msgspec.Struct, frozen=True):
    """What charges of a kind and product come to in one currency; both are None for all of them."""

    currency: str
    kind: str | None
    product: str | None
    amount: int
    charges: int
    events: int


def journals(charges: pa.Table, tenant: str, period: str, accounts: Accounts = STANDARD) -> list[Journal]:
    """The journals of a run's charges, one an entity; the charges come sorted by entity."""
    bounds = [*starts_of_groups(charges, ENTITY).tolist(), len(charges)]
    return [journal(charges.slice(start, end - start), tenant, period, accounts) for start, end in pairwise(bounds)]


def journal(charges: pa.Table, tenant: str, period: str, accounts: Accounts = STANDARD) -> Journal:
    """The journal of one entity's charges."""
    entity = charges["entity"][0].as_py()
    document_id = journal_id(period, entity)
    return Journal(
        tenant=tenant,
        id=document_id,
        key=document_key(tenant, document_id),
        period=period,
        entity=entity,
        lines=journal_lines(charges, accounts),
    )


def journal_lines(charges: pa.Table, accounts: Accounts = STANDARD) -> tuple[JournalLine, ...]:
    """The lines that summarize one entity's charges: by currency, the receivable first, then kinds in their order."""
    lines = tuple(
        _line(number, summary, accounts)
        for number, summary in enumerate(_with_receivables(_summaries(charges)), start=1)
    )
    assert not unbalanced(lines)
    return lines


def _summaries(charges: pa.Table) -> list[Summary]:
    """One for each currency, kind and product, in their order."""
    order = pa.array(np.lexsort([_ranks(charges, name) for name in reversed(SUMMARIZED)]))
    sorted_charges = charges.select([*SUMMARIZED, "amount", "events"]).take(order)
    starts = starts_of_groups(sorted_charges, SUMMARIZED)
    names = [column(sorted_charges, name).take(pa.array(starts)).to_pylist() for name in SUMMARIZED]
    amounts = exact_sums(column(sorted_charges, "amount").to_numpy(), starts)
    events = exact_sums(column(sorted_charges, "events").to_numpy().astype(np.int64), starts)
    counts = np.diff(starts, append=len(charges)).tolist()
    return [Summary(*fields) for fields in zip(*names, amounts, counts, events, strict=True)]


def _ranks(charges: pa.Table, name: str) -> Int64s:
    """The place of each row's text among the different texts of the column: sorting numbers is cheaper."""
    encoded = column(charges, name).dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    rank = np.zeros(len(texts), np.int64)
    named = KINDS.index if name == "kind" else str
    rank[sorted(range(len(texts)), key=lambda code: named(texts[code]))] = np.arange(len(texts))
    ranks: Int64s = rank[encoded.indices.to_numpy()]
    return ranks


def _with_receivables(summaries: list[Summary]) -> Iterator[Summary]:
    """Each currency's summaries, after what they come to together."""
    for currency, group in groupby(summaries, attrgetter("currency")):
        each = list(group)
        amount, charges, events = (sum(map(attrgetter(name), each)) for name in ("amount", "charges", "events"))
        yield Summary(currency, None, None, amount, charges, events)
        yield from each


def _line(number: int, summary: Summary, accounts: Accounts) -> JournalLine:
    if summary.kind is None or summary.product is None:
        account, debit = accounts.receivable, summary.amount
    else:
        account, debit = accounts.account_of(summary.kind, summary.product), -summary.amount
    return JournalLine(
        number=number,
        account=account,
        currency=summary.currency,
        kind=summary.kind,
        product=summary.product,
        debit=max(debit, 0),
        credit=max(-debit, 0),
        charges=summary.charges,
        events=summary.events,
    )
