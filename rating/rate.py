"""Rate a whole period at once: from usage summed per meter and subject to charges, in columns.

A charge is one price of one contract in one window, and a function of sums and of what its price looks at beside them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.scale import QUANTITY_SCALE
from ledger.usage import Totals
from rating.beyond_sums import Beyond, fees
from rating.book import Book
from rating.charges import charges_of
from rating.exact import Int64s, total
from rating.gathered import Gathered
from rating.lines import Lines, lines_of, shares
from rating.match import OTHER_PERIOD, REASONS, Match, match, plain
from rating.pricing import rate as pricing
from rating.pricing.usage import Usage, taken_usage
from rating.ratios import Ratios, of_scale
from rating.spans import Spans

EXAMPLES_MAX = 5


class Measured(NamedTuple):
    """How much of a meter there is; the quantity is scaled."""

    events: int
    quantity: int


class Unrated(NamedTuple):
    """Usage of one meter that nobody pays for, and why."""

    meter: str
    reason: str
    measured: Measured
    subjects: int
    examples: list[str]
    """The first few of the subjects."""


class Rated(NamedTuple):
    """What a period's usage became."""

    charges: pa.Table
    """In the ledger's schema, with run 0."""
    exact: Ratios
    """What each costs before it was rounded."""
    unrated: list[Unrated]
    other_period: dict[str, Measured]
    """Per meter: usage between the first and the last boundary that its contract's zone puts into another period."""
    lines: Lines
    """What the charges were priced from, row by row."""


class Priced(NamedTuple):
    """Line for line, what it costs."""

    exact: Ratios
    """Before it was rounded."""
    amount: Ratios


def rate(book: Book, spans: Spans, totals: Totals, beyond: Beyond, cutoff: int) -> Rated:
    """The charges of the period of `spans`, and what of `totals` is in none of them."""
    matched = match(book, spans, totals)
    lines = lines_of(book, spans, totals, matched)
    charges, exact = charge(book, spans, lines, beyond, cutoff)
    return Rated(charges, exact, _unrated(totals, matched), _other_period(totals, matched), lines)


def charge(book: Book, spans: Spans, lines: Lines, beyond: Beyond, cutoff: int) -> tuple[pa.Table, Ratios]:
    """The charges that `lines` make, in their order, and what each costs exactly."""
    priced = price(book, spans, lines, beyond)
    return charges_of(book, lines, priced.exact, priced.amount, cutoff), priced.exact


def price(book: Book, spans: Spans, lines: Lines, beyond: Beyond) -> Priced:
    """What each line costs: its usage, or of a fee the share of its month."""
    terms = book.prices.terms[lines.price]
    is_fee = book.prices.is_fee[lines.price]
    used = Usage(of_scale(lines.quantity, QUANTITY_SCALE), fees=fees(book, spans, lines, beyond))
    if not is_fee.any():
        found = pricing.rate(book.prices.listed, terms, used)
        return Priced(found.exact, found.amount)
    exact, amount = Gathered(len(terms)), Gathered(len(terms))
    for rows, usage in (
        (np.flatnonzero(~is_fee), used),
        (np.flatnonzero(is_fee), used._replace(quantity=shares(book, spans, lines))),
    ):
        found = pricing.rate(book.prices.listed, terms[rows], taken_usage(usage, rows))
        exact.put(rows, found.exact)
        amount.put(rows, found.amount)
    return Priced(exact.column(), amount.column())


def _unrated(totals: Totals, matched: Match) -> list[Unrated]:
    """What is not rated though it is of the period, by meter and reason."""
    found = []
    for meter, rows in _rows_by_meter(totals, np.flatnonzero(matched.outcome > OTHER_PERIOD)):
        for code, reason in REASONS.items():
            here = rows[matched.outcome[rows] == code]
            if len(here):
                subjects = pc.unique(plain(totals.subject).take(pa.array(here)))
                examples = subjects.take(pc.sort_indices(subjects)[:EXAMPLES_MAX]).to_pylist()
                found.append(Unrated(meter, reason, _measured(totals, here), len(subjects), examples))
    return found


def _other_period(totals: Totals, matched: Match) -> dict[str, Measured]:
    rows = np.flatnonzero(matched.outcome == OTHER_PERIOD)
    return {meter: _measured(totals, here) for meter, here in _rows_by_meter(totals, rows)}


def _measured(totals: Totals, rows: Int64s) -> Measured:
    return Measured(total(totals.events[rows]), total(totals.quantity[rows]))


def _rows_by_meter(totals: Totals, rows: Int64s) -> Sequence[tuple[str, Int64s]]:
    """Some rows of the totals, meter by meter in the order of their names."""
    meter = plain(totals.meter).take(pa.array(rows)).dictionary_encode()
    codes = meter.indices.to_numpy()
    named = sorted((name, code) for code, name in enumerate(meter.dictionary.to_pylist()))
    return [(name, rows[codes == code]) for name, code in named]
