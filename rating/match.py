"""Say which price of which contract each stretch of usage belongs to, or why none does.

Every instant of a customer's usage of a meter belongs to exactly one period. Where a contract prices it, that is the
period of the contract's calendar; where none does, that of the customer's home, which is the calendar of its first
contract, or months in UTC. What another period will count is told apart from what nobody will.
"""

from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rating.book import Book, positions
from rating.exact import Int64s
from rating.periods import UTC_MONTHS, day_starts
from rating.ragged import expand
from rating.spans import Spans

RATED: Final = 0
OTHER_PERIOD: Final = 1
NO_CUSTOMER: Final = 2
NO_CONTRACT: Final = 3
NO_PRICE: Final = 4
REASONS: Final = {NO_CUSTOMER: "no_customer", NO_CONTRACT: "no_contract", NO_PRICE: "no_price"}
"""Why usage of the period is not rated: nobody owns its subject, no contract is in force, the plan has no price."""


class Stretches(Protocol):
    """Usage by meter, subject and stretch of time, row for row."""

    @property
    def meter(self) -> pa.Array:
        """Names, dictionary-encoded or not."""

    @property
    def subject(self) -> pa.Array:
        """Names, dictionary-encoded or not."""

    @property
    def segment(self) -> Int64s:
        """The boundary at or before the usage's time."""


class Match(NamedTuple):
    """Row for row of the usage."""

    outcome: NDArray[np.int8]
    contract: Int64s
    """The contract that prices the row, where one does."""
    price: Int64s


def match(book: Book, spans: Spans, usage: Stretches) -> Match:
    """Where each row of `usage` belongs."""
    customer = _owner(book, usage.subject)
    row, contract = _contracts_in_force(book, spans, customer, usage.segment)
    has_contract = np.zeros(len(customer), dtype=np.bool_)
    has_contract[row] = True
    nth, price = prices_in_force(book, contract, named(usage.meter, book.meters)[row], usage.segment[row])
    row, contract = row[nth], contract[nth]
    assert bool((row[1:] > row[:-1]).all()), "two contracts bill the same usage: the catalog should have refused them"
    ours = _in_period(spans, book.contracts.calendar[contract], usage.segment[row])
    found = Match(
        _placed(np.where(ours, RATED, OTHER_PERIOD).astype(np.int8), row, len(customer), missing=NO_PRICE),
        _placed(contract, row, len(customer), missing=-1),
        _placed(price, row, len(customer), missing=-1),
    )
    rest = np.flatnonzero(found.price < 0)
    found.outcome[rest] = _unmatched(book, spans, customer[rest], has_contract[rest], usage.segment[rest])
    return found


def _placed(values: NDArray[Any], row: Int64s, count: int, missing: int) -> NDArray[Any]:
    """A column of `count` rows that has `values` in some, each once and in their order."""
    if len(row) == count:
        return values
    column = np.full(count, missing, dtype=values.dtype)
    column[row] = values
    return column


def plain(column: pa.Array) -> pa.Array:
    """`column` without dictionary encoding."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _owner(book: Book, subject: pa.Array) -> Int64s:
    """Per row: the customer who owns the subject, or -1."""
    # The entry after the last is what position -1 reads.
    return np.append(book.subjects.customer, -1)[named(subject, book.subjects.subject)]


def named(column: pa.Array, among: pa.Array) -> Int64s:
    """Where each name of `column` is in `among`, or -1."""
    if not pa.types.is_dictionary(column.type):
        return positions(column, among)
    found: Int64s = positions(column.dictionary, among)[column.indices.to_numpy()]
    return found


def _contracts_in_force(book: Book, spans: Spans, customer: Int64s, segment: Int64s) -> tuple[Int64s, Int64s]:
    """The rows and the contracts that are in force for them; a row may have several, with different meters."""
    # Nobody, who is customer -1, has none: the last two bounds are the same.
    bounds = np.searchsorted(book.contracts.customer, np.arange(len(book.customers) + 2))
    row, contract = expand(bounds[:-1][customer], bounds[1:][customer])
    at = segment[row]
    holds = (spans.contract_start[contract] <= at) & (at < spans.contract_end[contract])
    row, contract = rows_where(holds, row, contract)
    return row, contract


def rows_where(holds: NDArray[np.bool_], *columns: Int64s) -> tuple[Int64s, ...]:
    """The rows of `columns` for which it holds; mostly it does for all, and nothing is copied."""
    return columns if holds.all() else tuple(column[holds] for column in columns)


def prices_in_force(book: Book, contract: Int64s, meter: Int64s, segment: Int64s) -> tuple[Int64s, Int64s]:
    """The rows whose contract prices their meter at that time, and the prices."""
    meters = max(len(book.meters), 1)
    key = book.prices.set * meters + book.prices.meter
    wanted = np.where(meter >= 0, book.contracts.prices[contract] * meters + meter, -1)
    row, price = expand(np.searchsorted(key, wanted, side="left"), np.searchsorted(key, wanted, side="right"))
    start, end = price_span(book, contract[row], price)
    at = segment[row]
    row, price = rows_where((start <= at) & (at < end), row, price)
    return row, price


def price_span(book: Book, contract: Int64s, price: Int64s) -> tuple[Int64s, Int64s]:
    """From when until when each price holds under the contract beside it."""
    prices, zones, calendar = book.prices, book.zones, book.contracts.calendar[contract]
    count = len(prices.set)
    if len(zones) * count > len(price):
        return (
            day_starts(prices.since[price], calendar, zones),
            day_starts(prices.until[price], calendar, zones),
        )
    # Looked up once for each price in each zone, and not for each of millions of rows.
    place = calendar * count + price
    zone, each = np.divmod(np.arange(len(zones) * count), max(count, 1))
    return day_starts(prices.since[each], zone, zones)[place], day_starts(prices.until[each], zone, zones)[place]


def _unmatched(
    book: Book, spans: Spans, customer: Int64s, has_contract: NDArray[np.bool_], segment: Int64s
) -> NDArray[np.int8]:
    """The outcome of each row if nothing prices it."""
    reason = np.where(has_contract, NO_PRICE, np.where(customer >= 0, NO_CONTRACT, NO_CUSTOMER))
    return np.where(_in_period(spans, _home(book)[customer], segment), reason, OTHER_PERIOD).astype(np.int8)


def _home(book: Book) -> Int64s:
    """Per customer, and for nobody at position -1: the calendar of the first contract, or months in UTC."""
    home = np.full(len(book.customers) + 1, book.calendars.index(UTC_MONTHS))
    # Written last to first, so that each customer's first contract is what stays.
    order = np.lexsort((book.contracts.starts, book.contracts.customer))[::-1]
    home[book.contracts.customer[order]] = book.contracts.calendar[order]
    return home


def _in_period(spans: Spans, calendar: Int64s, segment: Int64s) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (spans.period_start[calendar] <= segment) & (segment < spans.period_end[calendar])
    return inside
