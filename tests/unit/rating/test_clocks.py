"""A clock's hours, days and slots, where it is set forward and back."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from rating.clocks import HOUR_MS, MINUTE_MS, bucket_starts, slot_starts
from rating.pricing.parts import Every, Slot

BERLIN = "Europe/Berlin"
NIGHT = Slot("night", start_minute=22 * 60, end_minute=6 * 60)


def at(text: str) -> int:
    """An instant as it is written, UTC milliseconds."""
    return int(datetime.fromisoformat(text).timestamp()) * 1000


def said(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant // 1000, UTC):%m-%dT%H:%M}"


def shown(slots: list[Slot], start: str, end: str, zone: str = BERLIN) -> list[tuple[str, str]]:
    return [(said(instant), name) for instant, name in slot_starts(slots, zone, at(start), at(end))]


@pytest.mark.parametrize(
    ("day", "next_day", "hours"),
    [
        ("2026-10-24T22:00Z", "2026-10-25T23:00Z", 25),
        ("2026-03-28T23:00Z", "2026-03-29T22:00Z", 23),
        ("2026-06-01T22:00Z", "2026-06-02T22:00Z", 24),
    ],
)
def test_a_day_has_as_many_hours_as_pass(day: str, next_day: str, hours: int) -> None:
    starts = bucket_starts(Every.HOUR, BERLIN, at(day), at(next_day))
    assert starts == [at(day) + nth * HOUR_MS for nth in range(hours)]
    assert bucket_starts(Every.DAY, BERLIN, at(day), at(next_day) + 1) == [at(day), at(next_day)]


def test_a_clock_that_is_set_by_half_an_hour_shows_half_an_hour_more() -> None:
    starts = bucket_starts(Every.HOUR, "Australia/Lord_Howe", at("2026-04-04T13:00Z"), at("2026-04-04T17:30Z"))
    assert [(after - before) // MINUTE_MS for before, after in pairwise(starts)] == [
        60,
        60,
        30,
        60,
    ]


def test_a_midnight_that_is_shown_twice_begins_one_day() -> None:
    days = bucket_starts(Every.DAY, "America/Havana", at("2026-10-31T12:00Z"), at("2026-11-02T12:00Z"))
    assert list(map(said, days)) == ["10-31T12:00", "11-01T04:00", "11-02T05:00"]


def test_hours_begin_where_the_clock_shows_a_whole_one() -> None:
    starts = bucket_starts(Every.HOUR, "Asia/Kolkata", at("2026-11-01T00:00Z"), at("2026-11-01T02:00Z"))
    assert list(map(said, starts)) == ["11-01T00:00", "11-01T00:30", "11-01T01:30"]


def test_a_night_goes_on_over_midnight_and_is_longer_where_the_clock_is_set_back() -> None:
    assert shown([NIGHT], "2026-10-24T10:00Z", "2026-10-26T00:00Z") == [
        ("10-24T10:00", ""),
        ("10-24T20:00", "night"),
        ("10-25T05:00", ""),
        ("10-25T21:00", "night"),
    ]


def test_the_first_slot_that_takes_an_instant_has_it() -> None:
    weekend = Slot("weekend", ("sat", "sun"))
    start, end = "2026-10-24T10:00Z", "2026-10-26T00:00Z"
    assert [name for _, name in shown([NIGHT, weekend], start, end)] == ["weekend", "night", "weekend", "night"]
    assert shown([weekend, NIGHT], start, end) == [("10-24T10:00", "weekend"), ("10-25T23:00", "night")]


def test_a_slot_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    friday_night = Slot("out", ("fri",), start_minute=20 * 60, end_minute=4 * 60)
    new_year = Slot("new year", (), (date(2026, 12, 31),), 20 * 60, 4 * 60)
    week = ("2026-12-07T00:00Z", "2026-12-14T00:00Z", "UTC")
    assert shown([friday_night], *week) == [("12-07T00:00", ""), ("12-11T20:00", "out"), ("12-12T04:00", "")]
    assert shown([new_year], "2026-12-31T00:00Z", "2027-01-02T00:00Z", "UTC") == [
        ("12-31T00:00", ""),
        ("12-31T20:00", "new year"),
        ("01-01T04:00", ""),
    ]


def test_a_slot_is_on_its_days_of_the_week_and_on_its_dates() -> None:
    free = Slot("free", ("sun",), (date(2026, 10, 7),))
    assert shown([free], "2026-10-05T00:00Z", "2026-10-12T00:00Z", "UTC") == [
        ("10-05T00:00", ""),
        ("10-07T00:00", "free"),
        ("10-08T00:00", ""),
        ("10-11T00:00", "free"),
    ]


def test_an_hour_that_the_clock_jumps_over_is_in_no_slot() -> None:
    small_hours = Slot("small", (), (), 2 * 60, 3 * 60)
    assert shown([small_hours], "2026-03-28T12:00Z", "2026-03-29T12:00Z") == [("03-28T12:00", "")]
    assert shown([small_hours], "2026-10-24T12:00Z", "2026-10-25T12:00Z") == [
        ("10-24T12:00", ""),
        ("10-25T00:00", "small"),
        ("10-25T02:00", ""),
    ]
