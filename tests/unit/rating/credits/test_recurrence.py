"""Recurrences come back by the calendar, from their anchor and not from each other."""

from datetime import UTC, datetime

import numpy as np
import pytest

from rating.credits.recurrence import Recurrence, read_interval, recurrences


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def found(interval: str, anchor: str, after: str, until: str) -> list[str]:
    months, milliseconds = read_interval(interval)
    recurrence = Recurrence(*(np.array([value]) for value in (at(anchor), months, milliseconds)))
    _, instants = recurrences(recurrence, np.array([at(after)]), np.array([at(until)]))
    return [datetime.fromtimestamp(instant / 1000, UTC).strftime("%Y-%m-%d %H:%M") for instant in instants.tolist()]


def test_the_31st_comes_back_after_a_february() -> None:
    dates = found("P1M", "2023-12-31", "2024-01-31", "2024-05-01")
    assert dates == ["2024-02-29 00:00", "2024-03-31 00:00", "2024-04-30 00:00"]


def test_a_leap_day_comes_back_on_the_28th_but_for_leap_years() -> None:
    dates = found("P1Y", "2024-02-29T06:00", "2024-03-01", "2028-12-31")
    assert dates == ["2025-02-28 06:00", "2026-02-28 06:00", "2027-02-28 06:00", "2028-02-29 06:00"]


def test_an_anchor_in_the_future_counts_backwards() -> None:
    assert found("P7D", "2024-01-04", "2023-12-20", "2024-01-04") == [
        "2023-12-21 00:00",
        "2023-12-28 00:00",
        "2024-01-04 00:00",
    ]


def test_the_beginning_is_left_out_and_the_end_is_not() -> None:
    assert found("PT12H", "2024-01-01", "2024-01-01", "2024-01-02") == ["2024-01-01 12:00", "2024-01-02 00:00"]


def test_months_and_hours_add_up() -> None:
    assert found("P1MT1H", "2024-01-31", "2024-01-31", "2024-04-01") == ["2024-02-29 01:00", "2024-03-31 02:00"]


@pytest.mark.parametrize("text", ["P", "1M", "P1.5M", "PT", ""])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an interval"):
        read_interval(text)


def test_what_has_no_interval_never_comes_back() -> None:
    nothing = Recurrence(*(np.zeros(2, dtype=np.int64) for _ in range(3)))
    rows, instants = recurrences(nothing, np.array([0, 0]), np.array([10**12, 10**12]))
    assert (rows.tolist(), instants.tolist()) == ([], [])
