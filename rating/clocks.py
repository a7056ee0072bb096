"""Cut time by what a clock on the wall shows in a zone: into its hours and days, and by the slots of a price.

What comes out are instants: whoever sums usage between them needs to know of no zone. An hour that the clock shows
twice is two, and one that it jumps over is none.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from rating.periods import EPOCH
from rating.pricing.parts import DAY_MINUTES, Every, Slot

SECOND_MS: Final = 1000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = DAY_MINUTES * MINUTE_MS
LOOKED_MS: Final = 6 * HOUR_MS
"""How far apart a clock is looked at: none was ever changed twice in so short a time."""
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Begun = tuple[int, str]
"""An instant, UTC milliseconds, and the slot that begins with it."""


def bucket_starts(every: Every, zone: str, start: int, end: int) -> list[int]:
    """The first instants of the buckets that [start, end) has usage in; the first of them is `start`."""
    if every is Every.DAY:
        return [instant for instant, _ in _cut(zone, start, end, [0], lambda shown, _: shown // DAY_MS)]
    # An hour that is shown twice is told apart by how far the clock is ahead.
    hours = range(0, DAY_MS, HOUR_MS)
    return [instant for instant, _ in _cut(zone, start, end, hours, lambda shown, ahead: (shown // HOUR_MS, ahead))]


def slot_starts(slots: Sequence[Slot], zone: str, start: int, end: int) -> list[Begun]:
    """What each slot's name holds from on within [start, end), and the empty name where none does."""
    marks = {0, *(minute * MINUTE_MS for slot in slots for minute in (slot.start_minute, slot.end_minute))}
    return _cut(zone, start, end, marks, lambda shown, _: slot_at(slots, shown))


def slot_at(slots: Sequence[Slot], shown: int) -> str:
    """The name of the first slot that takes what the clock shows, milliseconds since 1970-01-01, or nothing."""
    day, time = divmod(shown, DAY_MS)
    minute, today, yesterday = time // MINUTE_MS, EPOCH + timedelta(days=day), EPOCH + timedelta(days=day - 1)
    return next((slot.name for slot in slots if _takes(slot, minute, today, yesterday)), "")


def _takes(slot: Slot, minute: int, today: date, yesterday: date) -> bool:
    if slot.start_minute < slot.end_minute:
        return slot.start_minute <= minute < slot.end_minute and _is_on(slot, today)
    return (minute >= slot.start_minute and _is_on(slot, today)) or (
        minute < slot.end_minute and _is_on(slot, yesterday)
    )


def _is_on(slot: Slot, day: date) -> bool:
    return not (slot.days or slot.dates) or DAYS[day.weekday()] in slot.days or day in slot.dates


def _cut(
    zone: str, start: int, end: int, marks: Iterable[int], seen: Callable[[int, int], Any]
) -> list[tuple[int, Any]]:
    """The instants of [start, end) at which something else is seen, and what; it changes at the marks of a day alone.

    What is seen is a function of what the clock shows, and of how far it is ahead of UTC.
    """
    found: list[tuple[int, Any]] = []
    for (since, ahead), (until, _) in pairwise([*_offsets(zone, start, end), (end, 0)]):
        days = range((since + ahead) // DAY_MS, (until + ahead) // DAY_MS + 1)
        for shown in sorted({since + ahead, *(day * DAY_MS + mark for day in days for mark in marks)}):
            if since <= shown - ahead < until and (not found or found[-1][1] != seen(shown, ahead)):
                found.append((shown - ahead, seen(shown, ahead)))
    return found


@lru_cache(maxsize=2**10)
def _offsets(zone: str, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """From which instants of [start, end) on the clock is how many milliseconds ahead of UTC."""
    kept_in = ZoneInfo(zone)

    def ahead(instant: int) -> int:
        offset = datetime.fromtimestamp(instant // SECOND_MS, kept_in).utcoffset()
        assert offset is not None
        return offset // timedelta(milliseconds=1)

    found = [(start, ahead(start))]
    for before, after in pairwise([*range(start, end, LOOKED_MS), end - 1]):
        was = ahead(before)
        if ahead(after) != was:
            changed = bisect_left(range(before, after), x=True, key=lambda instant: ahead(instant) != was)
            found.append((before + changed, ahead(after)))
    return tuple(found)
