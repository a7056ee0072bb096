"""Handles on a real engine that fail on purpose: cut off by a kill, or with an answer that leaves the outcome open."""

from typing import Any

import pyarrow as pa

from ledger.engine import Handle
from ledger.errors import LedgerError, UnknownOutcome
from ledger.ledger import Ledger


class Kill(BaseException):
    """The process ends here."""


class Fuse:
    """Burns down with each statement; at its end the process is gone before the next one reaches the engine."""

    def __init__(self, statements: int) -> None:
        self.left = statements

    def burn(self) -> None:
        """Let one statement through, or end."""
        if self.left == 0:
            raise Kill
        self.left -= 1


class Fused(Handle):
    """A handle that a kill cuts off."""

    def __init__(self, real: Handle, fuse: Fuse) -> None:
        super().__init__(real._client)
        self._fuse = fuse

    def run(self, name: str, **parameters: Any) -> None:
        self._fuse.burn()
        super().run(name, **parameters)

    def rows(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        self._fuse.burn()
        return super().rows(name, **parameters)

    def insert(self, table: str, columns: pa.Table) -> None:
        self._fuse.burn()
        super().insert(table, columns)


class Unsure(Handle):
    """A handle whose next insert into `table` ends with an error, when nothing, all or half of it is stored."""

    def __init__(self, real: Handle, table: str, stored: str) -> None:
        super().__init__(real._client)
        self._table = table
        self._stored = stored
        self.blind = False

    def insert(self, table: str, columns: pa.Table) -> None:
        if table != self._table:
            super().insert(table, columns)
            return
        self._table = ""
        half = len(columns) // 2
        if self._stored == "half":
            super().insert(table, columns.slice(0, half))
        elif self._stored == "in two parts":
            super().insert(table, columns.slice(0, half))
            super().insert(table, columns.slice(half))
        elif self._stored == "all":
            super().insert(table, columns)
        raise UnknownOutcome(f"the connection was lost while {table} was written")

    def rows(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        if self.blind:
            raise LedgerError("the engine does not answer")
        return super().rows(name, **parameters)


class Unreadable(Handle):
    """A handle that can't read one statement, as often as it is told."""

    def __init__(self, real: Handle, statement: str, times: int) -> None:
        super().__init__(real._client)
        self._statement = statement
        self._left = times

    def rows(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        if name == self._statement and self._left:
            self._left -= 1
            raise LedgerError("the engine does not answer")
        return super().rows(name, **parameters)


def cut_short(ledger: Ledger, fuse: Fuse) -> None:
    """Let a kill end what `ledger` writes."""
    ledger._writer._handle = Fused(ledger._write, fuse)
    ledger._follower._handle = Fused(ledger.writing, fuse)


def made_unsure(ledger: Ledger, table: str, stored: str) -> Unsure:
    """Let the next insert into `table` end with an unknown outcome."""
    unsure = Unsure(ledger._write, table, stored)
    ledger._writer._handle = unsure
    return unsure
