"""Say where billing periods begin and end: calendar months, anniversaries, bill days, every so many days.

A bill day that a month does not have falls on the month's last day, and on its own day again in the next month that
has it: 31 January, 28 February, 31 March. Days are counted from 1970-01-01 and a period ends where the next begins.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rating.exact import Int64s
from rating.ratios import Ratios

Months = NDArray[np.int64]
"""Counted from January 1970."""


class Cycles(NamedTuple):
    """How periods follow each other, row by row: every `months`, or every `days` where `months` is zero."""

    anchor: Int64s
    """A day on which a period begins; of monthly ones, any day of a month in which one does."""
    bill_day: Int64s
    """The day of the month, 1 to 31, on which monthly periods begin."""
    months: Int64s
    days: Int64s


class Spanned(NamedTuple):
    """A stretch of time in whole periods, and the days before and after them as parts of the periods they lie in."""

    whole: Int64s
    before: Int64s
    before_of: Int64s
    after: Int64s
    after_of: Int64s


def anniversaries(first_day: Int64s, months: Int64s) -> Cycles:
    """Periods counted from a first day: the month's last days stay the last ones as far as they are 29 to 31."""
    return Cycles(first_day, first_day - month_start(month_of(first_day)) + 1, months, np.zeros_like(months))


def calendar(months: Int64s) -> Cycles:
    """Months, quarters and years as the calendar has them."""
    return Cycles(np.zeros_like(months), np.ones_like(months), months, np.zeros_like(months))


def first_bill_day(day: Int64s, bill_day: Int64s) -> Int64s:
    """The first bill day that is not before `day`."""
    month = month_of(day)
    same_month = _day_in(month, bill_day)
    return np.where(same_month >= day, same_month, _day_in(month + 1, bill_day))


def nth_start(cycles: Cycles, ordinal: Int64s) -> Int64s:
    """Where the period number `ordinal` begins; number 0 begins at the anchor or in its month."""
    by_month = _day_in(month_of(cycles.anchor) + ordinal * cycles.months, cycles.bill_day)
    return np.where(cycles.months > 0, by_month, cycles.anchor + ordinal * cycles.days)


def number_of(cycles: Cycles, day: Int64s) -> Int64s:
    """The number of the period that holds `day`."""
    by_month = (month_of(day) - month_of(cycles.anchor)) // np.maximum(cycles.months, 1)
    by_day = (day - cycles.anchor) // np.maximum(cycles.days, 1)
    number = np.where(cycles.months > 0, by_month, by_day)
    # A month may hold days before its bill day: they belong to the period before.
    return number - (nth_start(cycles, number) > day)


def period_of(cycles: Cycles, day: Int64s) -> tuple[Int64s, Int64s]:
    """The first day of the period that holds `day`, and the first day after it."""
    number = number_of(cycles, day)
    return nth_start(cycles, number), nth_start(cycles, number + 1)


def spanned(cycles: Cycles, start: Int64s, end: Int64s, *, back_from_start: bool = False) -> Spanned:
    """What [start, end) holds of periods.

    Days before the first whole period are a part of the period that ends there. With `back_from_start` that period is
    counted back from the first one's start, not on the grid of bill days: before 28 February it began on 28 November,
    though the bill day is the 31st.
    """
    number = number_of(cycles, start)
    opens = number + (nth_start(cycles, number) < start)
    first, closes = nth_start(cycles, opens), number_of(cycles, end)
    is_inside = first > end
    last = nth_start(cycles, closes)
    earlier = _months_before(first, cycles.months) if back_from_start else nth_start(cycles, opens - 1)
    earlier = np.where(cycles.months > 0, earlier, first - cycles.days)
    return Spanned(
        np.maximum(closes - opens, 0),
        np.where(is_inside, end, first) - start,
        first - earlier,
        np.where(is_inside, 0, end - last),
        nth_start(cycles, closes + 1) - last,
    )


def stubs(found: Spanned) -> tuple[Ratios, Int64s]:
    """The part before and the part after of every stretch, as ratios, and where each stretch's two begin."""
    days = np.stack([found.before, found.after], axis=1).reshape(-1)
    periods = np.stack([found.before_of, found.after_of], axis=1).reshape(-1)
    return Ratios(days, periods), np.arange(0, len(days) + 1, 2)


def month_of(day: Int64s) -> Months:
    """The month that `day` lies in."""
    month: Months = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return month


def month_start(month: Months) -> Int64s:
    """The first day of `month`."""
    day: Int64s = month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return day


def _day_in(month: Months, bill_day: Int64s) -> Int64s:
    day: Int64s = np.minimum(month_start(month) + bill_day - 1, month_start(month + 1) - 1)
    return day


def _months_before(day: Int64s, months: Int64s) -> Int64s:
    month = month_of(day)
    return _day_in(month - months, day - month_start(month) + 1)
