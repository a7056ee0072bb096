"""Say which share of a period a stretch of time is, as an exact ratio between none of it and all of it.

Days and seconds are counted alike: the caller hands over the days of the customer's zone, or instants in seconds.
Periods end where the next begins unless the convention says that their last day is named.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rating.exact import Int64s
from rating.periods import day_starts
from rating.ratios import Bools, Ratios, constant, reduced, where

DAY_MS = 86_400_000


class Counting(NamedTuple):
    """A convention of counting; the defaults make shares of one period add up to it."""

    names_last_day: bool = False
    """Whether an end is the last day that counts, and not the first that doesn't: 1 to 31 March are 31 days."""
    change_day_is_used: bool = False
    """Whether the first day of a part still belongs to what was before it."""


HALF_OPEN = Counting()


def share(part_start: Int64s, part_end: Int64s, start: Int64s, end: Int64s, counting: Counting = HALF_OPEN) -> Ratios:
    """How much of the period from `start` to `end` lies in the part, row by row."""
    last = int(counting.names_last_day)
    length = end - start + last
    assert length.min(initial=1) > 0
    held = np.minimum(part_end, end) - np.maximum(part_start, start) + last - int(counting.change_day_is_used)
    return reduced(Ratios(np.clip(held, 0, length), length))


def share_left(at: Int64s, start: Int64s, end: Int64s, counting: Counting = HALF_OPEN) -> Ratios:
    """How much of the period is left at a change."""
    return share(at, end, start, end, counting)


def share_charged(returned: Ratios, restarts: Bools) -> Ratios:
    """The share of the new price that a change charges: what the old one returns, or all where it starts a period."""
    return where(restarts, constant(1), returned)


def days_of(instants: Int64s, zone_of: Int64s, zones: Sequence[str]) -> Int64s:
    """The day on the customer's wall at each instant (UTC milliseconds)."""
    day = instants // DAY_MS
    # Zones are less than a day away from UTC, so the wall shows the day before, the same or the next.
    after = day_starts(day + 1, zone_of, zones) <= instants
    before = day_starts(day, zone_of, zones) > instants
    return day + after - before
