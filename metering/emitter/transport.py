"""Carries one body to the service over a connection that is kept alive, and brings back the reply.

Only this module knows what http.client and sockets raise: all of it means *unavailable*. Whether the service has seen
the body is then unknown, which is why every try carries the same bytes under the same ids.
"""

import contextlib
import http.client
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

PATH = "/v1/events"


class Unavailable(Exception):
    """No reply came."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    retry_after: str | None = None


class Connection:
    """One keep-alive connection, opened when it is needed and again after any failure."""

    def __init__(self, url: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(
                f"url is {url!r}; it must be the service's address, such as https://meterline.internal:8080"
            )
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._path = parts.path.rstrip("/") + PATH
        self._connection = kind(parts.hostname, parts.port, timeout=timeout_s)

    def post(self, body: bytes, headers: dict[str, str]) -> Reply:
        """The service's reply to `body`; raises Unavailable."""
        try:
            written = self._write(body, headers)
            response = self._connection.getresponse()
            reply = Reply(response.status, response.read(), response.headers.get("Retry-After"))
            if not written:
                self._connection.close()
            return reply  # noqa: TRY300 - reading it is what may fail
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Unavailable(f"{type(error).__name__}: {error}") from error

    def _write(self, body: bytes, headers: dict[str, str]) -> bool:
        # A service that is over its limit answers and closes before it has read the body. The failed write is then
        # not the news; the answer that waits behind it is.
        try:
            self._connection.request("POST", self._path, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def interrupt(self) -> None:
        """End a wait for a reply from another thread; the wait raises Unavailable."""
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection; the next post opens a new one."""
        self._connection.close()
