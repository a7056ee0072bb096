"""Holds events from `emit` until the service has answered for them, in bounded memory and in order.

Every event is in exactly one place: the open batch, a sealed one, the one in flight, or among the unacknowledged. It
leaves when it is settled (answered for) or taken by the caller; nothing else lets go of it.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass

from metering.emitter.errors import BufferFull, Closed, InvalidEvent

# What CPython keeps beside the bytes of one event: the object's header and its place in the list, rounded up.
EVENT_OVERHEAD_BYTES = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch is sent, how much is held at most, and how long `emit` waits for room."""

    batch_events_max: int = 10_000
    batch_bytes_max: int = 4 << 20
    batch_age_s: float = 0.2
    buffer_bytes_max: int = 64 << 20
    block_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Batch:
    events: list[bytes]
    held_bytes: int

    def halves(self) -> tuple["Batch", "Batch"]:
        """The first and the second half of its events."""
        middle = len(self.events) // 2
        first, second = self.events[:middle], self.events[middle:]
        first_bytes = sum(map(len, first)) + EVENT_OVERHEAD_BYTES * len(first)
        return Batch(first, first_bytes), Batch(second, self.held_bytes - first_bytes)


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """Events, each as its JSON, that the service refused (`status`) or did not answer for before the end (None).

    Joined by line feeds they are NDJSON, which the service and `meterline import` take, under the ids they have.
    """

    events: tuple[bytes, ...]
    status: int | None
    reason: str


class Buffer:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._batch_bytes_max = limits.batch_bytes_max
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)  # something for the sender, or the end
        self._progress = threading.Condition(self._lock)  # events left, so there may be room, or a flush is done
        self._open: list[bytes] = []
        self._open_bytes = 0
        self._opened_s = 0.0
        self._sealed: deque[Batch] = deque()
        self._in_flight: Batch | None = None
        self._unacknowledged: list[Unacknowledged] = []
        self._held_bytes = 0
        self._added = 0
        self._settled = 0  # events leave in the order they came, so one count tells how far
        self._ended: str | None = None

    def add(self, event: bytes) -> None:
        """Take one encoded event, waiting up to `block_s` for room."""
        size = len(event) + EVENT_OVERHEAD_BYTES
        with self._lock:
            if self._ended or self._held_bytes + size > self._limits.buffer_bytes_max:
                self._wait_for_room(size)
            if self._open_bytes + size > self._batch_bytes_max:
                self._seal()
            self._open.append(event)
            self._open_bytes += size
            self._held_bytes += size
            self._added += 1
            if len(self._open) == 1:
                self._opened_s = time.monotonic()
                self._work.notify()  # the sender sleeps until there is something whose age it can watch
            elif len(self._open) >= self._limits.batch_events_max:
                self._seal()

    def _wait_for_room(self, size: int) -> None:
        limit = self._limits.buffer_bytes_max
        if size > limit:
            raise InvalidEvent(f"an event of {size} bytes can never fit a buffer of {limit} (buffer_bytes_max)")
        self._progress.wait_for(lambda: self._ended or self._held_bytes + size <= limit, self._limits.block_s)
        if self._ended:
            raise Closed(self._ended)
        if self._held_bytes + size > limit:
            refused = sum(len(part.events) for part in self._unacknowledged)
            raise BufferFull(
                f"{self._added - self._settled} events wait for an answer and {refused} were refused, "
                f"{self._held_bytes} of {limit} bytes: slow down, take what was refused (take_unacknowledged), "
                "or raise buffer_bytes_max"
            )

    def _seal(self) -> None:
        if self._open:
            self._sealed.append(Batch(self._open, self._open_bytes))
            self._open, self._open_bytes = [], 0
            self._work.notify()

    def take(self) -> Batch | None:
        """The oldest batch that is full, old enough or asked for, waiting for it; None at the end."""
        with self._lock:
            while not self._sealed and not self._ended:
                age_left_s = self._opened_s + self._limits.batch_age_s - time.monotonic() if self._open else None
                if age_left_s is not None and age_left_s <= 0:
                    self._seal()
                else:
                    self._work.wait(age_left_s)
            self._in_flight = self._sealed.popleft() if self._sealed else None
            return self._in_flight

    def settle(self, batch: Batch) -> None:
        """The service has answered for every event of `batch`."""
        with self._lock:
            if self._lands(batch):
                self._held_bytes -= batch.held_bytes
                self._settled += len(batch.events)
                self._progress.notify_all()

    def park(self, batch: Batch, status: int, reason: str) -> None:
        """The service refused `batch` whole: keep it for the caller, and its memory counted."""
        with self._lock:
            if self._lands(batch):
                self._settled += len(batch.events)
                self._unacknowledged.append(Unacknowledged(tuple(batch.events), status, reason))
                self._progress.notify_all()

    def split(self, batch: Batch) -> None:
        """`batch` was too large for the service: send its halves next, and make no more of that size."""
        with self._lock:
            if self._lands(batch):
                self._sealed.extendleft(reversed(batch.halves()))
                self._batch_bytes_max = min(self._batch_bytes_max, batch.held_bytes // 2)

    def _lands(self, batch: Batch) -> bool:
        # After `end` the batch is the caller's already; an answer that comes later finds it gone.
        lands = self._in_flight is batch
        self._in_flight = None
        return lands

    def wait(self, timeout_s: float) -> tuple[int, int]:
        """How many of the events added so far are still pending, and how many refused, after waiting for all."""
        with self._lock:
            target = self._added
            self._seal()
            self._progress.wait_for(lambda: self._ended or self._settled >= target, timeout_s)
            refused = sum(len(part.events) for part in self._unacknowledged if part.status is not None)
            unanswered = sum(len(part.events) for part in self._unacknowledged if part.status is None)
            return max(0, target - self._settled) + unanswered, refused

    def end(self, reason: str) -> None:
        """Take no more events, and leave what was not answered for to the caller."""
        with self._lock:
            if self._ended:
                return
            self._ended = reason
            self._seal()
            left = [*([self._in_flight] if self._in_flight else []), *self._sealed]
            self._unacknowledged += [Unacknowledged(tuple(batch.events), None, reason) for batch in left]
            self._settled = self._added  # nothing is left to wait for
            self._in_flight = None
            self._sealed.clear()
            self._work.notify_all()
            self._progress.notify_all()

    def take_unacknowledged(self) -> list[Unacknowledged]:
        """What the caller has to see to; from here on it is the caller's, and its memory is free."""
        with self._lock:
            taken, self._unacknowledged = self._unacknowledged, []
            self._held_bytes -= sum(len(event) + EVENT_OVERHEAD_BYTES for part in taken for event in part.events)
            self._progress.notify_all()
            return taken
