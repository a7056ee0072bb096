"""Say which lines a period has: one for each price of a contract and window that was used, or that bills unused.

A line is a function of sums alone: neither their order nor how often time was cut makes a difference to it.
"""

from typing import NamedTuple

import numpy as np

from ledger.scale import Digests, digest_sums
from ledger.usage import Totals
from rating.book import Book
from rating.exact import Exact, Int64s, group_sums, largest
from rating.intervals import fee_windows
from rating.leaders import leaders
from rating.match import RATED, Match, price_span, rows_where
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
    everything = np.arange(len(matched.outcome))
    row, contract, price = rows_where(matched.outcome == RATED, everything, matched.contract, matched.price)
    # Prices of one product and meter follow each other, as the windows do in which they hold.
    key = line_key(book, _ranks(_contract_order(book))[contract], _ranks(np.argsort(_sold(book), kind="stable"))[price])
    order = np.argsort(key, kind="stable")
    starts = _starts(key[order])
    row, first = row[order], order[starts]
    contract, price = contract[first], price[first]
    return Lines(
        contract,
        price,
        *windows(book, spans, contract, price),
        group_sums(totals.events[row], starts),
        group_sums(totals.quantity[row], starts),
        digest_sums(totals.digest.take(row, axis=0), starts),
    )


def _starts(key: Int64s) -> Int64s:
    """Where another key begins than the one before."""
    begins = np.ones(len(key), dtype=np.bool_)
    np.not_equal(key[1:], key[:-1], out=begins[1:])
    return np.flatnonzero(begins)


def line_key(book: Book, contract: Int64s, price: Int64s) -> Int64s:
    """A number for each pair of a contract and a price."""
    return contract * len(book.prices.set) + price


def windows(book: Book, spans: Spans, contract: Int64s, price: Int64s) -> tuple[Int64s, Int64s]:
    """When the period, the contract and the price all hold."""
    calendar = book.contracts.calendar
    opens = np.maximum(spans.contract_start, spans.period_start[calendar])
    closes = np.minimum(spans.contract_end, spans.period_end[calendar])
    price_start, price_end = price_span(book, contract, price)
    return np.maximum(opens[contract], price_start), np.minimum(closes[contract], price_end)


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
    sold = _sold(book)
    key = _ranks(_contract_order(book))[lines.contract] * (largest(sold) + 1) + sold[lines.price]
    if bool((key[1:] > key[:-1]).all()):
        return lines
    order = np.lexsort((lines.window_start, key))
    return Lines._make(column.take(order, axis=0) for column in lines)


def _contract_order(book: Book) -> Int64s:
    """The contracts by entity, customer and currency."""
    contracts = book.contracts
    return np.lexsort((book.plan_currency[contracts.plan], contracts.customer, contracts.entity))


def _sold(book: Book) -> Int64s:
    """Per price: a number for its product and meter, ascending in the order of lines."""
    return book.prices.product * len(book.meters) + book.prices.meter


def _ranks(order: Int64s) -> Int64s:
    """Which place each row has in `order`."""
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


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
