"""Makes the ids and times of events that bring none, without a lock and mostly without formatting."""

import itertools
import secrets
from collections.abc import Callable
from datetime import UTC, datetime


class Stamps:
    """Ids (UUID version 7, RFC 9562) and times of one process.

    The 26 bits after the millisecond are drawn once per process and the last 48 count up from a random start, so ids of
    one process never meet and those of two would have to share both. A forked child must make its own `Stamps`.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._process = f"7{secrets.randbits(12):03x}-{0x8000 | secrets.randbits(14):04x}"
        self._numbers = itertools.count(secrets.randbits(47))  # next() on it is atomic
        self._moment = self._describe(now_ms())

    def next(self) -> tuple[str, str]:
        """A fresh id, and the time now, as text."""
        ms = self._now_ms()
        moment = self._moment
        if moment[0] != ms:
            # One assignment of one tuple: two threads here both end with a right one.
            moment = self._moment = self._describe(ms)
        return f"{moment[1]}{next(self._numbers):012x}", moment[2]

    def _describe(self, ms: int) -> tuple[int, str, str]:
        seconds, rest = divmod(ms, 1000)
        written = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
        return ms, f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-{self._process}-", written


def written_time(time: datetime) -> str:
    """`time` in UTC, milliseconds rounded down, as the service stores it."""
    if time.tzinfo is None:
        raise ValueError("time has no zone; give an aware datetime, such as datetime.now(UTC)")
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
