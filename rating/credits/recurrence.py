"""Find the instants of recurrences, for many grants at once: an anchor and every whole interval before and after it.

Months and years are counted from the anchor, never from the instant before, so that the 31st comes back after a
February; a month that lacks the anchor's day has its last one instead. Days are of UTC, and so are all instants.
"""

import re
from typing import Final, NamedTuple

import numpy as np

from rating.exact import Int64s
from rating.ragged import expand

DAY_MS: Final = 86_400_000
_INTERVAL = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_FIXED_MS = (7 * DAY_MS, DAY_MS, 3_600_000, 60_000, 1000)
_LONGEST_MONTH_MS = 31 * DAY_MS
_SHORTEST_MONTH_MS = 28 * DAY_MS


class Recurrence(NamedTuple):
    """One row a grant; an interval of nothing never comes back."""

    anchor: Int64s
    """UTC milliseconds, as all instants are."""
    months: Int64s
    milliseconds: Int64s
    """Beside the months."""


def read_interval(text: str) -> tuple[int, int]:
    """Months and milliseconds of an ISO 8601 duration, such as P1M or P7D or PT12H."""
    match = _INTERVAL.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is not an interval: write P1M, P1Y, P7D or PT12H")
    years, months, *fixed = (int(part or 0) for part in match.groups())
    return years * 12 + months, sum(count * unit for count, unit in zip(fixed, _FIXED_MS, strict=True))


def recurrences(recurrence: Recurrence, after: Int64s, until: Int64s) -> tuple[Int64s, Int64s]:
    """The instants in (`after`, `until`], as rows of `recurrence` and instants, each row's in order."""
    comes_back = np.flatnonzero(((recurrence.months > 0) | (recurrence.milliseconds > 0)) & (after < until))
    recurrence = Recurrence(*(column[comes_back] for column in recurrence))
    after, until = after[comes_back], until[comes_back]
    # An interval lasts no longer and no shorter than this, so the instants asked for are among the ones counted here.
    longest = recurrence.months * _LONGEST_MONTH_MS + recurrence.milliseconds
    shortest = recurrence.months * _SHORTEST_MONTH_MS + recurrence.milliseconds
    first = _times(after - recurrence.anchor, shortest, longest)[0]
    last = _times(until - recurrence.anchor, shortest, longest)[1]
    row, times = expand(first - 1, last + 2)
    at = _shifted(Recurrence(*(column[row] for column in recurrence)), times)
    inside = (at > after[row]) & (at <= until[row])
    return comes_back[row[inside]], at[inside]


def _times(distance: Int64s, shortest: Int64s, longest: Int64s) -> tuple[Int64s, Int64s]:
    """The fewest and the most intervals that fit into a distance; both below zero where it is."""
    one, other = distance // longest, distance // shortest
    return np.minimum(one, other), np.maximum(one, other)


def _shifted(recurrence: Recurrence, times: Int64s) -> Int64s:
    """The anchor moved by so many intervals."""
    moment = recurrence.anchor.view("datetime64[ms]")
    month = moment.astype("datetime64[M]")
    day = moment.astype("datetime64[D]") - month.astype("datetime64[D]")
    shifted = month + recurrence.months * times
    last_day = (shifted + 1).astype("datetime64[D]") - shifted.astype("datetime64[D]") - 1
    in_day = moment - moment.astype("datetime64[D]")
    date = shifted.astype("datetime64[D]") + np.minimum(day, last_day)
    at: Int64s = (date.astype("datetime64[ms]") + in_day).astype(np.int64)
    return at + recurrence.milliseconds * times
