"""Turn the days of a period, of contracts and of prices into instants, each in its contract's zone.

Contracts in different zones mean different instants by the same month.
"""

from typing import NamedTuple

import numpy as np

from rating.book import Book
from rating.exact import Int64s
from rating.periods import Period, day_starts, instants


class Spans(NamedTuple):
    """Instants, UTC milliseconds."""

    period_start: Int64s
    """Per zone of the book."""
    period_end: Int64s
    contract_start: Int64s
    """Per contract of the book."""
    contract_end: Int64s


def spans(book: Book, period: Period) -> Spans:
    """The instants that matter to `period` under `book`."""
    months = np.array([instants(period, zone) for zone in book.zones], dtype=np.int64)
    starts = day_starts(book.contracts.starts, book.contracts.zone, book.zones)
    ends = day_starts(book.contracts.ends, book.contracts.zone, book.zones)
    return Spans(months[:, 0], months[:, 1], starts, ends)
