"""Where periods begin, and what a stretch of time holds of them, as a calendar on the wall has it."""

import calendar
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating import ratios
from rating.exact import Int64s
from rating.periods import day_number
from rating.proration import cycles
from rating.proration.changes import billing_cycles
from rating.proration.cycles import Cycles
from rating.rounding import Rounding

ONE = np.ones(1, dtype=np.int64)


def days(*texts: str) -> Int64s:
    return np.array([day_number(date.fromisoformat(text)) for text in texts], dtype=np.int64)


def dates(found: Int64s) -> list[str]:
    return [(date(1970, 1, 1) + timedelta(days=int(day))).isoformat() for day in found]


def test_a_month_end_anchor_keeps_to_the_month_end_and_returns_to_its_day() -> None:
    yearly = cycles.anniversaries(days(*["2024-01-31"] * 14), np.repeat(1, 14))
    assert dates(cycles.nth_start(yearly, np.arange(14))) == [
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
        "2024-05-31",
        "2024-06-30",
        "2024-07-31",
        "2024-08-31",
        "2024-09-30",
        "2024-10-31",
        "2024-11-30",
        "2024-12-31",
        "2025-01-31",
        "2025-02-28",
    ]


def test_an_anniversary_of_29_february_is_the_28th_until_the_next_leap_year() -> None:
    born = cycles.anniversaries(days(*["2024-02-29"] * 5), np.repeat(12, 5))
    starts = ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]
    assert dates(cycles.nth_start(born, np.arange(5))) == starts


@pytest.mark.parametrize(
    ("months", "day", "start", "end"),
    [
        (1, "2024-02-29", "2024-02-01", "2024-03-01"),
        (3, "2026-11-30", "2026-10-01", "2027-01-01"),
        (12, "2024-12-31", "2024-01-01", "2025-01-01"),
        (1, "1969-12-31", "1969-12-01", "1970-01-01"),
    ],
)
def test_calendar_periods_are_the_calendars(months: int, day: str, start: str, end: str) -> None:
    found = cycles.period_of(cycles.calendar(ONE * months), days(day))
    assert [dates(side) for side in found] == [[start], [end]]


def test_weeks_run_from_their_anchor_both_ways() -> None:
    fortnight = Cycles(days("2026-01-05", "2026-01-05"), np.array([5, 5]), np.array([0, 0]), np.array([14, 14]))
    start, end = cycles.period_of(fortnight, days("2026-01-04", "2026-01-19"))
    assert (dates(start), dates(end)) == (["2025-12-22", "2026-01-19"], ["2026-01-05", "2026-02-02"])


anchors = st.dates(date(1960, 1, 1), date(2400, 1, 1))


@given(st.lists(st.tuples(anchors, st.integers(1, 31), st.sampled_from([1, 2, 3, 6, 12]), anchors), min_size=1))
def test_every_day_lies_in_one_period(rows: list[tuple[date, int, int, date]]) -> None:
    anchor, bill_day, months, day = zip(*rows, strict=True)
    monthly = Cycles(
        np.array([day_number(each) for each in anchor]),
        np.array(bill_day),
        np.array(months),
        np.zeros(len(rows), dtype=np.int64),
    )
    asked = np.array([day_number(each) for each in day])
    number = cycles.number_of(monthly, asked)
    start, end = cycles.period_of(monthly, asked)
    assert np.all((start <= asked) & (asked < end))
    assert np.array_equal(end, cycles.nth_start(monthly, number + 1))
    for text, wanted, step, origin in zip(dates(start), bill_day, months, anchor, strict=True):
        begins = date.fromisoformat(text)
        assert begins.day == min(wanted, calendar.monthrange(begins.year, begins.month)[1])
        assert ((begins.year - origin.year) * 12 + begins.month - origin.month) % step == 0


KILL_BILL = [
    (12, "2011-01-31", "2012-01-15", 31, 0, None, (349, 365), "0.956164384"),
    (12, "2011-01-10", "2012-03-04", 17, 1, (7, 365), (47, 366), "1.147593383"),
    (1, "2011-02-07", "2011-03-10", 7, 1, None, (3, 31), "1.096774194"),
    (1, "2011-03-10", "2011-05-15", 15, 2, (5, 28), None, "2.178571429"),
    (1, "2011-02-07", "2011-02-15", 7, 0, None, (8, 28), "0.285714286"),
    (1, "2011-02-01", "2011-02-14", 1, 0, None, (13, 28), "0.464285714"),
    (1, "2010-12-15", "2011-03-17", 15, 3, None, (2, 31), "3.064516129"),
    (1, "2011-02-17", "2011-04-03", 3, 1, (14, 28), None, "1.5"),
    (3, "2011-02-14", "2011-05-31", 31, 1, (14, 92), None, "1.152173913"),
    (3, "2011-05-10", "2011-11-15", 15, 2, (5, 89), None, "2.056179775"),
    (3, "2011-02-07", "2011-02-15", 7, 0, None, (8, 89), "0.089887640"),
    (3, "2012-02-01", "2012-02-15", 1, 0, None, (14, 90), "0.155555556"),
]
"""Months of a cycle, from, to, bill day; whole cycles, the stubs before and after, and all in cycles."""


@pytest.mark.parametrize(("months", "start", "end", "bill_day", "whole", "before", "after", "in_cycles"), KILL_BILL)
def test_a_stretch_of_time_is_whole_cycles_and_stubs(
    months: int,
    start: str,
    end: str,
    bill_day: int,
    whole: int,
    before: tuple[int, int] | None,
    after: tuple[int, int] | None,
    in_cycles: str,
) -> None:
    first = cycles.first_bill_day(days(start), ONE * bill_day)
    grid = Cycles(first, ONE * bill_day, ONE * months, ONE * 0)
    found = cycles.spanned(grid, days(start), days(end), back_from_start=True)
    assert found.whole.tolist() == [whole]
    assert (found.before.item(), found.before_of.item()) == (before or (0, found.before_of.item()))
    assert (found.after.item(), found.after_of.item()) == (after or (0, found.after_of.item()))
    billed = billing_cycles(ratios.whole(found.whole), *cycles.stubs(found), Rounding(9, ratios.HALF_UP))
    assert Fraction(billed.numerator.item(), billed.denominator.item()) == Fraction(in_cycles)


def test_on_the_grid_of_bill_days_the_quarter_before_28_february_began_on_30_november() -> None:
    grid = Cycles(days("2011-02-28"), ONE * 31, ONE * 3, ONE * 0)
    found = cycles.spanned(grid, days("2011-02-14"), days("2011-05-31"))
    assert (found.before.item(), found.before_of.item()) == (14, 90)


def test_a_stretch_inside_one_period_is_one_stub_of_it() -> None:
    found = cycles.spanned(cycles.calendar(ONE), days("2026-02-10"), days("2026-02-20"))
    assert [part.item() for part in found] == [0, 10, 28, 0, 28]


@given(st.integers(1, 31), st.sampled_from([1, 3, 12]), anchors, st.integers(0, 1500))
def test_stubs_and_cycles_hold_every_day_once(bill_day: int, months: int, start: date, length: int) -> None:
    first = np.array([day_number(start)])
    grid = Cycles(first, ONE * bill_day, ONE * months, ONE * 0)
    found = cycles.spanned(grid, first, first + length)
    opens = first + found.before
    number = cycles.number_of(grid, opens)
    closes = cycles.nth_start(grid, number + found.whole)
    is_inside = found.before.item() == length
    assert is_inside or (cycles.nth_start(grid, number) == opens and closes + found.after == first + length)
    assert found.before.item() < found.before_of.item()
    assert found.after.item() < found.after_of.item()
