"""Let credit pay the invoices of a period, all customers at once: rows below zero, and the movements behind them.

Credit pays at the last instant of the calendar month, in UTC and whatever a contract's anchor: what expires within the
month is gone by then, and what holds to its end still pays. Where a customer's credit is drawn day by day, it pays what
each day adds to a line at the last instant of that day, and the rest at the end. It pays the charges in their order,
each as far as discounts and other amounts below zero have left something to pay, so no invoice falls below zero for it.
Taxes are on what credit pays too, and it doesn't pay them.
"""

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from babel.numbers import get_currency_precision

from ledger import movements
from ledger.charges import CARRIED, CREDIT, PROMOTION, TAX, starts_of_groups
from rating.book import positions
from rating.credit_carrying import brought, is_brought, open_by_product
from rating.credit_life import Draws, Opening, account_names, live_on
from rating.credit_spending import Spendings
from rating.credit_terms import Granted, pool_keys
from rating.credits import accounts
from rating.credits.accounts import Entries
from rating.credits.limits import allowed
from rating.day_by_day import ByDay, Parts, parts
from rating.exact import Exact, Int64s, decimals, group_sums
from rating.groups import above, group_of, offsets, totals
from rating.made import charges_table, in_order, of_no_events
from rating.match import plain
from rating.periods import Period, instants
from rating.ratios import products, whole
from rating.runs import CreditsMoved

OF_INVOICE: Final = ("run", "line", "tenant", "entity", "customer", "currency", "cutoff")
"""What all charges on an invoice say alike, and the number that each is given at last."""


class Drawn(NamedTuple):
    """What credit made of the charges."""

    charges: pa.Table
    """With the rows of credit among them, numbered anew."""
    movements: pa.Table
    said: CreditsMoved | None


class _Paid(NamedTuple):
    """What one grant paid on one invoice, row by row."""

    invoice: Int64s
    grant: Int64s
    amount: Exact
    of_use: Int64s
    """Per use: the row that it is in."""


def draw(
    found: Opening | None, charges: pa.Table, period: Period, spent: Spendings, by_day: ByDay | None = None
) -> Drawn:
    """The charges after credit has paid what it can, and of some customers what had come up `by_day` on its day."""
    if found is None:
        return Drawn(charges, movements.SCHEMA.empty_table(), None)
    start, end = instants(period, "UTC")
    charges = brought(found.carried, charges, start, end)
    starts = starts_of_groups(charges)
    row, draws = _draws(found.granted, charges, starts, (start, end), spent, by_day)
    entries = live_on(found, draws, end)
    uses = np.flatnonzero((entries.source >= 0) & np.isin(entries.target, (accounts.USED, accounts.OWED)))
    charge = row[entries.usage[uses]]
    paid = _paid(found.granted, entries, uses, np.searchsorted(starts, charge, side="right") - 1)
    credited = _lines(found.granted, charges, starts, paid, start, end)
    left = draws.amount.copy()
    np.subtract.at(left, entries.usage[uses], entries.amount[uses])
    is_open = np.flatnonzero(draws.carries[draws.pool] & (left > 0))
    carried, invoice = _carried(charges, starts, row[is_open], left[is_open], start, end)
    lines, invoice = pa.concat_tables([credited, carried]), np.concatenate([paid.invoice, invoice])
    made, number = _placed(charges, starts, lines, invoice)
    lines_of = [np.full(len(entries.pool), movements.NO_LINE) for _ in range(2)]
    lines_of[0][uses], lines_of[1][uses] = number[charge], number[len(charges) + paid.of_use]
    moved = _movements(found, entries, *lines_of)
    digest = movements.digest(moved).hex()
    said = CreditsMoved(found.version, found.after, max(found.since, end), len(moved), digest, len(carried))
    return Drawn(made, moved, said)


def _carried(
    charges: pa.Table, starts: Int64s, row: Int64s, left: Int64s, start: int, end: int
) -> tuple[pa.Table, Int64s]:
    """A row below zero for each product of which something is left open, and its invoice."""
    invoice = np.searchsorted(starts, row, side="right") - 1
    first, own = open_by_product(charges, row, invoice)
    amount = np.zeros(len(first), dtype=np.int64)
    np.add.at(amount, own, left)
    invoice = np.searchsorted(starts, first, side="right") - 1
    product = charges["product"].combine_chunks().take(pa.array(first))
    kind = pa.repeat(pa.scalar(CARRIED, pa.string()), len(first))
    return _below_zero(charges, starts[invoice], amount, product, kind, start, end), invoice


def _draws(
    granted: Granted,
    charges: pa.Table,
    starts: Int64s,
    month: tuple[int, int],
    spent: Spendings,
    by_day: ByDay | None,
) -> tuple[Int64s, Draws]:
    """The rows of the charges that credit may pay, and what they ask for."""
    start, last = month[0], month[1] - 1
    offset = np.append(starts, len(charges))
    parties = (plain(charges[name].combine_chunks().take(pa.array(starts))) for name in ("customer", "currency"))
    pool = np.repeat(positions(pool_keys(*parties), granted.pools), np.diff(offset))
    carries = pc.is_in(_customers(granted), spent.carrying()).to_numpy(zero_copy_only=False)
    comes_back = is_brought(charges)
    at = np.where(comes_back & np.append(carries, False)[pool], start, last)
    row, part, at = _asked(charges, offset, at, by_day)
    asks = np.flatnonzero((pool[row] >= 0) & (part > 0))
    # In the order of time, and at one instant what comes back first, and else in the order of charges.
    asks = asks[np.lexsort((row[asks], ~comes_back[row[asks]], at[asks]))]
    row, part, at = row[asks], part[asks], at[asks]
    product = charges["product"].combine_chunks().take(pa.array(row)).dictionary_encode()
    scopes = [frozenset([name]) for name in product.dictionary.to_pylist()]
    scope, limits = product.indices.to_numpy().astype(np.int64), allowed(granted.limits, scopes)
    is_daily = pc.is_in(granted.customer, spent.daily()).to_numpy(zero_copy_only=False)
    hears = np.where(is_daily | carries[granted.pool], start, last)
    return row, Draws(pool[row], part, scope, limits, at, last, granted.burning(spent), carries, hears)


def _asked(charges: pa.Table, offset: Int64s, at: Int64s, by_day: ByDay | None) -> Parts:
    """What credit is asked to pay of each charge, at its instant or in parts before it."""
    asked = Parts(np.arange(len(charges)), payable(charges, offset), at)
    if by_day is None:
        return asked
    sooner = parts(by_day, charges, asked.amount)
    left = asked.amount.copy()
    np.subtract.at(left, sooner.row, sooner.amount)
    return Parts(*(np.concatenate(columns) for columns in zip(sooner, asked._replace(amount=left), strict=True)))


def _customers(granted: Granted) -> pa.Array:
    """Of each pool."""
    grant = np.zeros(len(granted.pools), dtype=np.int64)
    grant[granted.pool] = np.arange(len(granted.pool))
    return granted.customer.take(pa.array(grant))


def payable(charges: pa.Table, offset: Int64s) -> Int64s:
    """What credit may pay of each charge: what its invoice takes off is shared out over what is above zero on it.

    `offset` says where each invoice begins, and at its end where the last one ends.
    """
    is_tax = pc.equal(charges["kind"], TAX).to_numpy()
    amount: Int64s = np.where(is_tax, 0, charges["amount"].to_numpy())
    if not (amount < 0).any():
        return amount
    own = group_of(offset)
    above_zero = whole(np.maximum(amount, 0))
    together = totals(above_zero, offset).numerator
    off = np.minimum(totals(whole(np.maximum(-amount, 0)), offset).numerator, together)[own]
    # Differences of rounded running sums: they add up to what is taken off, and none is more than its charge.
    before = above(above_zero, offset).numerator
    all_of = np.maximum(together, 1)[own]
    parts = [products(running, off) // all_of for running in (before, before + above_zero.numerator)]
    left: Int64s = (above_zero.numerator - (parts[1] - parts[0])).astype(np.int64)
    return left


def _paid(granted: Granted, entries: Entries, uses: Int64s, invoice: Int64s) -> _Paid:
    """By invoice, then by the names of grants: what an invoice says."""
    grant = entries.source[uses]
    name = np.array(pc.rank(granted.name, tiebreaker="dense"), dtype=np.int64)
    order = np.lexsort((grant, name[grant], invoice))
    invoice, grant = invoice[order], grant[order]
    starts = np.flatnonzero((np.diff(invoice, prepend=-1) != 0) | (np.diff(grant, prepend=-1) != 0))
    of_use = np.empty(len(uses), dtype=np.int64)
    of_use[order] = group_of(offsets(np.diff(starts, append=len(uses))))
    return _Paid(invoice[starts], grant[starts], group_sums(entries.amount[uses][order], starts), of_use)


def _lines(granted: Granted, charges: pa.Table, starts: Int64s, paid: _Paid, start: int, end: int) -> pa.Table:
    """A row below zero for each grant that paid on an invoice."""
    is_prepaid = pc.equal(granted.kind.take(pa.array(paid.grant)), "prepaid")
    kind = pc.if_else(is_prepaid, CREDIT, PROMOTION)
    name = granted.name.take(pa.array(paid.grant))
    return _below_zero(charges, starts[paid.invoice], paid.amount, name, kind, start, end)


def _below_zero(
    charges: pa.Table, like: Int64s, amount: Exact, product: pa.Array, kind: pa.Array, start: int, end: int
) -> pa.Table:
    """Rows that take something off the invoices that these charges are on."""
    count = len(like)
    shared = {name: charges[name].combine_chunks().take(pa.array(like)) for name in OF_INVOICE}
    numerator, denominator = _in_whole_units(shared["currency"], -amount)
    own = {
        "contract": pa.repeat("", count),
        "plan": pa.repeat("", count),
        "product": product,
        "kind": kind,
        "price_version": np.zeros(count, dtype=np.uint32),
        "window_start": np.full(count, start),
        "window_end": np.full(count, end),
        "exact_numerator": decimals(numerator, 76, 0),
        "exact_denominator": decimals(denominator, 38, 0),
        "amount": -amount,
    }
    return charges_table(shared | of_no_events(count) | own)


def _placed(charges: pa.Table, starts: Int64s, lines: pa.Table, invoice: Int64s) -> tuple[pa.Table, Int64s]:
    """The charges with the lines of their invoices among them, and the number that each row got, charges first."""
    if not len(lines):
        return charges, np.arange(len(charges))
    of_charge = group_of(np.append(starts, len(charges)))
    made, order = in_order(pa.concat_tables([charges, lines]), np.concatenate([of_charge, invoice]))
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    return made, number


def _in_whole_units(currency: pa.Array, minor: Exact) -> tuple[Exact, Exact]:
    """Minor units as ratios of the currency's unit, in lowest terms."""
    encoded = currency.dictionary_encode()
    units = [10 ** get_currency_precision(code) for code in encoded.dictionary.to_pylist()]
    unit = np.array(units, dtype=np.int64)[encoded.indices.to_numpy()]
    divisor = np.gcd(minor, unit)
    return minor // divisor, unit // divisor


def _movements(found: Opening, entries: Entries, charge: Int64s, line: Int64s) -> pa.Table:
    """The entries as the ledger keeps them: each concerns one grant, which is one of its two accounts."""
    granted, count = found.granted, len(entries.pool)
    grant = pa.array(np.maximum(entries.source, entries.target))
    columns = {
        "run": np.zeros(count, dtype=np.uint64),
        "entry": np.arange(count, dtype=np.uint32),
        "tenant": pa.repeat(found.tenant, count),
        "customer": granted.customer.take(grant),
        "currency": granted.currency.take(grant),
        "grant_id": granted.id.take(grant),
        "at": entries.at,
        "debit": account_names(entries.source),
        "credit": account_names(entries.target),
        "amount": entries.amount,
        "charge": charge,
        "line": line,
    }
    arrays = [pa.array(columns[field.name], field.type) for field in movements.SCHEMA]
    return pa.Table.from_arrays(arrays, schema=movements.SCHEMA)
