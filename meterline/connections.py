"""Bound what a connection may cost before there is a request: how long its headers take, and how many bytes they are.

The server underneath bounds neither, and holds a connection and what it sent for as long as a byte comes now and then.
Bodies have bounds of their own (`events_endpoint`).
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from meterline.problems import Problem

HEADER_BYTES_MAX = 64 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """A connection that ends when the headers of a request don't come to an end."""

    header_seconds_max: int
    _awaited: asyncio.TimerHandle | None = None
    _awaited_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request."""
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._await_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; whatever comes between two requests has to become the headers of one."""
        if self._awaited is None and self._is_idle:
            self._await_headers()
        super().data_received(data)
        if self._awaited is None or self.transport.is_closing():
            return
        self._awaited_bytes += len(data)
        if self._awaited_bytes > HEADER_BYTES_MAX and self._is_idle:
            detail = f"the headers of a request are larger than {HEADER_BYTES_MAX} bytes"
            self._refuse(Problem("Headers too large", 431, detail))

    def on_message_begin(self) -> None:
        """Expect the rest of its headers."""
        super().on_message_begin()
        self._await_headers()

    def on_headers_complete(self) -> None:
        """They are there."""
        self._await_nothing()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A body that was not waited for has ended."""
        self._await_nothing()
        super().on_message_complete()

    @property
    def _is_idle(self) -> bool:
        """Whether no request of this connection is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _await_headers(self) -> None:
        self._await_nothing()
        self._awaited = self.loop.call_later(self.header_seconds_max, self._waited)

    def _await_nothing(self) -> None:
        if self._awaited is not None:
            self._awaited.cancel()
        self._awaited = None
        self._awaited_bytes = 0

    def _waited(self) -> None:
        self._awaited = None
        if not self._is_idle:  # the next request began before this one is answered: that is no fault of its sender
            self._await_headers()
        elif not self.transport.is_closing():
            detail = f"no request came to the end of its headers in {self.header_seconds_max} s (header_seconds_max)"
            self._refuse(Problem("Headers too slow", 408, detail))

    def _refuse(self, problem: Problem) -> None:
        body = problem.body()
        headers = [*problem.headers(), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", body]))
        self.transport.close()


def bounded(seconds: int) -> type[BoundedProtocol]:
    """The protocol of connections whose headers may take so many seconds."""
    return type("Protocol", (BoundedProtocol,), {"header_seconds_max": seconds})
