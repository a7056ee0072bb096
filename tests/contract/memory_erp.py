"""An ERP in memory that answers from a script: it refuses, is away, loses its answers, or stores only later.

Unlike a careful ERP it stores whatever it is sent, so a document that is sent twice is there twice.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal

from posting.content import Document, digest
from posting.erp import OutcomeUnknown, Receipt, Rejected, Unavailable

Fault = Literal["none", "rejected", "unavailable", "lost", "stored", "late", "killed", "killed stored", "killed late"]
FAULTS: tuple[Fault, ...] = Fault.__args__  # type: ignore[attr-defined]


class Killed(Exception):
    """The process ends here; nothing that posts catches it."""


class MemoryErp:
    """Documents in the order in which they arrived."""

    def __init__(self, clock: Callable[[], int] = lambda: 0, settle_ms: int = 0, script: Iterable[Fault] = ()) -> None:
        self.settle_ms = settle_ms
        self.arrived: list[Document] = []
        self.calls = 0
        self._clock = clock
        self._script = deque(script)
        self._on_the_way: list[tuple[int, Document]] = []

    def look_up(self, key: str) -> Receipt | None:
        self._arrive()
        found = next((document for document in self.arrived if document.key == key), None)
        return None if found is None else _receipt(found)

    def post(self, document: Document) -> Receipt:
        self.calls += 1
        self._arrive()
        fault = self._script.popleft() if self._script else "none"
        if fault == "rejected":
            raise Rejected("the account is closed")
        if fault == "unavailable":
            raise Unavailable("the ERP is being upgraded")
        if "late" in fault:
            self._on_the_way.append((self._clock() + self.settle_ms, document))
        if fault in {"none", "stored", "killed stored"}:
            self._store(document)
        if fault == "none":
            return _receipt(document)
        if "killed" in fault:
            raise Killed
        raise OutcomeUnknown("no answer")

    def _store(self, document: Document) -> None:
        held = self.look_up(document.key)
        if held is not None and held.digest != digest(document):
            raise Rejected(f"another document is there as {held.reference}")
        self.arrived.append(document)

    def _arrive(self) -> None:
        """What was on the way is there once the time is over in which it may arrive."""
        now = self._clock()
        self.arrived += [document for at, document in self._on_the_way if at <= now]
        self._on_the_way = [(at, document) for at, document in self._on_the_way if at > now]


def _receipt(document: Document) -> Receipt:
    return Receipt(document.key, f"#{document.id}", digest(document), document.balances())
