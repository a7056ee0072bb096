"""Sends batch after batch until each has an answer, waiting longer after every failure.

Body and ids are made once per batch, so a try after a lost answer is the same request again and the service can tell.
"""

import gzip
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from metering.emitter.buffer import Batch, Buffer
from metering.emitter.encoding import encode_batch
from metering.emitter.transport import Connection, Unavailable
from metering.emitter.verdict import Again, Counted, Refused, TooLarge, judge

# Level 1: usage is so repetitive that it reaches most of what 6 does, for a third of the time.
GZIP_LEVEL = 1


class Clock(Protocol):
    """Where the emitter has the time from, and how it waits between tries."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""

    def pause(self, stop: threading.Event, seconds: float) -> None:
        """Wait `seconds`, or less when `stop` is set."""


class SystemClock:
    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def pause(self, stop: threading.Event, seconds: float) -> None:
        """Wait `seconds`, or less when `stop` is set."""
        stop.wait(seconds)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Full jitter: anything from nothing to a bound that doubles, so that a fleet does not come back at once."""

    first_s: float = 0.1
    longest_s: float = 30.0
    draw: Callable[[], float] = random.random

    def delay_s(self, failures: int, after_s: float) -> float:
        """The wait after this many failures in a row, never less than the service asked for."""
        bound_s = min(self.longest_s, self.first_s * (1 << min(failures - 1, 32)))
        return after_s + bound_s * self.draw()


class Sender:
    """The thread's side of an emitter: one connection, one batch in flight."""

    def __init__(
        self,
        buffer: Buffer,
        connection: Connection,
        headers: dict[str, str],
        *,
        clock: Clock,
        backoff: Backoff,
        gzip_bytes_min: int,
        counted: Callable[[Batch, Counted], None],
    ) -> None:
        self._buffer = buffer
        self._connection = connection
        self._headers = headers
        self._clock = clock
        self._backoff = backoff
        self._gzip_bytes_min = gzip_bytes_min
        self._counted = counted
        self._stop = threading.Event()
        self.trouble = ""  # why the batch in flight has no answer yet; empty when nothing is wrong

    def run(self) -> None:
        """Send until the buffer ends."""
        try:
            while (batch := self._buffer.take()) is not None:
                self._deliver(batch)
        except BaseException as bug:
            self._buffer.end(f"the emitter stopped by a bug of its own: {bug!r}")
            raise
        finally:
            self._connection.close()

    def stop(self) -> None:
        """Give up the batch in flight and every wait; `Buffer.end` comes first."""
        self._stop.set()
        self._connection.interrupt()

    def _deliver(self, batch: Batch) -> None:
        body, headers = self._request(batch)
        failures = 0
        while not self._stop.is_set():
            match self._try(body, headers, len(batch.events)):
                case Counted() as answer:
                    self._counted(batch, answer)
                    self._buffer.settle(batch)
                    self.trouble = ""
                    return
                case Again(reason, after_s):
                    failures += 1
                    self.trouble = reason
                    self._clock.pause(self._stop, self._backoff.delay_s(failures, after_s))
                case TooLarge() if len(batch.events) > 1:
                    self._buffer.split(batch)
                    return
                case TooLarge(reason):
                    self._buffer.park(batch, 413, reason)
                    self.trouble = reason
                    return
                case Refused(status, reason):
                    self._buffer.park(batch, status, reason)
                    self.trouble = reason
                    return

    def _request(self, batch: Batch) -> tuple[bytes, dict[str, str]]:
        body = encode_batch(batch.events)
        if len(body) < self._gzip_bytes_min:
            return body, self._headers
        return gzip.compress(body, GZIP_LEVEL, mtime=0), {**self._headers, "Content-Encoding": "gzip"}

    def _try(self, body: bytes, headers: dict[str, str], events: int) -> Counted | Again | TooLarge | Refused:
        try:
            reply = self._connection.post(body, headers)
        except Unavailable as error:
            return Again(str(error))
        return judge(reply, events, self._clock.now_ms())
