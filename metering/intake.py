"""Take requests in, and answer each after its events are in the ledger.

request -> decoder (bodies become columns, ahead of time) -> writer (decide, append, remember, answer; one block at a
time, in order). Which events are new is decided after the block before is marked, and identities are remembered
after their own block is: a failure in between leaves the events unknown, to be sent again.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future

import msgspec
import numpy as np
import pyarrow as pa
import structlog
from numpy.typing import NDArray

from ledger.block import ACCEPTED, CONFLICT, DUPLICATES, QUARANTINED, REJECTED, SCHEMA
from ledger.errors import Unavailable
from ledger.ledger import Ledger
from metering.body import decompressed, form_of
from metering.columns import Admission, Bounds, Columns, columns
from metering.decide import Content, Pair, decide, is_same_content
from metering.errors import BodyRefusedError, Rejection
from metering.events import read_events
from metering.identity import Hasher, IdentityIndex

log = structlog.get_logger()

LOAD_BLOCKS = 64
"""How many blocks' identities are read at a time when the index is built."""


class IntakeSettings(msgspec.Struct, frozen=True):
    """How requests become blocks."""

    body_bytes_max: int = 32 * 2**20
    inflight_bytes_max: int = 256 * 2**20
    block_events_max: int = 200_000
    block_bytes_max: int = 128 * 2**20
    linger_ms: int = 20
    bounds: Bounds = Bounds()


class Answer(msgspec.Struct, frozen=True):
    """What became of a request's events."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    rejected: list[Rejection] = []


class OverloadedError(Exception):
    """More bytes are in flight than the limit allows; nothing of the request was kept."""


class StoppedError(Exception):
    """The intake takes nothing any more: the process is stopping, or has to."""


class Request(msgspec.Struct, gc=False):
    """A body on its way through."""

    tenant: str
    body: bytes
    content_type: str
    encoding: str
    answer: "Future[Answer]"
    reserved: int
    columns: Columns | None = None


class Intake:
    """The way of events into one ledger."""

    def __init__(
        self, ledger: Ledger, admission: Admission, settings: IntakeSettings, now_ms: Callable[[], int]
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._now_ms = now_ms
        self.admission = admission
        self.hasher = Hasher(ledger.identity.secret)
        self.index = load_index(ledger)
        self.failure: BaseException | None = None
        self._inflight_bytes = 0
        self._lock = threading.Lock()
        self._bodies: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._pending: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._held: Request | None = None
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._decode_all, name="decoder", daemon=True),
            threading.Thread(target=self._write_all, name="writer", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def reserve(self, nbytes: int) -> bool:
        """Make room for a body of `nbytes` before it is read; False when there is none."""
        with self._lock:
            if self._inflight_bytes + nbytes > self._settings.inflight_bytes_max and self._inflight_bytes:
                return False
            self._inflight_bytes += nbytes
            return True

    def release(self, nbytes: int) -> None:
        """Give room back."""
        with self._lock:
            self._inflight_bytes -= nbytes

    @property
    def inflight_bytes(self) -> int:
        """The bodies that are being read, decoded or stored."""
        return self._inflight_bytes

    def submit(
        self, tenant: str, body: bytes, content_type: str = "application/json", encoding: str = "", reserved: int = 0
    ) -> "Future[Answer]":
        """Take a body in; the future holds the answer once its events are durable, or why they are not.

        `reserved` bytes were reserved for it by the caller, and are released here when it is answered.
        """
        answer: Future[Answer] = Future()
        request = Request(tenant, body, content_type, encoding, answer, reserved)
        with self._lock:
            if not self._stopping:
                self._bodies.put(request)
                return answer
        self._refuse(request, StoppedError("the service is stopping; send the events again"))
        return answer

    def _decode_all(self) -> None:
        while (request := self._bodies.get()) is not None:
            try:
                request.columns = self._decode(request)
            except (BodyRefusedError, OverloadedError) as refusal:
                self._refuse(request, refusal)
            except Exception as error:  # a bug: this body is answered with it, the others go on
                log.exception("decoding failed")
                self._refuse(request, error)
            else:
                request.body = b""
                self._pending.put(request)
        self._pending.put(None)

    def _decode(self, request: Request) -> Columns:
        form = form_of(request.content_type)
        body = decompressed(request.body, request.encoding, self._settings.body_bytes_max)
        if grown := max(0, len(body) - request.reserved):
            if not self.reserve(grown):
                raise OverloadedError
            request.reserved += grown
        read = read_events(body, form)
        admission, bounds = self.admission, self._settings.bounds
        return columns(request.tenant, read, admission, self.hasher, bounds, self._now_ms())

    def _write_all(self) -> None:
        while group := self._next_group():
            try:
                self._commit(group)
            except Unavailable as error:
                log.warning("block not stored", reason=str(error))
                for request in group:
                    self._refuse(request, error)
            except BaseException as error:
                # Whether the block is stored is not known, or the ledger is damaged: only a restart can tell.
                log.exception("the intake stops")
                self.failure = error
                for request in group:
                    self._refuse(request, StoppedError(str(error)))
                self._refuse_rest()
                return

    def _next_group(self) -> list[Request]:
        """The requests of the next block: what came in while the last one was written, or a moment's worth.

        A block has one catalog version, and bounded rows and bytes; the request that is over is held for the next.
        """
        group: list[Request] = []
        events = nbytes = 0
        deadline = time.monotonic() + self._settings.linger_ms / 1000
        while True:
            request = self._held or self._take(group, deadline)
            self._held = None
            if request is None:
                return group
            taken = request.columns
            assert taken is not None
            if not group:
                deadline = time.monotonic() + self._settings.linger_ms / 1000
            elif (
                taken.catalog != _columns(group[0]).catalog
                or events + len(taken.outcome) > self._settings.block_events_max
                or nbytes + taken.nbytes > self._settings.block_bytes_max
            ):
                self._held = request
                return group
            group.append(request)
            events += len(taken.outcome)
            nbytes += taken.nbytes

    def _take(self, group: list[Request], deadline: float) -> Request | None:
        """The next decoded request; None when the group has waited long enough, or all is over."""
        try:
            if not group:
                request = self._pending.get()
            else:
                request = self._pending.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None
        if request is None:
            self._pending.put(None)  # the end stays the end, for a group that is still to be written
        return request

    def _commit(self, group: list[Request]) -> None:
        batch = Batch([_columns(request) for request in group])
        if not batch.counted:
            for request in group:
                self._resolve(request, Answer())
            return
        found = self.index.find(batch.identity)
        outcome = decide(batch.identity, batch.content, batch.outcome, found, lambda pairs: self._compare(batch, pairs))
        marker = self._ledger.append(batch.block(outcome), batch.catalog, self._now_ms())
        accepted = outcome == ACCEPTED
        blocks = np.full(int(accepted.sum()), marker.block, dtype=np.uint32)
        self.index.remember(batch.identity[accepted], batch.content[accepted], blocks)
        for request, answer in zip(group, batch.answers(outcome), strict=True):
            self._resolve(request, answer)

    def _compare(self, batch: "Batch", pairs: list[Pair]) -> list[bool]:
        """Whether the values behind two different content hashes are the same after all."""
        known = [(row, -taken_by) for row, taken_by in pairs if taken_by < 0]
        identities = [int.from_bytes(batch.identity[row].tobytes(), "little") for row, _ in known]
        originals = self._ledger.originals(sorted({block for _, block in known}), identities) if known else {}
        same: list[bool] = []
        for row, taken_by in pairs:
            if taken_by >= 0:
                first = batch.content_of(taken_by)
            else:
                first = Content(*originals[int.from_bytes(batch.identity[row].tobytes(), "little")])
            same.append(is_same_content(batch.content_of(row), first))
        return same

    def _resolve(self, request: Request, answer: Answer) -> None:
        self.release(request.reserved)
        request.answer.set_result(answer)

    def _refuse(self, request: Request, error: BaseException) -> None:
        self.release(request.reserved)
        request.answer.set_exception(error)

    def _refuse_rest(self) -> None:
        """Answer everything that can't be stored any more."""
        with self._lock:
            self._stopping = True
        self._bodies.put(None)
        if self._held is not None:
            self._refuse(self._held, StoppedError(str(self.failure)))
        while (request := self._pending.get()) is not None:
            self._refuse(request, StoppedError(str(self.failure)))

    def close(self) -> None:
        """Take nothing more, and finish what was taken."""
        with self._lock:
            already, self._stopping = self._stopping, True
        if not already:
            self._bodies.put(None)
        for thread in self._threads:
            thread.join()


class Batch:
    """The requests of one block as one set of columns."""

    def __init__(self, parts: list[Columns]) -> None:
        self._parts = parts
        self.catalog = parts[0].catalog
        self.rows: pa.Table = pa.concat_tables([part.rows for part in parts])
        self.identity = np.concatenate([part.identity for part in parts])
        self.content = np.concatenate([part.content for part in parts])
        self.outcome = np.concatenate([part.outcome for part in parts])

    @property
    def counted(self) -> int:
        """How many items there are to say something of."""
        return len(self.outcome) + sum(len(part.rejections) for part in self._parts)

    def content_of(self, row: int) -> Content:
        """What `row` says."""
        one = self.rows.slice(row, 1).select(["type", "subject", "time", "data"]).to_pylist()[0]
        return Content(**one)

    def block(self, outcome: NDArray[np.int8]) -> pa.Table:
        """The rows of the block: what is kept, and the counts of what is not."""
        kept = self.rows.set_column(0, "outcome", pa.array(outcome))
        if (outcome == DUPLICATES).any():
            kept = kept.filter(pa.array(outcome != DUPLICATES))
        counts = [*self._duplicates(outcome), *self._rejections()]
        if not counts:
            return kept.unify_dictionaries()
        return pa.concat_tables([plain(kept), count_rows(counts)]) if len(kept) else count_rows(counts)

    def _duplicates(self, outcome: NDArray[np.int8]) -> Iterable[tuple[int, str, str, int]]:
        if not (outcome == DUPLICATES).any():
            return []
        repeated = self.rows.select(["tenant", "source"]).filter(pa.array(outcome == DUPLICATES))
        counted = plain(repeated).group_by(["tenant", "source"]).aggregate([([], "count_all")]).to_pylist()
        ordered = sorted(counted, key=lambda row: (row["tenant"], row["source"]))
        return [(DUPLICATES, row["tenant"], row["source"], row["count_all"]) for row in ordered]

    def _rejections(self) -> Iterable[tuple[int, str, str, int]]:
        counted: dict[tuple[str, str], int] = {}
        for part in self._parts:
            for rejection in part.rejections:
                key = (part.tenant, rejection.source)
                counted[key] = counted.get(key, 0) + 1
        return [(REJECTED, tenant, source, count) for (tenant, source), count in sorted(counted.items())]

    def answers(self, outcome: NDArray[np.int8]) -> Iterable[Answer]:
        """What to tell each request."""
        first = 0
        for part in self._parts:
            last = first + len(part.outcome)
            counts = np.bincount(outcome[first:last], minlength=REJECTED + 1)
            first = last
            yield Answer(
                accepted=int(counts[ACCEPTED]),
                duplicates=int(counts[DUPLICATES]),
                conflicts=int(counts[CONFLICT]),
                quarantined=int(counts[QUARANTINED]),
                rejected=sorted(part.rejections, key=lambda rejection: rejection.index),
            )


def plain(rows: pa.Table) -> pa.Table:
    """`rows` without dictionary encoding, so that they can be joined with others."""
    return rows.cast(pa.schema([SCHEMA.field(name) for name in rows.column_names]))


def count_rows(counts: list[tuple[int, str, str, int]]) -> pa.Table:
    """Rows that only count: (outcome, tenant, source, how many)."""
    count = len(counts)
    columns_of: dict[str, list[object]] = {
        "outcome": [outcome for outcome, _, _, _ in counts],
        "tenant": [tenant for _, tenant, _, _ in counts],
        "source": [source for _, _, source, _ in counts],
        "count": [many for _, _, _, many in counts],
        **dict.fromkeys(("id", "type", "subject", "data", "reason"), [""] * count),
        **dict.fromkeys(("time", "content"), [0] * count),
        **dict.fromkeys(("quantities", "dimensions"), [[]] * count),
        "identity": [bytes(16)] * count,
    }
    return pa.table({name: pa.array(columns_of[name], SCHEMA.field(name).type) for name in SCHEMA.names}, schema=SCHEMA)


def _columns(request: Request) -> Columns:
    assert request.columns is not None
    return request.columns


def load_index(ledger: Ledger) -> IdentityIndex:
    """The index of every identity the ledger has accepted, read back from it."""
    index = IdentityIndex(expected=ledger.accepted)
    for first in range(1, ledger.head.block + 1, LOAD_BLOCKS):
        identity, content, block = ledger.identities(first, min(first + LOAD_BLOCKS - 1, ledger.head.block))
        index.remember(identity, content, block)
    return index
