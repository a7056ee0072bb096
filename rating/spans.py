"""Turn the days of a period, of contracts and of prices into instants, each in its contract's calendar.

Contracts in different zones, or with different anchors, mean different instants by the same period.
"""

from typing import NamedTuple

import numpy as np

from rating.book import Book
from rating.exact import Int64s
from rating.periods import Period, day_starts, instants


class Spans(NamedTuple):
    """Instants, UTC milliseconds."""

    period_start: Int64s
    """Per calendar of the book."""
    period_end: Int64s
    contract_start: Int64s
    """Per contract of the book."""
    contract_end: Int64s


def spans(book: Book, period: Period) -> Spans:
    """The instants that matter to `period` under `book`."""
    periods = np.array([instants(period, *calendar) for calendar in book.calendars], dtype=np.int64)
    starts = day_starts(book.contracts.starts, book.contracts.calendar, book.zones)
    ends = day_starts(book.contracts.ends, book.contracts.calendar, book.zones)
    return Spans(periods[:, 0], periods[:, 1], starts, ends)
