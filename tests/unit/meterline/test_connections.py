"""A connection whose headers don't come to an end is ended, and no other: over a transport and a time made for it."""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from meterline.connections import HEADER_BYTES_MAX, BoundedProtocol, bounded

HEADERS = b"POST /v1/events HTTP/1.1\r\nContent-Length: 4\r\n"
WHOLE = HEADERS + b"\r\n[{}]"
SECONDS = 10


class Timer:
    """What a loop calls when its time has come."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Don't."""
        self.callback = None


class Loop:
    """A loop whose time passes when it is told to; requests are answered when the test says."""

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[tuple[float, int, Timer]] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Note it."""
        timer = Timer(callback)
        heapq.heappush(self._timers, (self.now + delay, len(self._timers), timer))
        return timer

    def create_task(self, work: Coroutine[Any, Any, None], **_: Any) -> "asyncio.Future[None]":
        """Nobody works here."""
        work.close()
        return asyncio.Future(loop=_NO_LOOP)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        while self._timers and self._timers[0][0] <= until:
            self.now, _, timer = heapq.heappop(self._timers)
            if timer.callback is not None:
                timer.callback()
        self.now = until


class Transport:
    """What is written to a client."""

    def __init__(self) -> None:
        self.sent = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        """Send it."""
        assert not self.closed
        self.sent += data

    def close(self) -> None:
        """End it."""
        self.closed = True

    def is_closing(self) -> bool:
        """Whether it is ended."""
        return self.closed

    def get_extra_info(self, _: str) -> None:
        """Nothing is known of the other side."""

    def pause_reading(self) -> None:
        """The test says what is read."""

    def resume_reading(self) -> None:
        """As above."""


_NO_LOOP = asyncio.new_event_loop()
_NO_LOOP.close()


class Connection:
    """One connection to a service that takes headers for ten seconds."""

    def __init__(self) -> None:
        self.loop, self.transport = Loop(), Transport()
        config = uvicorn.Config(_nothing, http=bounded(SECONDS), lifespan="off", log_config=None)
        made: Any = bounded(SECONDS)
        self.protocol: BoundedProtocol = made(config, ServerState(), {}, self.loop)
        transport: Any = self.transport
        self.protocol.connection_made(transport)

    def send(self, data: bytes) -> None:
        """What the client sends."""
        self.protocol.data_received(data)

    def answer(self) -> None:
        """Answer the request that is open."""
        self.protocol.cycle.response_complete = True
        self.protocol.on_response_complete()


async def _nothing(_: Any, __: Any, ___: Any) -> None:
    """An app that is never run."""


@pytest.fixture
def connection() -> Connection:
    """A connection that was just made."""
    return Connection()


def refused(connection: Connection, status: int) -> bool:
    return connection.transport.closed and connection.transport.sent.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("begun", [b"", b"\r\n", b"P", HEADERS, HEADERS + b"x: y\r\n"])
def test_headers_that_do_not_end_are_refused_when_their_time_is_over(connection: Connection, begun: bytes) -> None:
    connection.send(begun)
    connection.loop.advance(SECONDS - 0.1)
    assert not connection.transport.closed
    connection.loop.advance(0.2)
    assert refused(connection, 408)
    head, _, body = connection.transport.sent.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert b"header_seconds_max" in body


@pytest.mark.parametrize("drop", [b"\r\n", b"x: y\r\n"])
def test_drops_do_not_prolong_it(connection: Connection, drop: bytes) -> None:
    if drop != b"\r\n":
        connection.send(HEADERS)
    for _ in range(SECONDS - 1):
        connection.send(drop)
        connection.loop.advance(1)
    assert not connection.transport.closed
    connection.send(drop)
    connection.loop.advance(1.1)
    assert refused(connection, 408)


def test_a_body_and_an_answer_may_take_longer(connection: Connection) -> None:
    connection.send(HEADERS + b"\r\n[")
    for _ in range(3):
        connection.loop.advance(SECONDS * 2)
        connection.send(b"{")
    connection.loop.advance(SECONDS * 2)
    assert connection.transport.sent == b""
    assert not connection.transport.closed


def test_each_request_of_a_connection_has_its_own_time(connection: Connection) -> None:
    for _ in range(3):
        for part in (HEADERS, b"\r\n[{}", b"]"):
            connection.loop.advance(SECONDS / 5)
            connection.send(part)
        connection.loop.advance(SECONDS * 3)
        connection.answer()
    assert not connection.transport.closed
    connection.loop.advance(1)
    connection.send(HEADERS)
    connection.loop.advance(SECONDS + 0.1)
    assert refused(connection, 408)


def test_a_request_that_begins_behind_another_waits_until_that_is_answered(connection: Connection) -> None:
    connection.send(WHOLE + HEADERS)
    connection.loop.advance(SECONDS * 5)
    assert not connection.transport.closed
    connection.answer()
    connection.send(b"\r\n[{}]")
    connection.loop.advance(SECONDS * 5)
    assert connection.transport.sent == b""
    assert not connection.transport.closed


def test_a_body_that_is_sent_by_drops_after_its_answer_is_ended(connection: Connection) -> None:
    connection.send(b"POST /v1/events HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")
    connection.answer()
    for _ in range(SECONDS):
        connection.send(b"x")
        connection.loop.advance(1)
    assert refused(connection, 408)


def test_headers_larger_than_any_are_refused(connection: Connection) -> None:
    connection.send(HEADERS)
    field = b"x: " + b"y" * 1_000 + b"\r\n"
    for _ in range(HEADER_BYTES_MAX // len(field)):
        connection.send(field)
    assert not connection.transport.closed
    connection.send(field)
    assert refused(connection, 431)
    connection.loop.advance(SECONDS * 2)


def test_a_client_that_went_away_is_not_written_to(connection: Connection) -> None:
    connection.send(HEADERS)
    connection.protocol.connection_lost(ConnectionResetError())
    connection.loop.advance(SECONDS * 2)
    assert connection.transport.sent == b""
