"""Bring a command to the running service through a socket that only the owner of the data directory may open.

One connection is one command: a JSON line with the operation and its parameters goes in; lines come out, each
progress, a row, or, last, the result or why there is none.
"""

import contextlib
import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog

from ledger.errors import Damaged, Refused
from meterline.installation import Installation
from meterline.operations import Output, run

SOCKET_NAME = "control.sock"
UNREAD_S = 30
"""How long the end of the service waits for whoever does not read an answer: a pager that is left open, say."""

log = structlog.get_logger()


class Command(msgspec.Struct, frozen=True):
    """What is asked."""

    operation: str
    parameters: dict[str, Any]


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of an answer."""

    progress: str | None = None
    row: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    status: int = 0
    failure: str | None = None


class ControlServer:
    """Listens in the data directory of a running service."""

    def __init__(self, installation: Installation) -> None:
        self._directory = installation.directory
        (self._directory / SOCKET_NAME).unlink(missing_ok=True)
        with _short(self._directory) as path:
            # It holds for every thread: with the owner's bits in it too, the engine could not enter what it makes now.
            before = os.umask(0o077)
            try:
                self._server = _Server(path, installation)
            finally:
                os.umask(before)
        threading.Thread(target=self._server.serve_forever, name="control", daemon=True).start()

    def close(self) -> None:
        """Finish the commands that run, and take no more."""
        self._server.shutdown()
        self._server.hang_up(socket.SHUT_RD)
        unread = threading.Timer(UNREAD_S, self._server.hang_up, [socket.SHUT_RDWR])
        unread.daemon = True
        unread.start()
        self._server.server_close()
        unread.cancel()
        (self._directory / SOCKET_NAME).unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = False

    def __init__(self, path: str, installation: Installation) -> None:
        self.installation = installation
        self._open: set[socket.socket] = set()
        super().__init__(path, _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self, direction: int) -> None:
        """Stop waiting for what clients say, or also for those that do not listen; what runs goes on."""
        for request in tuple(self._open):
            with contextlib.suppress(OSError):
                request.shutdown(direction)


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        line = self.rfile.readline()
        if not line:
            return
        command = msgspec.json.decode(line, type=Command)
        try:
            self._say(self._answer(command))
        except (BrokenPipeError, ConnectionResetError):
            log.info("a command went away before it was answered", operation=command.operation)

    def _answer(self, command: Command) -> Line:
        assert isinstance(self.server, _Server)
        output = Output(lambda text: self._say(Line(progress=text)), lambda row: self._say(Line(row=row)))
        try:
            outcome = run(self.server.installation, command.operation, command.parameters, output)
        except (BrokenPipeError, ConnectionResetError):
            raise
        except Damaged as damage:
            return Line(failure=f"{damage}. Run `meterline verify`, and keep the directory as it is", status=1)
        except Refused as refusal:
            return Line(failure=str(refusal), status=2)
        except Exception as error:
            log.exception("a command failed", operation=command.operation)
            return Line(failure=f"{type(error).__name__}: {error}", status=1)
        return Line(result=outcome.result, status=outcome.status)

    def _say(self, line: Line) -> None:
        self.wfile.write(msgspec.json.encode(line) + b"\n")


def connect(directory: Path) -> socket.socket | None:
    """A connection to the service that runs on `directory`; None when there is none."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        with _short(directory) as path:
            connection.connect(path)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        connection.close()
        return None
    return connection


def ask(connection: socket.socket, operation: str, parameters: dict[str, Any]) -> Iterator[Line]:
    """Run `operation` in the service; its lines as they come."""
    with connection, connection.makefile("rwb") as stream:
        stream.write(msgspec.json.encode(Command(operation, parameters)) + b"\n")
        stream.flush()
        for line in stream:
            yield msgspec.json.decode(line, type=Line)


@contextmanager
def _short(directory: Path) -> Iterator[str]:
    """A path to the socket that fits the 108 bytes of an address, however deep `directory` is."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET_NAME}"
    finally:
        os.close(handle)
