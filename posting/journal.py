"""Summarize the charges of an entity and a period into one journal: receivable against revenue, taxes and credit.

In each currency one line debits the receivable account with what is due, and one line for each account credits revenue
or a tax that is payable, or debits what discounts took off or credit has paid. A total below zero changes sides, so no
figure is negative. An account whose charges come to nothing keeps its line: every charge stands behind some line.
"""

from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import attrgetter

import msgspec
import numpy as np
import pyarrow as pa

from ledger.charges import column, starts_of_groups
from posting.accounts import STANDARD, Accounts
from posting.charge_columns import exact_sums
from posting.content import Journal, JournalLine, unbalanced
from posting.names import document_key, journal_id

ENTITY = ("entity",)
SUMMARIZED = ("currency", "account")


class Summary(msgspec.Struct, frozen=True):
    """What charges come to in one currency: those of an account, or all of them for the receivable."""

    currency: str
    account: str
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
    """The lines that summarize one entity's charges: by currency, the receivable first, then accounts by name."""
    summaries = _with_receivables(_summaries(charges, accounts), accounts)
    lines = tuple(_line(number, summary, accounts) for number, summary in enumerate(summaries, start=1))
    assert not unbalanced(lines)
    return lines


def accounts_of(charges: pa.Table, accounts: Accounts) -> pa.DictionaryArray:
    """The account against which each charge is booked."""
    kinds, products = (column(charges, name).dictionary_encode() for name in ("kind", "product"))
    kind, product = kinds.dictionary.to_pylist(), products.dictionary.to_pylist()
    code = kinds.indices.to_numpy() * len(product) + products.indices.to_numpy()
    named = {
        one: accounts.account_of(kind[one // len(product)], product[one % len(product)])
        for one in np.flatnonzero(np.bincount(code)).tolist()
    }
    names = sorted(set(named.values()))
    account = np.zeros(max(named, default=-1) + 1, np.int32)
    place = {name: at for at, name in enumerate(names)}
    account[list(named)] = [place[name] for name in named.values()]
    return pa.DictionaryArray.from_arrays(account[code], pa.array(names, pa.string()))


def _summaries(charges: pa.Table, accounts: Accounts) -> list[Summary]:
    """One for each currency and account, in their order."""
    currency, account = column(charges, "currency").dictionary_encode(), accounts_of(charges, accounts)
    currencies, names = currency.dictionary.to_pylist(), account.dictionary.to_pylist()
    code = currency.indices.to_numpy() * len(names) + account.indices.to_numpy()
    # Sorting numbers of 16 bits takes a few passes, whatever order they are in.
    order = np.argsort(code.astype(np.min_scalar_type(code.max(initial=0))), kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    amounts, events = (
        exact_sums(column(charges, name).to_numpy().astype(np.int64)[order], starts) for name in ("amount", "events")
    )
    counts = np.diff(starts, append=len(charges)).tolist()
    places = [divmod(one, len(names)) for one in code[order[starts]].tolist()]
    of = [(currencies[of_currency], names[of_account]) for of_currency, of_account in places]
    return sorted(
        (Summary(*booked, *sums) for booked, *sums in zip(of, amounts, counts, events, strict=True)),
        key=attrgetter(*SUMMARIZED),
    )


def _with_receivables(summaries: list[Summary], accounts: Accounts) -> Iterator[Summary]:
    """Each currency's accounts, after what they come to together."""
    for currency, group in groupby(summaries, attrgetter("currency")):
        booked = list(group)
        amount, charges, events = (sum(map(attrgetter(name), booked)) for name in ("amount", "charges", "events"))
        yield Summary(currency, accounts.receivable, amount, charges, events)
        yield from booked


def _line(number: int, summary: Summary, accounts: Accounts) -> JournalLine:
    debit = summary.amount if summary.account == accounts.receivable else -summary.amount
    return JournalLine(
        number=number,
        account=summary.account,
        currency=summary.currency,
        debit=max(debit, 0),
        credit=max(-debit, 0),
        charges=summary.charges,
        events=summary.events,
    )
