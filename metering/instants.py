"""Read times as RFC 3339 writes them: milliseconds since 1970 in UTC, rounded down.

Rounding down, because a microsecond before midnight of a period's last day belongs to that period.
"""

import re
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,30}))?"
    r"(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))",
    re.ASCII,
)
PLAIN_WIDTHS = {20: 0, 24: 3, 27: 6, 30: 9}
"""Widths of the plain forms in UTC, and how many decimals of a second each has."""
SEPARATORS = ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"))
DAY_MS = 86_400_000
UNIX_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


def instants(texts: list[str]) -> tuple[NDArray[np.int64], list[int]]:
    """The instants `texts` name, and the indices of those that name none (their instant is 0)."""
    plain = _plain(texts)
    if plain is not None:
        return plain, []
    found = [instant(text) for text in texts]
    bad = [index for index, value in enumerate(found) if value is None]
    return np.array([value or 0 for value in found], dtype=np.int64), bad


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
    return days * DAY_MS + (within_s - (-offset_min if sign == "-" else offset_min) * 60) * 1000 + within_ms


def _plain(texts: list[str]) -> NDArray[np.int64] | None:
    """All of `texts` at once where every one has the same plain form in UTC; None where one has not."""
    count = len(texts)
    if not count or (width := len(texts[0])) not in PLAIN_WIDTHS:
        return None
    joined = "".join(texts)
    if len(joined) != count * width or not joined.isascii():
        return None
    grid = np.frombuffer(joined.encode(), dtype=np.uint8).reshape(count, width)
    # Column by column from here on: a row's digits are far apart in memory, a column's are not once transposed.
    columns = np.ascontiguousarray(grid.T)
    decimals = PLAIN_WIDTHS[width]
    marks = [*SEPARATORS, (width - 1, "Z"), *([(19, ".")] if decimals else [])]
    if not all((columns[place] == ord(mark)).all() for place, mark in marks):
        return None
    marked = {place for place, _ in marks}
    digits = columns - ord("0")
    if any((digits[place] > 9).any() for place in range(width) if place not in marked):
        return None
    return _from_digits(digits.astype(np.int64), decimals)


def _from_digits(digits: NDArray[np.int64], decimals: int) -> NDArray[np.int64] | None:
    def two(place: int) -> NDArray[np.int64]:
        value: NDArray[np.int64] = digits[place] * 10 + digits[place + 1]
        return value

    year, month, day = two(0) * 100 + two(2), two(5), two(8)
    hour, minute, second = two(11), two(14), two(17)
    if (year < 1).any() or (hour > 23).any() or (minute > 59).any() or (second > 59).any():
        return None
    if (month < 1).any() or (month > 12).any() or (day < 1).any():
        return None
    month_of_era = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    first = month_of_era.astype("datetime64[D]").astype(np.int64)
    length = (month_of_era + 1).astype("datetime64[D]").astype(np.int64) - first
    if (day > length).any():
        return None
    within_ms = ((hour * 60 + minute) * 60 + second) * 1000
    if decimals:
        within_ms = within_ms + digits[20] * 100 + digits[21] * 10 + digits[22]
    instants_ms: NDArray[np.int64] = (first + day - 1) * DAY_MS + within_ms
    return instants_ms


def timestamps(instants_ms: NDArray[np.int64]) -> pa.Array:
    """`instants_ms` as a column of UTC timestamps."""
    return pa.array(instants_ms, pa.int64()).cast(pa.timestamp("ms", "UTC"))


def instant_text(instant_ms: int) -> str:
    """`instant_ms` as RFC 3339 writes it, in UTC; what a zone took out of years 1 to 9999 has a year outside them."""
    days, within_ms = divmod(instant_ms, DAY_MS)
    seconds, ms = divmod(within_ms, 1000)
    return f"{np.datetime64(days, 'D')}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}Z"
