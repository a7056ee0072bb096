"""The emitter that a service holds: `emit`, `flush`, `close`, and what the service has counted of it."""

import atexit
import logging
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from metering.emitter.buffer import Batch, Buffer, Limits, Unacknowledged
from metering.emitter.encoding import Event, encode_event
from metering.emitter.errors import InvalidEvent, NotAcknowledged
from metering.emitter.sender import Backoff, Clock, Sender, SystemClock
from metering.emitter.stamps import Stamps, written_time
from metering.emitter.transport import Connection
from metering.emitter.verdict import Counted

REJECTIONS_KEPT = 1_000
EXIT_TIMEOUT_S = 10.0

_log = logging.getLogger("metering.emitter")


@dataclass(frozen=True, slots=True)
class Counts:
    """What the service answered, summed. After a lost answer, events that it had accepted come back as duplicates."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    rejected: int = 0

    @property
    def answered(self) -> int:
        """Every event that the service has answered for."""
        return self.accepted + self.duplicates + self.conflicts + self.quarantined + self.rejected


@dataclass(frozen=True, slots=True)
class Rejection:
    """One event, as its JSON, that the service did not take, and why."""

    event: bytes
    code: str
    reason: str


class Emitter:
    """Sends one service's usage to `url` with `key`. Safe to share between threads.

    After a fork the child starts with an empty buffer and ids of its own; what was buffered is the parent's to send.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        source: str,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        backoff: Backoff = Backoff(),  # noqa: B008 - frozen
        timeout_s: float = 30.0,
        gzip_bytes_min: int = 1_024,
        on_rejected: Callable[[Rejection], None] | None = None,
        clock: Clock = SystemClock(),  # noqa: B008 - without state
    ) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._source = source
        self._limits = limits
        self._backoff = backoff
        self._timeout_s = timeout_s
        self._gzip_bytes_min = gzip_bytes_min
        self._on_rejected = on_rejected
        self._clock = clock
        self._begin()
        _alive.add(self)

    def _begin(self) -> None:
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stamps = Stamps(self._clock.now_ms)
        self._counts = Counts()
        self._rejections: deque[Rejection] = deque(maxlen=REJECTIONS_KEPT)
        self._buffer = Buffer(self._limits)
        self._connection = Connection(self._url, self._timeout_s)
        self._sender = Sender(
            self._buffer,
            self._connection,
            self._headers,
            clock=self._clock,
            backoff=self._backoff,
            gzip_bytes_min=self._gzip_bytes_min,
            counted=self._count,
        )

    def emit(
        self,
        type: str,  # noqa: A002 - the event's own word
        subject: str,
        data: object,
        *,
        id: str | None = None,  # noqa: A002 - the event's own word
        time: datetime | None = None,
    ) -> str:
        """Buffer one event and return its id; raises InvalidEvent, BufferFull or Closed, and then nothing was buffered.

        Give `id` when the caller may emit the same usage twice, such as after its own restart: it counts once.
        """
        fresh, now = self._stamps.next()
        identity = fresh if id is None else id
        try:
            happened = now if time is None else written_time(time)
        except ValueError as error:
            raise InvalidEvent(f"event {identity}: {error}") from error
        event = encode_event(Event(identity, self._source, type, subject, happened, data))
        if self._thread is None:
            self._start()
        self._buffer.add(event)
        return identity

    def _start(self) -> None:
        # At the first event, not before: a server that makes its emitter and then forks has no thread to lose.
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._sender.run, name="meterline-emitter", daemon=True)
                self._thread.start()

    def flush(self, timeout_s: float = 30.0) -> None:
        """Return when every event emitted so far is acknowledged; raises NotAcknowledged."""
        pending, refused = self._buffer.wait(timeout_s)
        if pending or refused:
            trouble = f" ({self._sender.trouble})" if self._sender.trouble else ""
            raise NotAcknowledged(
                f"{pending} events have no answer yet{trouble}, and {refused} were refused (take_unacknowledged)",
                pending=pending,
                refused=refused,
            )

    def close(self, timeout_s: float = 30.0) -> None:
        """Flush and stop; raises NotAcknowledged, and then `take_unacknowledged` has every event without an answer."""
        _alive.discard(self)
        try:
            self.flush(timeout_s)
        finally:
            self._buffer.end("the emitter was closed")
            self._sender.stop()
            if self._thread is not None:
                self._thread.join(timeout_s)

    def take_unacknowledged(self) -> list[Unacknowledged]:
        """Batches that the service refused, and after `close` those without an answer. They are the caller's now."""
        return self._buffer.take_unacknowledged()

    @property
    def counts(self) -> Counts:
        """What the service has counted so far."""
        return self._counts

    @property
    def rejections(self) -> tuple[Rejection, ...]:
        """The latest rejected events, at most `REJECTIONS_KEPT`."""
        return tuple(self._rejections)

    def _count(self, batch: Batch, answer: Counted) -> None:
        counts = self._counts
        self._counts = Counts(
            counts.accepted + answer.accepted,
            counts.duplicates + answer.duplicates,
            counts.conflicts + answer.conflicts,
            counts.quarantined + answer.quarantined,
            counts.rejected + len(answer.rejected),
        )
        for item in answer.rejected:
            rejection = Rejection(batch.events[item.index], item.code, item.reason)
            self._rejections.append(rejection)
            self._tell(rejection)

    def _tell(self, rejection: Rejection) -> None:
        if self._on_rejected is None:
            return
        try:
            self._on_rejected(rejection)
        except Exception:  # noqa: BLE001 - the service's code; its bug must not stop the service's usage
            _log.exception("on_rejected failed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _start_clean(self) -> None:
        inherited = self._connection
        self._begin()
        inherited.close()  # the child's copy of the socket only; the parent's stays open


_alive: weakref.WeakSet[Emitter] = weakref.WeakSet()


def _close_all() -> None:
    for emitter in list(_alive):
        try:
            emitter.close(EXIT_TIMEOUT_S)
        except NotAcknowledged as loss:
            _log.error("at exit: %s", loss)


def _start_all_clean() -> None:
    for emitter in list(_alive):
        emitter._start_clean()  # noqa: SLF001 - the same class, from the fork


atexit.register(_close_all)
os.register_at_fork(after_in_child=_start_all_clean)
