"""Speak between a command and the running service, through a socket that only the owner of the data directory may open.

One connection is one command: a JSON line with the operation and its parameters goes in; lines come out, each
progress, a row, or, last, the result or why there is none. A command needs nothing else where a service runs, so this
imports nothing that takes time.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

SOCKET_NAME = "control.sock"


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


def connect(directory: Path) -> socket.socket | None:
    """A connection to the service that runs on `directory`; None when there is none."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        with short_path(directory) as path:
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
def short_path(directory: Path) -> Iterator[str]:
    """A path to the socket that fits the 108 bytes of an address, however deep `directory` is."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET_NAME}"
    finally:
        os.close(handle)
