"""Read times as RFC 3339 writes them: milliseconds since 1970 in UTC, rounded down.

Rounding down, because a microsecond before midnight of a period's last day belongs to that period.
"""

import re
from datetime import UTC, datetime

import numpy as np

TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,30}))?"
    r"(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))",
    re.ASCII,
)
DAY_MS = 86_400_000
UNIX_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
YEAR_1_MS = (1 - UNIX_DAY) * DAY_MS
YEAR_10000_MS = YEAR_1_MS + 3_652_059 * DAY_MS


def instant(text: str) -> int | None:
    """The instant `text` names, or None."""
    match = TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, _, sign, offset_hour, offset_minute = match.groups()[6:]
    offset_min = int(offset_hour or 0) * 60 + int(offset_minute or 0)
    # A leap second has no instant of its own in UTC milliseconds: it is the last moment of its minute.
    leap = second == 60
    if hour > 23 or minute > 59 or second > 60 or int(offset_hour or 0) > 23 or int(offset_minute or 0) > 59:
        return None
    try:
        days = datetime(year, month, day, tzinfo=UTC).toordinal() - UNIX_DAY
    except ValueError:
        return None
    within_s = hour * 3600 + minute * 60 + (59 if leap else second)
    within_ms = 999 if leap else int((fraction or "0").ljust(3, "0")[:3])
    in_utc = days * DAY_MS + (within_s - (-offset_min if sign == "-" else offset_min) * 60) * 1000 + within_ms
    # What a zone takes out of years 1 to 9999 could not be written again in UTC.
    return in_utc if YEAR_1_MS <= in_utc < YEAR_10000_MS else None


def instant_text(instant_ms: int) -> str:
    """`instant_ms` as RFC 3339 writes it, in UTC."""
    days, within_ms = divmod(instant_ms, DAY_MS)
    seconds, ms = divmod(within_ms, 1000)
    return f"{np.datetime64(days, 'D')}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}Z"
