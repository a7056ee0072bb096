"""Answer the commands that come to the running service through the socket in its data directory."""

import contextlib
import os
import socket
import socketserver
import threading
from typing import Any

import msgspec
import structlog

from ledger.errors import Damaged, Refused
from meterline.installation import Installation
from meterline.operations import run
from meterline.outcome import Output
from meterline.wire import SOCKET_NAME, Command, Line, short_path

UNREAD_S = 30
"""How long the end of the service waits for whoever does not read an answer: a pager that is left open, say."""

log = structlog.get_logger()


class ControlServer:
    """Listens in the data directory of a running service."""

    def __init__(self, installation: Installation) -> None:
        self._directory = installation.directory
        (self._directory / SOCKET_NAME).unlink(missing_ok=True)
        with short_path(self._directory) as path:
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
