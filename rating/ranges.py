"""Cut the lines of a period into ranges, and say what the lines of one cost.

A line's charge is a function of the line, the book and the cutoff, so ranges may be rated in any order and anywhere.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ledger.scale import QUANTITY_SCALE
from rating.beyond_sums import Details, fees, of_some
from rating.book import Book
from rating.charges import charges_of, minor_amounts_of
from rating.exact import Exact, Int64s
from rating.gathered import Gathered
from rating.invoicing.pricing_units import converted
from rating.lines import Lines, shares
from rating.pricing import rate as pricing
from rating.pricing.shapes import PriceList
from rating.pricing.usage import Usage, taken_usage
from rating.proration.shares import days_of
from rating.ratios import Ratios, of_scale, spread, where
from rating.rounding import Rounding
from rating.spans import Spans

RANGE_ROWS = 2**16
"""Lines, with the events and keys that they are priced on: what is calculated on the way to their charges takes some
40 MB. Halves and quarters of it cost more time, and so do whole periods."""


class Terms(NamedTuple):
    """What every line of a period is rated under."""

    book: Book
    spans: Spans
    cutoff: int


class Range(NamedTuple):
    """Some of the lines, in their order."""

    first: int
    """The number of the first."""
    lines: Lines
    details: Details


class Charged(NamedTuple):
    """What lines cost."""

    charges: pa.Table
    """In the ledger's schema, with run 0."""
    exact: Ratios
    """What each costs before it was rounded, row by row."""


class Priced(NamedTuple):
    """Line for line, what it costs."""

    exact: Ratios
    """Before it was rounded."""
    amount: Ratios


def ranges(lines: Lines, details: Details) -> list[Range]:
    """All lines, in order; a line with more events than a range has rows is a range of its own."""
    rows = np.ones(len(lines.contract), dtype=np.int64)
    for parts in details.parts:
        rows += np.diff(parts.start)
    begins = np.flatnonzero(np.diff((np.cumsum(rows) - 1) // RANGE_ROWS, prepend=-1)).tolist() or [0]
    found = []
    for first, last in zip(begins, [*begins[1:], len(rows)], strict=True):
        own = slice(first, last)
        found.append(Range(first, Lines._make(column[own] for column in lines), of_some(details, own)))
    return found


def charged(terms: Terms, one: Range) -> Charged:
    """The charges of a range's lines."""
    priced = price(terms, one.lines, one.details)
    charges = charges_of(terms.book, one.lines, priced.exact, priced.amount, terms.cutoff, one.first)
    return Charged(charges, spread(priced.exact, len(charges)))


def minor_amounts(terms: Terms, one: Range) -> Exact:
    """What the charges of a range's lines come to, in minor units, where nobody asks for the charges."""
    return minor_amounts_of(terms.book, one.lines, price(terms, one.lines, one.details).amount)


def price(terms: Terms, lines: Lines, details: Details) -> Priced:
    """What each line costs in money."""
    found = _price(terms, lines, details)
    return _in_money(terms.book, lines, found) if len(terms.book.pricing_units.since) else found


def _in_money(book: Book, lines: Lines, found: Priced) -> Priced:
    """Amounts in pricing units as money, at the rates of the first days of their windows; rounded once, as money."""
    day = days_of(lines.window_start, book.contracts.calendar[lines.contract], book.zones)
    rule = _rounding(book.prices.listed, book.prices.terms[lines.price])
    money = converted(found.exact, book.contracts.plan[lines.contract], day, book.pricing_units, rule)
    return Priced(where(money.has_rate, money.precise, found.exact), where(money.has_rate, money.amount, found.amount))


def _rounding(prices: PriceList, of_line: Int64s) -> Rounding:
    """How each line is rounded."""
    rules = [shape.example.rounding for shape in prices.shapes]
    scale, mode = (np.array([getattr(rule, name) for rule in rules], dtype=np.int64) for name in ("scale", "mode"))
    shape = prices.shape[of_line]
    return Rounding(scale[shape], mode[shape])


def _price(terms: Terms, lines: Lines, details: Details) -> Priced:
    """What each line costs in the unit of its price: its usage, or the share of its month."""
    prices = terms.book.prices
    of_line, is_monthly = prices.terms[lines.price], prices.is_monthly[lines.price]
    quantity = of_scale(lines.quantity, QUANTITY_SCALE)
    if details.summed is not None:
        quantity = where(prices.is_summed[lines.price], details.summed, quantity)
    used = Usage(quantity, fees=fees(prices, lines, details))
    if not is_monthly.any():
        found = pricing.rate(prices.listed, of_line, used)
        return Priced(found.exact, found.amount)
    exact, amount = Gathered(len(of_line)), Gathered(len(of_line))
    for rows, usage in (
        (np.flatnonzero(~is_monthly), used),
        (np.flatnonzero(is_monthly), used._replace(quantity=shares(terms.book, terms.spans, lines))),
    ):
        found = pricing.rate(prices.listed, of_line[rows], taken_usage(usage, rows))
        exact.put(rows, found.exact)
        amount.put(rows, found.amount)
    return Priced(exact.column(), amount.column())
