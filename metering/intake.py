"""Take requests in, and answer each after its events are in the ledger.

request -> decoder (bodies become columns, ahead of time) -> writer (decide, append, remember, answer; one block at a
time, in order). Which events are new is decided after the block before is marked, and identities are remembered
after their own block is: a failure in between leaves the events unknown, to be sent again.
"""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import msgspec
import numpy as np
import structlog

from ledger.block import ACCEPTED, Marker
from ledger.errors import Unavailable
from ledger.ledger import Ledger
from metering.batch import Batch
from metering.body import binary_event, decompressed, form_of, is_single
from metering.columns import Admission, Bounds
from metering.decide import Content, Pair, decide, is_same_content
from metering.errors import BodyRefusedError
from metering.events import read_events
from metering.identity import Hasher, IdentityIndex
from metering.requests import Answer, Decoded, Request, decoded, that_fit_a_block
from metering.warm import warm_up

log = structlog.get_logger()

LOAD_EVENTS = 2_000_000
"""About how many identities are read at a time when the index is built: 28 bytes each, in however many blocks."""

DECODE_BYTES = 4 * 2**20
"""How many bytes of bodies are brought through decoding together."""


class IntakeSettings(msgspec.Struct, frozen=True):
    """How requests become blocks."""

    body_bytes_max: int = 32 * 2**20
    request_events_max: int = 200_000
    inflight_bytes_max: int = 256 * 2**20
    block_events_max: int = 200_000
    block_bytes_max: int = 128 * 2**20
    linger_ms: int = 20
    bounds: Bounds = Bounds()


class OverloadedError(Exception):
    """More bytes are in flight than the limit allows; nothing of the request was kept."""


class StoppedError(Exception):
    """The intake takes nothing any more: the process is stopping, or has to."""


class Intake:
    """The way of events into one ledger."""

    def __init__(
        self, ledger: Ledger, admission: Admission, settings: IntakeSettings, now_ms: Callable[[], int]
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._now_ms = now_ms
        self.admission = admission
        self.bounds = settings.bounds
        self.hasher = Hasher(ledger.identity.secret)
        warm_up(self.hasher)
        self.index = load_index(ledger)
        self.failure: BaseException | None = None
        self.on_block: Callable[[Marker, float], None] = lambda _marker, _seconds: None
        """Told of each block that is marked, and how long storing it took."""
        self._inflight_bytes = 0
        self._lock = threading.Lock()
        self._bodies: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._pending: queue.SimpleQueue[Decoded | None] = queue.SimpleQueue()
        self._held: Decoded | None = None
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
        self,
        tenant: str,
        body: bytes,
        content_type: str = "application/json",
        encoding: str = "",
        reserved: int = 0,
        attributes: dict[str, str] | None = None,
    ) -> "Future[Answer]":
        """Take a body in; the future holds the answer once its events are durable, or why they are not.

        `reserved` bytes were reserved for it by the caller, and are released here when it is answered.
        """
        answer: Future[Answer] = Future()
        answer.set_running_or_notify_cancel()  # a client that goes away cancels nothing
        request = Request(tenant, body, content_type, encoding, answer, reserved, attributes)
        with self._lock:
            if not self._stopping:
                self._bodies.put(request)
                return answer
        self._refuse(request, StoppedError("the service is stopping; send the events again"))
        return answer

    def _decode_all(self) -> None:
        """Bring what is waiting through decoding, some of it at a time."""
        stopping = False
        while not stopping:
            requests, stopping = self._waiting_bodies()
            read = [request for request in requests if self._read(request)]
            admission = self.admission  # one version for all of them, whatever is applied meanwhile
            for tenant in dict.fromkeys(request.tenant for request in read):
                of_tenant = [request for request in read if request.tenant == tenant]
                bounds = self._settings.block_events_max, self._settings.block_bytes_max
                for some in that_fit_a_block(of_tenant, *bounds):
                    self._make_columns(tenant, some, admission)
        self._pending.put(None)

    def _waiting_bodies(self) -> tuple[list[Request], bool]:
        """The bodies that wait, up to a bound, once there is one; and whether they are the last."""
        requests: list[Request] = []
        nbytes = 0
        while nbytes < DECODE_BYTES:
            try:
                request = self._bodies.get(block=not requests)
            except queue.Empty:
                break
            if request is None:
                return requests, True
            requests.append(request)
            nbytes += len(request.body)
        return requests, False

    def _read(self, request: Request) -> bool:
        """Decode one body; a refusal is answered at once."""
        try:
            form = form_of(request.content_type)
            body = decompressed(request.body, request.encoding, self._settings.body_bytes_max)
            self._reserve_grown(request, len(body))
            if request.attributes is not None:
                form, body = "one", binary_event(request.attributes, body)
            request.single = is_single(body, form)
            request.events, request.rejections = read_events(body, form, self._settings.request_events_max)
        except (BodyRefusedError, OverloadedError) as refusal:
            self._refuse(request, refusal)
            return False
        except Exception as error:  # a bug: this body is answered with it, the others go on
            log.exception("decoding failed")
            self._refuse(request, error)
            return False
        request.body = b""
        return True

    def _reserve_grown(self, request: Request, nbytes: int) -> None:
        """A body that was compressed takes more room than was reserved for it."""
        grown = max(0, nbytes - request.reserved)
        if not self.reserve(grown):
            raise OverloadedError
        request.reserved += grown

    def _make_columns(self, tenant: str, requests: list[Request], admission: Admission) -> None:
        try:
            made = decoded(tenant, requests, admission, self.hasher, self.bounds, self._now_ms())
        except Exception as error:  # a bug, as above
            log.exception("decoding failed")
            for request in requests:
                self._refuse(request, error)
            return
        self._pending.put(made)

    def _write_all(self) -> None:
        while group := self._next_group():
            try:
                self._commit(group)
            except Unavailable as error:
                log.warning("block not stored", reason=str(error))
                self._refuse_all(group, error)
            except BaseException as error:
                # Whether the block is stored is not known, or the ledger is damaged: only a restart can tell.
                log.exception("the intake stops")
                self.failure = error
                self._refuse_all(group, StoppedError(str(error)))
                self._refuse_rest()
                return

    def _next_group(self) -> list[Decoded]:
        """What the next block is made of: what came in while the last one was written, or a moment's worth.

        A block has one catalog version, and bounded rows and bytes; what would be over is held for the next.
        """
        group: list[Decoded] = []
        events = nbytes = 0
        deadline = 0.0
        while True:
            taken = self._held or self._take(group, deadline)
            self._held = None
            if taken is None:
                return group
            if not group:
                deadline = time.monotonic() + self._settings.linger_ms / 1000
            elif (
                taken.columns.catalog != group[0].columns.catalog
                or events + len(taken.request_of) > self._settings.block_events_max
                or nbytes + taken.columns.rows.nbytes > self._settings.block_bytes_max
            ):
                self._held = taken
                return group
            group.append(taken)
            events += len(taken.request_of)
            nbytes += taken.columns.rows.nbytes

    def _take(self, group: list[Decoded], deadline: float) -> Decoded | None:
        """What is decoded next; None when the group has waited long enough, or all is over."""
        try:
            if not group:
                taken = self._pending.get()
            else:
                taken = self._pending.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None
        if taken is None:
            self._pending.put(None)  # the end stays the end, for a group that is still to be written
        return taken

    def _commit(self, group: list[Decoded]) -> None:
        batch = Batch(group)
        if not any(part.items for part in group):
            outcome = batch.outcome
        else:
            found = self.index.find(batch.identity)
            outcome = decide(
                batch.identity, batch.content, batch.outcome, found, lambda pairs: self._compare(batch, pairs)
            )
            begun = time.monotonic()
            marker = self._ledger.append(batch.block(outcome), batch.catalog, self._now_ms())
            self.on_block(marker, time.monotonic() - begun)
            accepted = outcome == ACCEPTED
            blocks = np.full(int(accepted.sum()), marker.block, dtype=np.uint32)
            self.index.remember(batch.identity[accepted], batch.content[accepted], blocks)
        first = 0
        for part in group:
            last = first + len(part.request_of)
            for request, answer in zip(part.requests, part.answers(outcome[first:last]), strict=True):
                self.release(request.reserved)
                request.answer.set_result(answer)
            first = last

    def _compare(self, batch: Batch, pairs: list[Pair]) -> list[bool]:
        """Whether the values behind two different content hashes are the same after all."""
        known = [(row, -taken_by) for row, taken_by in pairs if taken_by < 0]
        identities = [int.from_bytes(batch.identity[row].tobytes(), "little") for row, _ in known]
        originals = self._ledger.originals(sorted({block for _, block in known}), identities) if known else {}
        contents = batch.contents_of({row for pair in pairs for row in pair if row >= 0})
        same: list[bool] = []
        for row, taken_by in pairs:
            if taken_by >= 0:
                first = contents[taken_by]
            else:
                first = Content(*originals[int.from_bytes(batch.identity[row].tobytes(), "little")])
            same.append(is_same_content(contents[row], first))
        return same

    def _refuse(self, request: Request, error: BaseException) -> None:
        self.release(request.reserved)
        request.answer.set_exception(error)

    def _refuse_all(self, group: list[Decoded], error: BaseException) -> None:
        for part in group:
            for request in part.requests:
                self._refuse(request, error)

    def _refuse_rest(self) -> None:
        """Answer everything that can't be stored any more."""
        with self._lock:
            self._stopping = True
        self._bodies.put(None)
        rest = [self._held] if self._held is not None else []
        while (taken := self._pending.get()) is not None:
            rest.append(taken)
        self._refuse_all(rest, StoppedError(str(self.failure)))

    def close(self) -> None:
        """Take nothing more, and finish what was taken."""
        with self._lock:
            already, self._stopping = self._stopping, True
        if not already:
            self._bodies.put(None)
        for thread in self._threads:
            thread.join()


def load_index(ledger: Ledger) -> IdentityIndex:
    """The index of every identity the ledger has accepted, read back from it."""
    index = IdentityIndex(expected=ledger.accepted)
    for first, last in ledger.ranges(LOAD_EVENTS):
        index.remember(*ledger.identities(first, last))
    return index
