"""Settle priced lines: what is missing of commitments or exceeds them, then discounts, then taxes, as further lines.

Each line is made of the rounded lines before it, so that an invoice can be checked by what it shows. A commitment and
discounts are the contract's and look at its lines alone; a tax looks at the whole invoice. What several contracts of
one invoice agree never touches each other.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ledger.charges import COMMITMENT, DISCOUNT, TAX
from ledger.errors import Refused
from rating.book import Book
from rating.commitment_windows import SoFar
from rating.exact import Exact, Int64s
from rating.gathered import joined
from rating.groups import group_of, offsets, totals
from rating.invoicing.commitment import Commitments, settled
from rating.invoicing.discounts import Discounts, exactly_off
from rating.invoicing.settlement import OfInvoice, after_discounts, taxed
from rating.invoicing.taxes import Taxable, TaxService
from rating.made import Charged, Made, invoice_of, with_made
from rating.proration.shares import days_of
from rating.ragged import expand
from rating.ratios import (
    HALF_UP,
    Ratios,
    constant,
    minus,
    negative,
    over,
    plus,
    products,
    spread,
    taken,
    times,
    whole,
    zeros,
)
from rating.rounding import Rounding, rounded
from rating.spans import Spans


class Settled(NamedTuple):
    """All charges of a period, in their order."""

    charges: pa.Table
    exact: Ratios


class Owed(NamedTuple):
    """Lines as what follows sees them."""

    contract: Int64s
    product: Int64s
    category: Int64s
    amount: Ratios


def settle(
    book: Book, spans: Spans, charged: Charged, so_far: SoFar, cutoff: int, tax_service: TaxService | None = None
) -> Settled:
    """The charges, with those that are made of them; taxes are of the catalog's table unless a service is named."""
    if book.agreed.is_nothing:
        return Settled(charged.table, charged.exact)
    owed = _owed(book, charged)
    commitments, owed = _commitments(book, so_far, owed)
    owed = _by_contract(owed)
    discounts, net = _discounts(book, owed)
    taxes = _taxes(book, spans, owed._replace(amount=net), tax_service or book.agreed.rates.table)
    return Settled(*with_made(book, spans, charged, [commitments, discounts, *taxes], cutoff))


def _owed(book: Book, charged: Charged) -> Owed:
    lines, prices = charged.lines, book.prices
    amount = _money(book, lines.contract, charged.table["amount"].to_numpy())
    return Owed(lines.contract, prices.product[lines.price], prices.category[lines.price], amount)


def _money(book: Book, contract: Int64s, minor: Exact) -> Ratios:
    """Minor units of the contracts' currencies as amounts."""
    digits = _digits(book, contract)
    finest = int(digits.max(initial=0))
    return over(whole(products(minor, 10 ** (finest - digits))), constant(10**finest))


def _digits(book: Book, contract: Int64s) -> Int64s:
    """The decimals of the contracts' currencies."""
    return book.digits[book.plan_currency[book.contracts.plan[contract]]]


def _rule(book: Book, contract: Int64s) -> Rounding:
    return Rounding(_digits(book, contract), HALF_UP)


def _commitments(book: Book, so_far: SoFar, owed: Owed) -> tuple[Made, Owed]:
    """What commitments add, and the lines with that.

    A window comes to what all of it makes of the commitment; this month's line is what no line before it was.
    """
    said = book.agreed.commitments
    row, contract = so_far.row, said.contract[so_far.row]
    used = plus(totals(*_costs(book, owed, contract)), _money(book, contract, so_far.used))
    terms = Commitments(
        so_far.amount,
        taken(said.overage_factor, row),
        zeros(len(row)),
        said.trues_up[row] & so_far.is_last,
    )
    found = settled(used, np.arange(len(row) + 1), terms, _rule(book, contract))
    before = plus(used, _money(book, contract, so_far.made))
    exact, more = minus(found.windows, before), minus(found.amount, before)
    charged = np.flatnonzero(exact.numerator)
    contract, row = contract[charged], row[charged]
    names = book.products.take(pa.array(said.product[row]))
    made = Made(COMMITMENT, contract, names, said.version[row], taken(exact, charged), taken(more, charged))
    return made, Owed(
        np.concatenate([owed.contract, contract]),
        np.concatenate([owed.product, said.product[row]]),
        np.concatenate([owed.category, said.category[row]]),
        joined([owed.amount, made.amount]),
    )


def _costs(book: Book, owed: Owed, contract: Int64s) -> tuple[Ratios, Int64s]:
    """What each of some contracts is charged, line by line."""
    order = np.argsort(owed.contract, kind="stable")
    bounds = np.searchsorted(owed.contract[order], np.arange(len(book.contracts.id) + 1))
    _, place = expand(bounds[contract], bounds[contract + 1])
    return taken(owed.amount, order[place]), offsets(bounds[contract + 1] - bounds[contract])


def _by_contract(owed: Owed) -> Owed:
    order = np.argsort(owed.contract, kind="stable")
    return Owed(owed.contract[order], owed.product[order], owed.category[order], taken(owed.amount, order))


def _discounts(book: Book, owed: Owed) -> tuple[Made, Ratios]:
    """What each contract's discounts take off, and what they leave of each line."""
    said = book.agreed.discounts
    starts = np.flatnonzero(np.diff(owed.contract, prepend=-1))
    offset, contract = np.append(starts, len(owed.contract)), owed.contract[starts]
    of_lines, line_rows = _chains(book, *_of_products(book, owed))
    chain = said.of_contract[contract]
    nth, place = expand(said.whole_offset[chain], said.whole_offset[chain + 1])
    of_contracts, rows = _chains(book, np.bincount(nth, minlength=len(contract)), said.whole[place])
    net = after_discounts(owed.amount, offset, of_lines, of_contracts, _rule(book, contract))
    left = totals(net.left, offset)
    exact = joined(
        [
            spread(exactly_off(owed.amount, of_lines, net.off_lines), len(line_rows)),
            spread(exactly_off(left, of_contracts, net.off), len(rows)),
        ]
    )
    off = joined([spread(net.off_lines, len(line_rows)), spread(net.off, len(rows))])
    whose = np.concatenate([owed.contract[group_of(of_lines.offset)], contract[group_of(of_contracts.offset)]])
    return _of_each(book, whose, np.concatenate([line_rows, rows]), exact, off), net.lines


def _of_products(book: Book, owed: Owed) -> tuple[Int64s, Int64s]:
    """How many discounts of products each line has, and which."""
    said = book.agreed.discounts
    key = said.of_contract[owed.contract] * len(book.products) + owed.product
    first, after = (np.searchsorted(said.product_key, key, side=side) for side in ("left", "right"))
    _, place = expand(first, after)
    return after - first, said.by_product[place]


def _chains(book: Book, counts: Int64s, rows: Int64s) -> tuple[Discounts, Int64s]:
    said = book.agreed.discounts
    return Discounts(offsets(counts), said.kind[rows], taken(said.value, rows)), rows


def _of_each(book: Book, contract: Int64s, row: Int64s, exact: Ratios, off: Ratios) -> Made:
    """One line for each discount of a contract that takes something off."""
    said = book.agreed.discounts
    order = np.lexsort((row, contract))
    contract, row = contract[order], row[order]
    starts = np.flatnonzero((np.diff(contract, prepend=-1) != 0) | (np.diff(row, prepend=-1) != 0))
    offset = np.append(starts, len(order))
    exact, off = totals(taken(exact, order), offset), totals(taken(off, order), offset)
    given = np.flatnonzero(exact.numerator)
    contract, row = contract[starts[given]], row[starts[given]]
    names = pa.array(said.name, pa.string()).take(pa.array(row))
    amounts = (negative(taken(one, given)) for one in (exact, off))
    return Made(DISCOUNT, contract, names, said.version[row], *amounts)


def _taxes(book: Book, spans: Spans, net: Owed, tax_service: TaxService) -> Iterator[Made]:
    """One line for each tax of an invoice, rounded once; what is zero is not taxed, and a rate of zero is shown."""
    rates = book.agreed.rates
    place = rates.place_of[book.contracts.customer[net.contract]]
    is_taxed = np.flatnonzero((place >= 0) & (np.broadcast_to(net.amount.numerator, place.shape) != 0))
    if not len(is_taxed):
        return
    contract, category = net.contract[is_taxed], net.category[is_taxed]
    # The first contract of an invoice stands for it.
    _, first, own = np.unique(invoice_of(book, contract), return_index=True, return_inverse=True)
    first_contract = contract[first]
    # Supplied over its contracts' periods, and taxed as of the last day of the last of them.
    last_day = days_of(spans.period_end, np.arange(len(book.calendars)), book.zones) - 1
    day = np.full(len(first), last_day.min())
    np.maximum.at(day, own.reshape(-1), last_day[book.contracts.calendar[contract]])
    asked = OfInvoice(rates.place_of[book.contracts.customer[first_contract]], day, None)
    found = taxed(taken(net.amount, is_taxed), own.reshape(-1), category, asked, tax_service)
    _refuse_unknown(book, found.taxable, found.taxes.untaxable)
    invoice, tax = found.invoice[found.taxes.row], found.taxes.tax
    order = np.lexsort((tax, invoice))
    invoice, tax = invoice[order], tax[order]
    starts = np.flatnonzero((np.diff(invoice, prepend=-1) != 0) | (np.diff(tax, prepend=-1) != 0))
    base = taken(found.taxable.base, found.taxes.row[order])
    percent = taken(spread(found.taxes.percent, len(order)), order)
    offset = np.append(starts, len(order))
    exact = totals(times(times(base, percent), constant(1, 100)), offset)
    of_invoice = first_contract[invoice[starts]]
    amount = rounded(totals(taken(found.taxes.amount, order), offset), _rule(book, of_invoice))
    names = pa.array(rates.names, pa.string()).take(pa.array(tax[starts]))
    version = _tax_version(book, asked.place[invoice[starts]], tax[starts])
    yield Made(TAX, of_invoice, names, version, exact, amount)


def _refuse_unknown(book: Book, taxable: Taxable, rows: Int64s) -> None:
    if len(rows):
        rates = book.agreed.rates
        place, category = (
            names[int(code[rows[0]])]
            for names, code in ((rates.places, taxable.place), (rates.categories, taxable.category))
        )
        message = (
            f"nobody knows what is taxed in {place} as {category}: add its rate under `taxes` of the catalog (0 where "
            "none is due), and close again"
        )
        raise Refused(message)


def _tax_version(book: Book, place: Int64s, tax: Int64s) -> Int64s:
    """The newest catalog version that wrote a rate of each tax at its place."""
    rates = book.agreed.rates
    newest = np.zeros((len(rates.places), len(rates.names)), dtype=np.int64)
    np.maximum.at(newest, (rates.table.place, rates.table.tax), rates.version)
    return newest[place, tax]
