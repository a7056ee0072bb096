"""Say which lines a period has: one for each price of a contract and window that was used, or that bills unused.

A line is a function of sums alone: neither their order nor how often time was cut makes a difference to it.
"""

from typing import NamedTuple

import numpy as np

from ledger.scale import Digests, digest_sums
from ledger.usage import Totals
from rating.book import Book
from rating.exact import Exact, Int64s, group_sums
from rating.intervals import fee_windows
from rating.leaders import leaders
from rating.match import RATED, Match, price_span
from rating.price_sets import PRORATIONS
from rating.proration.shares import days_of, share
from rating.ragged import expand
from rating.ratios import Ratios, constant, where
from rating.spans import Spans


class Lines(NamedTuple):
    """What of a contract's usage one price prices in one window."""

    contract: Int64s
    price: Int64s
    window_start: Int64s
    window_end: Int64s
    events: Int64s
    quantity: Exact
    """Scaled."""
    digest: Digests


def lines_of(book: Book, spans: Spans, totals: Totals, matched: Match) -> Lines:
    """Every line of the period, in the order of charges."""
    return in_order(book, with_idle(book, spans, _used(book, spans, totals, matched)))


def _used(book: Book, spans: Spans, totals: Totals, matched: Match) -> Lines:
    rated = np.flatnonzero(matched.outcome == RATED)
    key = line_key(book, matched.contract[rated], matched.price[rated])
    order = np.argsort(key, kind="stable")
    key, row = key[order], rated[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    contract, price = matched.contract[row[starts]], matched.price[row[starts]]
    return Lines(
        contract,
        price,
        *windows(book, spans, contract, price),
        group_sums(totals.events[row], starts),
        group_sums(totals.quantity[row], starts),
        digest_sums(totals.digest[row], starts),
    )


def line_key(book: Book, contract: Int64s, price: Int64s) -> Int64s:
    """A number for each pair of a contract and a price."""
    return contract * len(book.prices.set) + price


def windows(book: Book, spans: Spans, contract: Int64s, price: Int64s) -> tuple[Int64s, Int64s]:
    """When the period, the contract and the price all hold."""
    calendar = book.contracts.calendar[contract]
    price_start, price_end = price_span(book, contract, price)
    return (
        np.maximum(np.maximum(spans.contract_start[contract], price_start), spans.period_start[calendar]),
        np.minimum(np.minimum(spans.contract_end[contract], price_end), spans.period_end[calendar]),
    )


def with_idle(book: Book, spans: Spans, lines: Lines) -> Lines:
    """The lines, and those of prices that bill what was not used: fees, minimums, and what goes with other meters."""
    idle, lead = np.flatnonzero(book.prices.is_idle), leaders(book)
    led = np.flatnonzero(lead[lines.price] != lines.price)
    if not len(idle) and not len(led):
        return lines
    own = book.prices.set[idle]
    under = book.contracts.prices
    contract, place = expand(np.searchsorted(own, under, side="left"), np.searchsorted(own, under, side="right"))
    price = idle[place]
    if len(led):
        pairs = (line_key(book, contract, price), line_key(book, lines.contract[led], lead[lines.price[led]]))
        contract, price = np.divmod(np.unique(np.concatenate(pairs)), len(book.prices.set))
    start, end = fee_windows(book, contract, price, *windows(book, spans, contract, price))
    known = line_key(book, lines.contract, lines.price)
    owed = np.flatnonzero((start < end) & ~np.isin(line_key(book, contract, price), known))
    nothing = np.zeros(len(owed), dtype=np.int64)
    return Lines(
        np.concatenate([lines.contract, contract[owed]]),
        np.concatenate([lines.price, price[owed]]),
        np.concatenate([lines.window_start, start[owed]]),
        np.concatenate([lines.window_end, end[owed]]),
        np.concatenate([lines.events, nothing]),
        np.concatenate([lines.quantity, nothing]),
        np.concatenate([lines.digest, np.zeros((len(owed), 2), dtype=np.uint64)]),
    )


def in_order(book: Book, lines: Lines) -> Lines:
    """By entity, customer, currency, contract, product, meter and window: positions in a book are in their order."""
    contracts, prices = book.contracts, book.prices
    by = (
        lines.window_start,
        prices.meter[lines.price],
        prices.product[lines.price],
        lines.contract,
        book.plan_currency[contracts.plan[lines.contract]],
        contracts.customer[lines.contract],
        contracts.entity[lines.contract],
    )
    order = np.lexsort(by)
    return Lines._make(column[order] for column in lines)


def shares(book: Book, spans: Spans, lines: Lines) -> Ratios:
    """Which part of its period each line is owed for."""
    calendar = book.contracts.calendar[lines.contract]
    by_instant = share(lines.window_start, lines.window_end, spans.period_start[calendar], spans.period_end[calendar])
    by_day = share_by_day(book, spans, lines.contract, lines.window_start, lines.window_end)
    rule = book.prices.proration[lines.price]
    prorated = where(rule == PRORATIONS.index("second"), by_instant, by_day)
    return where(rule == PRORATIONS.index("none"), constant(1), prorated)


def share_by_day(book: Book, spans: Spans, contract: Int64s, start: Int64s, end: Int64s) -> Ratios:
    """Which part of the days of its contract's period each window is."""
    calendar = book.contracts.calendar[contract]
    instants = (start, end, spans.period_start[calendar], spans.period_end[calendar])
    first, last, period, next_period = (days_of(each, calendar, book.zones) for each in instants)
    return share(first, last, period, next_period)
