"""Say when a billing period, a contract or a price begins and ends, as instants, in the zone the contract is kept in.

A day begins at its first instant in the zone, which is not always midnight: clocks may jump over it. Intervals are
half-open, so that the end of one is the start of the next and every instant belongs to exactly one.

A period begins on its anchor, a day of the month. Where the month has no such day it begins on the last one, and in
the next month on the anchor again: 31 January, 28 February, 31 March.
"""

import bisect
import calendar
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]

EPOCH = date(1970, 1, 1)
YEAR_MIN = 1970
YEAR_MAX = 2999
ANCHOR_MAX = 31

ALWAYS = -(2**40)
"""The day of what has no beginning."""
NEVER = 2**40
"""The day of what has no end."""
INSTANT_ALWAYS_MS = -(2**62)
INSTANT_NEVER_MS = 2**62

_PERIOD = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_MONTHS = 12


class Calendar(NamedTuple):
    """Where the days of a contract begin, and on which day of the month its periods do."""

    zone: str
    anchor: int = 1


UTC_MONTHS: Final = Calendar("UTC")


class Period(msgspec.Struct, frozen=True, order=True):
    """What begins in a month; which days it holds depends on an anchor, and which instants on a zone, too."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    def first_day(self, anchor: int = 1) -> int:
        """Its first day, counted from 1970-01-01."""
        _, days = calendar.monthrange(self.year, self.month)
        return day_number(date(self.year, self.month, min(anchor, days)))

    def end_day(self, anchor: int = 1) -> int:
        """The first day after it."""
        carry, month = divmod(self.month, _MONTHS)
        return Period(self.year + carry, month + 1).first_day(anchor)


def parse_period(text: str) -> Period:
    """The period that `text` names, or ValueError saying how periods are written."""
    found = _PERIOD.fullmatch(text)
    if found is None or not YEAR_MIN <= int(found[1]) <= YEAR_MAX:
        raise ValueError(f"{text!r} is not a period: write a year and a month, as in 2026-11")
    return Period(int(found[1]), int(found[2]))


def day_number(day: date) -> int:
    """`day`, counted from 1970-01-01."""
    return (day - EPOCH).days


def instants(period: Period, zone: str, anchor: int = 1) -> tuple[int, int]:
    """The first instant of `period` in `zone` and the first after it, UTC milliseconds."""
    return day_start(period.first_day(anchor), zone), day_start(period.end_day(anchor), zone)


@lru_cache(maxsize=2**16)
def day_start(day: int, zone: str) -> int:
    """The first instant of `day` in `zone`, UTC milliseconds."""
    kept_in = ZoneInfo(zone)
    wanted = EPOCH + timedelta(days=day)
    midnight = datetime(wanted.year, wanted.month, wanted.day, tzinfo=kept_in)
    # In a gap `fold=0` reads midnight with the offset before the jump and `fold=1` with the one after it, so the
    # jump lies between the two; at a midnight that happens twice `fold=0` is the first.
    first, second = _milliseconds(midnight), _milliseconds(midnight.replace(fold=1))
    if second >= first:
        return first

    def has_begun(instant: int) -> bool:
        return datetime.fromtimestamp(instant // 1000, kept_in).date() >= wanted

    return second + bisect.bisect_left(range(second, first), x=True, key=has_begun)


def _milliseconds(moment: datetime) -> int:
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def day_starts(days: Int64s, zone_of: Int64s, zones: Sequence[str]) -> Int64s:
    """The first instant of each of `days` in the zone beside it; ALWAYS and NEVER stay what they are."""
    starts = np.where(days == ALWAYS, INSTANT_ALWAYS_MS, INSTANT_NEVER_MS)
    dated = np.flatnonzero((days != ALWAYS) & (days != NEVER))
    pairs, of_pair = np.unique(days[dated] * len(zones) + zone_of[dated], return_inverse=True)
    found = [day_start(pair // len(zones), zones[pair % len(zones)]) for pair in pairs.tolist()]
    starts[dated] = np.array(found, dtype=np.int64)[of_pair]
    return starts
