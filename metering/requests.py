"""Bring many requests through decoding at once, and keep whose events are whose.

A body is decoded alone, because it is refused alone; columns are made for many bodies together, because what a
column costs to set up is as much as a hundred events.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ledger.block import ACCEPTED, CONFLICT, DUPLICATES, QUARANTINED, REJECTED
from metering.columns import Admission, Bounds, Columns, columns
from metering.errors import Rejection
from metering.fields import Fields, joined
from metering.identity import Hasher


class Answer(msgspec.Struct, frozen=True):
    """What became of a request's events."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    rejected: list[Rejection] = []
    single: bool = False
    """Whether the body was one event and not a batch of them."""


class Request(msgspec.Struct, gc=False):
    """A body on its way through, and what was read of it so far."""

    tenant: str
    body: bytes
    content_type: str
    encoding: str
    answer: "Future[Answer]"
    reserved: int
    attributes: dict[str, str] | None = None
    """The attributes of a CloudEvent that came in the headers; its body is then the data alone."""
    single: bool = False
    events: Fields | None = None
    rejections: list[Rejection] = []


class Decoded(NamedTuple):
    """Requests of one tenant with their events as one set of columns."""

    tenant: str
    requests: list[Request]
    columns: Columns
    request_of: NDArray[np.int64]
    """For each row of the columns, which of `requests` it came with."""

    @property
    def items(self) -> int:
        """How many items there are to say something of."""
        return len(self.request_of) + sum(len(request.rejections) for request in self.requests)

    def answers(self, outcome: NDArray[np.int8]) -> Iterable[Answer]:
        """What to tell each request, when its rows turned out to be `outcome`."""
        kinds = REJECTED + 1
        counts = np.bincount(self.request_of * kinds + outcome, minlength=len(self.requests) * kinds)
        for request, row in zip(self.requests, counts.reshape(-1, kinds).tolist(), strict=True):
            yield Answer(
                row[ACCEPTED], row[DUPLICATES], row[CONFLICT], row[QUARANTINED], request.rejections, request.single
            )


def that_fit_a_block(requests: Sequence[Request], events_max: int, bytes_max: int) -> Iterable[list[Request]]:
    """`requests` in groups of at most so many events and bytes: what few bytes unpack to may be more than a block.

    One request alone is a group, whatever it holds: its own bounds are what it is held to.
    """
    group: list[Request] = []
    events = nbytes = 0
    for request in requests:
        assert request.events is not None
        more_events, more_bytes = request.events.size, len(request.events.text)
        if group and (events + more_events > events_max or nbytes + more_bytes > bytes_max):
            yield group
            group, events, nbytes = [], 0, 0
        group.append(request)
        events += more_events
        nbytes += more_bytes
    if group:
        yield group


def decoded(
    tenant: str, requests: Sequence[Request], admission: Admission, hasher: Hasher, bounds: Bounds, now_ms: int
) -> Decoded:
    """The events of `requests`, all of one tenant, as columns."""
    events = [request.events for request in requests if request.events is not None]
    made = columns(tenant, joined(events), admission, hasher, bounds, now_ms)
    request_of = np.repeat(np.arange(len(requests)), [one.size for one in events])
    for request in requests:
        request.events = None
    return Decoded(tenant, list(requests), made, request_of)
