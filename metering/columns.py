"""Turn events into the columns everything after this takes: identity, content, time, quantities, dimensions, reason.

Rows become columns once, here, under one version of the catalog. What can't be counted is marked for quarantine
with its reason; whether an event is new is decided later, in block order.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ledger.block import ACCEPTED, QUARANTINED, SCHEMA
from ledger.meters import Meter, layouts
from ledger.scale import decimal_bytes
from metering.errors import NO_METER, REASONS, TOO_EARLY, TOO_OLD, Rejection
from metering.events import Event
from metering.extract import Extracted, Extractor
from metering.identity import Hasher, UInt64s
from metering.instants import instants

DAY_MS = 86_400_000
FIRST_MS, LAST_MS = -2_208_988_800_000, 10_413_791_999_999
"""1900 to 2299, what the time of usage can hold: the engine moves what is outside to the nearer end without a word."""
QUANTITIES = SCHEMA.field("quantities").type
DIMENSIONS = SCHEMA.field("dimensions").type


class Bounds(msgspec.Struct, frozen=True):
    """How far from now an event's time may be before it goes to quarantine."""

    late_days_max: int = 400
    ahead_s_max: int = 300


class Admission:
    """What one catalog version makes of events: extractors per tenant and event type."""

    def __init__(self, catalog: int, meters: Mapping[str, Sequence[Meter]]) -> None:
        self.catalog = catalog
        self._extractors = {
            tenant: {event_type: Extractor(layout) for event_type, layout in layouts(wanted).items()}
            for tenant, wanted in meters.items()
        }

    def extractors(self, tenant: str) -> dict[str, Extractor]:
        """The event types that one of the tenant's meters takes."""
        return self._extractors.get(tenant, {})


class Columns(msgspec.Struct, gc=False):
    """Events of one tenant as columns; `rows` has the ledger's schema."""

    catalog: int
    rows: pa.Table
    identity: UInt64s
    content: UInt64s
    outcome: NDArray[np.int8]
    timeless: list[int]
    """The events that are not here, because their time can't be read."""


def columns(
    tenant: str, events: list[Event], admission: Admission, hasher: Hasher, bounds: Bounds, now_ms: int
) -> Columns:
    """The columns of `events`, admitted under one catalog version at `now_ms`."""
    time, timeless = instants([event.time for event in events])
    if timeless:
        kept = sorted(set(range(len(events))) - set(timeless))
        events, time = [events[index] for index in kept], time[kept]
    sources = [event.source for event in events]
    ids = [event.id for event in events]
    data = [event.data for event in events]
    kind = pa.array([event.type for event in events], pa.string()).dictionary_encode()
    subject = pa.array([event.subject for event in events], pa.string())
    identity = hasher.identities(tenant, sources, ids)
    content = hasher.contents([kind, subject.dictionary_encode()], time, data)
    extracted = _Extraction(len(events), kind, data, admission.extractors(tenant))
    reason = extracted.reason
    reason[time < max(now_ms - bounds.late_days_max * DAY_MS, FIRST_MS)] = REASONS.index(TOO_OLD)
    reason[time > min(now_ms + bounds.ahead_s_max * 1000, LAST_MS)] = REASONS.index(TOO_EARLY)
    outcome = np.where(reason == 0, ACCEPTED, QUARANTINED).astype(np.int8)
    rows = pa.table(
        {
            "outcome": pa.array(outcome),
            "tenant": _constant(tenant, len(events)),
            "source": pa.array(sources, pa.string()).dictionary_encode(),
            "id": pa.array(ids, pa.string()),
            "type": kind,
            "subject": subject,
            "time": pa.array(time),
            "data": _joined(data),
            "identity": pa.Array.from_buffers(pa.binary(16), len(events), [None, pa.py_buffer(identity)]),
            "content": pa.array(content),
            "quantities": extracted.quantities(),
            "dimensions": extracted.dimensions(),
            "reason": pa.DictionaryArray.from_arrays(pa.array(reason, pa.int32()), pa.array(extracted.reasons)),
            "count": pa.array(np.ones(len(events), dtype=np.uint32)),
        }
    )
    return Columns(admission.catalog, rows, identity, content, outcome, timeless)


def timeless_rejection(event: Event, index: int) -> Rejection:
    """The rejection of an event whose time can't be read."""
    reason = f"time {event.time[:40]!r} is no RFC 3339 time with a zone, such as 2026-11-01T12:00:00.000Z"
    return Rejection(index, "time_unreadable", reason, event.source)


class _Extraction:
    """Values and dimensions of a request's events, gathered type by type and put back in the events' order."""

    def __init__(
        self, count: int, kind: pa.DictionaryArray, data: list[msgspec.Raw], extractors: dict[str, Extractor]
    ) -> None:
        self.reasons = list(REASONS)
        self.reason = np.zeros(count, dtype=np.int32)
        self._count = count
        self._found: list[tuple[NDArray[np.int64], Extracted]] = []
        codes = kind.indices.to_numpy()
        for code, event_type in enumerate(kind.dictionary.to_pylist()):
            rows = np.flatnonzero(codes == code)
            extractor = extractors.get(event_type)
            if extractor is None:
                self.reason[rows] = REASONS.index(NO_METER)
            elif extractor.reads_data:
                found = extractor.extract(list(map(data.__getitem__, rows.tolist())) if len(rows) < count else data)
                for place, text in found.reasons.items():
                    self.reason[rows[place]] = self._code(text)
                self._found.append((rows, found))

    def _code(self, text: str) -> int:
        if text not in self.reasons:
            self.reasons.append(text)
        return self.reasons.index(text)

    def quantities(self) -> pa.Array:
        """Each event's values, in its layout's order."""
        lists = _Lists(self._count, [(rows, len(found.values)) for rows, found in self._found])
        pairs = np.zeros((lists.total, 2), dtype=np.int64)
        for rows, found in self._found:
            for place, column in enumerate(found.values):
                pairs[lists.starts[rows] + place] = np.frombuffer(decimal_bytes(column), dtype=np.int64).reshape(-1, 2)
        values = pa.Array.from_buffers(QUANTITIES.value_type, lists.total, [None, pa.py_buffer(pairs.tobytes())])
        return lists.array(values, QUANTITIES)

    def dimensions(self) -> pa.Array:
        """Each event's dimensions, in its layout's order."""
        lists = _Lists(self._count, [(rows, len(found.dimensions)) for rows, found in self._found])
        columns_of: list[pa.Array] = [pa.array([], pa.string())]
        entry = np.zeros(lists.total, dtype=np.int64)
        taken = 0
        for rows, found in self._found:
            for place, column in enumerate(found.dimensions):
                entry[lists.starts[rows] + place] = np.arange(taken, taken + len(column))
                columns_of.append(column)
                taken += len(column)
        return lists.array(pa.concat_arrays(columns_of).take(pa.array(entry)), DIMENSIONS)


class _Lists:
    """Where the entries of a list column go, when each type of event has its own number of them."""

    def __init__(self, count: int, widths: list[tuple[NDArray[np.int64], int]]) -> None:
        width = np.zeros(count, dtype=np.int32)
        for rows, entries in widths:
            width[rows] = entries
        self._offsets = np.zeros(count + 1, dtype=np.int32)
        np.cumsum(width, out=self._offsets[1:])
        self.starts = self._offsets[:-1]
        self.total = int(self._offsets[-1])

    def array(self, values: pa.Array, list_type: pa.DataType) -> pa.Array:
        """The list column over `values`."""
        return pa.ListArray.from_arrays(pa.array(self._offsets), values, type=list_type)


def _constant(text: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int32)), pa.array([text]))


def _joined(data: list[msgspec.Raw]) -> pa.Array:
    """The data of all events as one text column, without a Python object each."""
    offsets = np.zeros(len(data) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, data), dtype=np.int32, count=len(data)), out=offsets[1:])
    joined = b"".join(data)
    return pa.Array.from_buffers(pa.string(), len(data), [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(joined)])
