"""Turn events into the columns everything after this takes: identity, content, time, quantities, dimensions, reason.

Rows become columns once, here, under one version of the catalog. What can't be counted is marked for quarantine
with its reason; whether an event is new is decided later, in block order.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ledger.block import ACCEPTED, QUARANTINED, SCHEMA
from ledger.meters import Meter, layouts
from metering.errors import NO_METER, REASONS, TOO_EARLY, TOO_OLD
from metering.extract import Extracted, Extractor
from metering.fields import DATA, ID, SOURCE, SUBJECT, TYPE, Fields, text_column, word_column
from metering.identity import Hasher
from metering.siphash import UInt64s

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


def columns(tenant: str, events: Fields, admission: Admission, hasher: Hasher, bounds: Bounds, now_ms: int) -> Columns:
    """The columns of `events`, admitted under one catalog version at `now_ms`."""
    time = events.time
    identity = hasher.identities(tenant, events)
    content = hasher.contents(events)
    kind = _words(events, TYPE, hasher)
    extracted = _Extraction(events, kind, admission.extractors(tenant))
    reason = extracted.reason
    reason[time < max(now_ms - bounds.late_days_max * DAY_MS, FIRST_MS)] = REASONS.index(TOO_OLD)
    reason[time > min(now_ms + bounds.ahead_s_max * 1000, LAST_MS)] = REASONS.index(TOO_EARLY)
    outcome = np.where(reason == 0, ACCEPTED, QUARANTINED).astype(np.int8)
    rows = pa.table(
        {
            "outcome": pa.array(outcome),
            "tenant": _constant(tenant, events.size),
            "source": _words(events, SOURCE, hasher),
            "id": _texts(events, ID),
            "type": kind,
            "subject": _texts(events, SUBJECT),
            "time": pa.array(time),
            "data": _texts(events, DATA),
            "identity": pa.Array.from_buffers(pa.binary(16), events.size, [None, pa.py_buffer(identity)]),
            "content": pa.array(content),
            "quantities": extracted.quantities(),
            "dimensions": extracted.dimensions(),
            "reason": pa.DictionaryArray.from_arrays(pa.array(reason, pa.int32()), pa.array(extracted.reasons)),
            "count": pa.array(np.ones(events.size, dtype=np.uint32)),
        }
    )
    return Columns(admission.catalog, rows, identity, content, outcome)


def _texts(events: Fields, field: int) -> pa.Array:
    return text_column(events.text, events.spans[:, field], events.spans[:, field + 1])


def _words(events: Fields, field: int, hasher: Hasher) -> pa.DictionaryArray:
    return word_column(events.text, events.spans[:, field], events.spans[:, field + 1], hasher.words(events, field))


class _Extraction:
    """Values and dimensions of a request's events, gathered type by type and put back in the events' order."""

    def __init__(self, events: Fields, kind: pa.DictionaryArray, extractors: dict[str, Extractor]) -> None:
        self.reasons = list(REASONS)
        self.reason = np.full(events.size, REASONS.index(NO_METER), dtype=np.int32)
        self._events = events
        self._found: list[tuple[NDArray[np.int64], Extracted]] = []
        codes = kind.indices.to_numpy()
        for code, event_type in enumerate(kind.dictionary.to_pylist()):
            extractor = extractors.get(event_type)
            if extractor is None:  # there may be as many such types as events
                continue
            rows = np.flatnonzero(codes == code)
            self.reason[rows] = 0
            if extractor.reads_data:
                found = extractor.extract(events, rows)
                for place, text in found.reasons.items():
                    self.reason[rows[place]] = self._code(text)
                self._found.append((rows, found))

    def _code(self, text: str) -> int:
        if text not in self.reasons:
            self.reasons.append(text)
        return self.reasons.index(text)

    def quantities(self) -> pa.Array:
        """Each event's values, in its layout's order."""
        lists = _Lists(self._events.size, [(rows, len(found.values)) for rows, found in self._found])
        pairs = np.zeros((lists.total, 2), dtype=np.uint64)
        for rows, found in self._found:
            for place, column in enumerate(found.values):
                pairs[lists.starts[rows] + place] = column
        values = pa.Array.from_buffers(QUANTITIES.value_type, lists.total, [None, pa.py_buffer(pairs)])
        return lists.array(values, QUANTITIES)

    def dimensions(self) -> pa.Array:
        """Each event's dimensions, in its layout's order."""
        lists = _Lists(self._events.size, [(rows, len(found.dimensions)) for rows, found in self._found])
        places = np.zeros((lists.total, 2), dtype=np.int32)
        read: dict[int, str] = {}
        for rows, found in self._found:
            for place, column in enumerate(found.dimensions):
                entries = lists.starts[rows] + place
                places[entries] = column
                read |= {int(entries[row]): text for row, text in found.texts[place].items()}
        values = text_column(self._events.text, places[:, 0], places[:, 1])
        if read:
            is_read = np.zeros(lists.total, dtype=np.bool_)
            is_read[list(read)] = True
            values = pc.replace_with_mask(values, pa.array(is_read), pa.array([read[entry] for entry in sorted(read)]))
        return lists.array(values, DIMENSIONS)


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
