"""Hold a data directory for one process: an embedded ledger has one, and a second must learn who has it."""

import contextlib
import fcntl
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from ledger.errors import Held, Refused

FILE_NAME = "lock"


class Holder(msgspec.Struct, frozen=True):
    """Who holds the directory."""

    pid: int
    command: str


class DirectoryLock:
    """An exclusive hold on `directory` that ends with the process, however it ends."""

    def __init__(self, directory: Path) -> None:
        try:
            _make_private(directory)
            self._file = os.open(directory / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Refused(f"{directory} can't be used as a data directory: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._holder()
            os.close(self._file)
            message = (
                f"{directory} is in use by {holder}. One process opens a ledger: send commands to the running service "
                f"(they find it by themselves with --data {directory}), or stop it first"
            )
            raise Held(message) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, msgspec.json.encode(Holder(os.getpid(), " ".join(sys.argv))), 0)

    def _holder(self) -> str:
        try:
            holder = msgspec.json.decode(os.pread(self._file, 4096, 0), type=Holder)
        except msgspec.DecodeError:
            return "a process that is just starting"
        return f"process {holder.pid} ({holder.command})"

    def release(self) -> None:
        """Give the directory up."""
        os.ftruncate(self._file, 0)
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.release()


def _make_private(directory: Path) -> None:
    """Make `directory`, for its owner alone; one with something in it already is as its owner wants it."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not any(directory.iterdir()):
        with contextlib.suppress(PermissionError):  # another's directory: the owner says who may enter
            directory.chmod(0o700)
