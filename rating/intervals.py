"""Say which fees by the quarter or year are owed in a period: those whose interval begins in it, whole and in advance.

Intervals are counted from the contract's first day, or from the day on which the fee came to be, if that is later; a
day that a month does not have is its last. What an interval's later days may bring, an end or another price, changes
nothing of what was owed on its first: nothing is given back, and no run depends on what was not known yet.
"""

import numpy as np

from rating.book import Book
from rating.exact import Int64s
from rating.periods import day_starts
from rating.proration.cycles import anniversaries, nth_start, number_of
from rating.proration.shares import days_of


def fee_windows(book: Book, contract: Int64s, price: Int64s, start: Int64s, end: Int64s) -> tuple[Int64s, Int64s]:
    """The windows of fees; of one for longer than a month, the interval that begins in its window, else no window."""
    months = book.prices.months[price]
    longer = np.flatnonzero((months > 1) & (start < end))
    if not len(longer):
        return start, end
    contract, price, months = contract[longer], price[longer], months[longer]
    calendar = book.contracts.calendar[contract]
    first, after = (days_of(edge[longer], calendar, book.zones) for edge in (start, end))
    counted_from = np.maximum(book.contracts.starts[contract], book.prices.reckoned[price])
    cycles = anniversaries(counted_from, months)
    newest = number_of(cycles, after - 1)
    begins, ends = (nth_start(cycles, number) for number in (newest, newest + 1))
    edges = (begins, np.where(begins >= first, ends, begins))
    opens, closes = start.copy(), end.copy()
    opens[longer], closes[longer] = (day_starts(day, calendar, book.zones) for day in edges)
    return opens, closes
