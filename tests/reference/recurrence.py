"""The instants of a recurrence: its anchor and every whole interval before and after it."""

import calendar
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count

INTERVAL = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def refills(recurrence: Mapping[str, str], after: datetime, until: datetime) -> Iterator[datetime]:
    """The recurrence's instants in (`after`, `until`]."""
    anchor = datetime.fromisoformat(recurrence["anchor"])
    anchor = anchor if anchor.tzinfo else anchor.replace(tzinfo=UTC)
    first = 0
    while shifted(anchor, recurrence["interval"], first) > after:
        first -= 1
    for times in count(first):
        at = shifted(anchor, recurrence["interval"], times)
        if at > until:
            return
        if at > after:
            yield at


def shifted(anchor: datetime, interval: str, times: int) -> datetime:
    """`anchor` moved by `times` intervals; months that lack the anchor's day end sooner."""
    match = INTERVAL.fullmatch(interval)
    assert match is not None, interval
    assert any(match.groups()), interval
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) * times for part in match.groups())
    month = anchor.year * 12 + anchor.month - 1 + years * 12 + months
    year, month = divmod(month, 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    moved = anchor.replace(year=year, month=month + 1, day=day)
    return moved + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
