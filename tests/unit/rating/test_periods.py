"""When a month, a contract's day and a price's day begin, in the zones where that is not midnight UTC."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from rating.periods import (
    ALWAYS,
    INSTANT_ALWAYS_MS,
    INSTANT_NEVER_MS,
    NEVER,
    Period,
    day_number,
    day_start,
    day_starts,
    instants,
    parse_period,
)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def local(instant: int, zone: str) -> str:
    return datetime.fromtimestamp(instant // 1000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def test_a_month_in_utc_is_its_days() -> None:
    start, end = instants(Period(2026, 11), "UTC")
    assert (start, end - start) == (1_793_491_200_000, 30 * DAY_MS)


def test_december_ends_where_january_begins() -> None:
    assert instants(Period(2026, 12), "UTC")[1] == instants(Period(2027, 1), "UTC")[0]


@pytest.mark.parametrize(("year", "days"), [(2027, 28), (2028, 29), (2100, 28), (2000, 29)])
def test_february_knows_leap_years(year: int, days: int) -> None:
    start, end = instants(Period(year, 2), "UTC")
    assert end - start == days * DAY_MS


@pytest.mark.parametrize(
    ("zone", "month", "hours"),
    [
        ("Europe/Berlin", 10, 31 * 24 + 1),
        ("Europe/Berlin", 3, 31 * 24 - 1),
        ("America/New_York", 11, 30 * 24 + 1),
        ("Asia/Kolkata", 10, 31 * 24),
    ],
)
def test_a_month_with_a_clock_change_is_an_hour_longer_or_shorter(zone: str, month: int, hours: int) -> None:
    start, end = instants(Period(2026, month), zone)
    assert end - start == hours * HOUR_MS
    assert local(start, zone) == f"2026-{month:02d}-01 00:00"


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        # Clocks went from 00:00 to 01:00.
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04 01:00"),
        ("Asia/Beirut", date(2022, 3, 27), "2022-03-27 01:00"),
        # The whole of 30 December was skipped: it begins and ends where the 31st does.
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-31 00:00"),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-31 00:00"),
        # Midnight came twice: the day begins at the first.
        ("America/Havana", date(2026, 11, 1), "2026-11-01 00:00"),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-25 00:00"),
    ],
)
def test_a_day_begins_at_its_first_instant(zone: str, day: date, begins: str) -> None:
    start = day_start(day_number(day), zone)
    assert local(start, zone) == begins
    assert local(start - 1000, zone) < f"{day} 00:00"


def test_a_jump_over_midnight_starts_the_day_at_the_jump() -> None:
    # Toronto's clocks went from 23:30 on 30 March 1919 to 00:30 on the 31st: no half hour is left to the 30th twice.
    kept_in = ZoneInfo("America/Toronto")
    start = day_start(day_number(date(1919, 3, 31)), "America/Toronto")
    before, at = (datetime.fromtimestamp(instant // 1000, kept_in) for instant in (start - 1000, start))
    assert (before.date(), at.date()) == (date(1919, 3, 30), date(1919, 3, 31))


@pytest.mark.parametrize(
    ("anchor", "begins"),
    [
        (1, ["2026-12-01", "2027-01-01", "2027-02-01", "2027-03-01"]),
        (15, ["2026-12-15", "2027-01-15", "2027-02-15", "2027-03-15"]),
        (30, ["2026-12-30", "2027-01-30", "2027-02-28", "2027-03-30"]),
        (31, ["2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31"]),
    ],
)
def test_a_period_begins_on_its_anchor_and_a_short_month_moves_no_later_one(anchor: int, begins: list[str]) -> None:
    periods = [Period(2026, 12), Period(2027, 1), Period(2027, 2), Period(2027, 3)]
    edges = [instants(period, "Europe/Berlin", anchor) for period in periods]
    assert [local(start, "Europe/Berlin") for start, _ in edges] == [f"{day} 00:00" for day in begins]
    assert [end for _, end in edges[:-1]] == [start for start, _ in edges[1:]]


def test_the_last_day_of_february_is_a_leap_years() -> None:
    assert local(instants(Period(2028, 2), "UTC", 31)[0], "UTC") == "2028-02-29 00:00"


def test_days_of_many_contracts_are_the_same_as_one_by_one() -> None:
    zones = ["Europe/Berlin", "UTC", "America/New_York"]
    days = np.array([20_000, ALWAYS, 20_100, NEVER, 20_000])
    zone_of = np.array([0, 0, 2, 1, 1])
    starts = day_starts(days, zone_of, zones).tolist()
    assert starts == [
        day_start(20_000, "Europe/Berlin"),
        INSTANT_ALWAYS_MS,
        day_start(20_100, "America/New_York"),
        INSTANT_NEVER_MS,
        day_start(20_000, "UTC"),
    ]


def test_a_period_is_written_as_it_is_read() -> None:
    assert str(parse_period("2026-01")) == "2026-01"


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-1", "26-01", "2026-11-01", "", "1969-12", "２０２６-11", "2026-11\n"]
)
def test_what_is_not_a_period_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="as in 2026-11"):
        parse_period(text)
