"""How eight engines count days: which share of a period a change leaves."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.exact import Int64s
from rating.periods import day_number, day_start
from rating.proration import cycles
from rating.proration.shares import HALF_OPEN, Counting, days_of, share, share_charged, share_left
from rating.ratios import Ratios

NAMED = Counting(names_last_day=True)
ZONES = ["UTC", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Beirut", "Australia/Lord_Howe"]


def day(text: str) -> Int64s:
    return np.array([day_number(date.fromisoformat(text))], dtype=np.int64)


def seconds(at: Int64s, zone: str) -> Int64s:
    """The instant at which a day begins."""
    return np.array([day_start(at.item(), zone) // 1000], dtype=np.int64)


def only(found: Ratios) -> Fraction:
    return Fraction(found.numerator.item(), found.denominator.item())


@pytest.mark.parametrize(
    ("at", "start", "end", "counting", "left"),
    [
        pytest.param("2024-01-15", "2024-01-01", "2024-01-31", NAMED, Fraction(17, 31), id="lago: both ends count"),
        pytest.param("2024-08-10", "2024-08-01", "2024-08-31", NAMED, Fraction(22, 31), id="lago: from the 10th"),
        pytest.param("2024-03-15", "2024-03-01", "2024-03-31", NAMED, Fraction(17, 31), id="flexprice's engine"),
        pytest.param("2024-01-16", "2024-01-01", "2024-01-31", HALF_OPEN, Fraction(15, 30), id="meteroid"),
        pytest.param("2024-02-25", "2024-02-18", "2024-03-18", HALF_OPEN, Fraction(22, 29), id="polar in a leap year"),
        pytest.param("2024-09-05", "2024-02-18", "2025-02-18", HALF_OPEN, Fraction(166, 366), id="polar by the year"),
        pytest.param(
            "2024-06-10",
            "2024-06-01",
            "2024-07-01",
            Counting(change_day_is_used=True),
            Fraction(20, 30),
            id="flexprice's page: the day of the change is used",
        ),
        pytest.param("2024-07-01", "2024-06-01", "2024-07-01", HALF_OPEN, Fraction(0), id="at the end"),
        pytest.param("2024-05-01", "2024-06-01", "2024-07-01", HALF_OPEN, Fraction(1), id="before the start"),
        pytest.param("2024-08-01", "2024-06-01", "2024-07-01", NAMED, Fraction(0), id="long after the end"),
    ],
)
def test_what_a_change_leaves_of_a_period(at: str, start: str, end: str, counting: Counting, left: Fraction) -> None:
    assert only(share_left(day(at), day(start), day(end), counting)) == left


def test_a_part_in_the_middle_has_its_own_days_only() -> None:
    part = share(day("2026-01-01"), day("2026-02-01"), day("2026-01-01"), day("2026-03-01"))
    assert only(part) == Fraction(31, 59)


def test_seconds_are_counted_like_days() -> None:
    at, start, end = (seconds(day(text), "UTC") for text in ("2026-01-20", "2026-01-01", "2026-02-01"))
    assert only(share_left(at, start, end)) == Fraction(1_036_800, 2_678_400)


def test_a_day_on_which_clocks_change_is_a_day_but_not_24_hours() -> None:
    start, at, end = (day(text) for text in ("2026-03-29", "2026-03-30", "2026-03-31"))
    assert only(share_left(at, start, end)) == Fraction(1, 2)
    changes, begins, ends = (seconds(each, "Europe/Berlin") for each in (at, start, end))
    assert only(share_left(changes, begins, ends)) == Fraction(24, 47)


def test_a_new_period_is_charged_in_full_and_a_running_one_by_what_is_left() -> None:
    returned = Ratios(np.array([15, 15]), np.array([30]))
    charged = share_charged(returned, np.array([True, False]))
    assert [Fraction(int(n), int(charged.denominator[0])) for n in charged.numerator] == [1, Fraction(1, 2)]


@given(
    st.integers(1, 31), st.sampled_from([1, 3, 12]), st.integers(0, 20_000), st.lists(st.integers(0, 400), max_size=4)
)
def test_the_parts_of_a_period_add_up_to_it(bill_day: int, months: int, within: int, cuts: list[int]) -> None:
    one = np.ones(1, dtype=np.int64)
    grid = cycles.Cycles(one * 0, one * bill_day, one * months, one * 0)
    start, end = (side.item() for side in cycles.period_of(grid, one * within))
    bounds = sorted([start, end, *(min(start + cut, end) for cut in cuts)])
    first, after = np.array(bounds[:-1]), np.array(bounds[1:])
    parts = share(first, after, np.full_like(first, start), np.full_like(first, end))
    rows = np.broadcast(parts.numerator, parts.denominator)
    assert sum(Fraction(int(numerator), int(denominator)) for numerator, denominator in rows) == 1


instants = st.integers(0, 4_000_000_000_000)


@given(st.lists(st.tuples(instants, st.integers(0, len(ZONES) - 1)), min_size=1, max_size=8))
def test_the_day_is_the_one_on_the_customers_wall(rows: list[tuple[int, int]]) -> None:
    instant, zone = (np.array(side, dtype=np.int64) for side in zip(*rows, strict=True))
    walls = [
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=when)).astimezone(ZoneInfo(ZONES[where])).date()
        for when, where in rows
    ]
    assert days_of(instant, zone, ZONES).tolist() == [day_number(wall) for wall in walls]
