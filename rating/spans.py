"""Turn the days of a period, of contracts and of prices into instants, each in its contract's zone.

Contracts in different zones mean different instants by the same month. All of the bounds together are the boundaries
that one aggregation over all customers cuts usage at; no window begins or ends between two of them.
"""

from typing import NamedTuple

import numpy as np

from rating.book import Book
from rating.exact import Int64s
from rating.periods import Period, day_starts, instants
from rating.ragged import expand


class Spans(NamedTuple):
    """Instants, UTC milliseconds."""

    period_start: Int64s
    """Per zone of the book."""
    period_end: Int64s
    contract_start: Int64s
    """Per contract of the book."""
    contract_end: Int64s
    boundaries: list[int]
    """Ascending, without repetitions; the first and the last enclose the period in every zone."""


def spans(book: Book, period: Period) -> Spans:
    """The instants that matter to `period` under `book`."""
    months = np.array([instants(period, zone) for zone in book.zones], dtype=np.int64)
    starts = day_starts(book.contracts.starts, book.contracts.zone, book.zones)
    ends = day_starts(book.contracts.ends, book.contracts.zone, book.zones)
    first, last = int(months.min()), int(months.max())
    bounds = np.unique(np.concatenate([months.ravel(), starts, ends, _price_starts(book)]))
    inside = bounds[(bounds >= first) & (bounds <= last)]
    return Spans(months[:, 0], months[:, 1], starts, ends, inside.tolist())


def _price_starts(book: Book) -> Int64s:
    """The first instant of each price in each zone that a contract on its plan is kept in."""
    zones = len(book.zones)
    pairs = np.unique(book.contracts.plan * zones + book.contracts.zone)
    plan, zone = pairs // zones, pairs % zones
    of_plan = book.prices.plan
    pair, price = expand(np.searchsorted(of_plan, plan, side="left"), np.searchsorted(of_plan, plan, side="right"))
    return day_starts(book.prices.since[price], zone[pair], book.zones)
