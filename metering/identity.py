"""Decide whether an event was counted before: an exact, columnar index of every identity the ledger has accepted.

The index is derived from the ledger at start and lives in memory: it has no time-to-live and no window. An identity
is 128 bits of (tenant, source, id) keyed with the ledger's secret; beside it stand 64 bits of the content it was
accepted with, and the block it is in. That is 28 bytes a slot, and between 1.3 and 2 slots an identity: 37 to 56
bytes, and for the moment of growing the old table beside the new one.
"""

import hashlib
import threading
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ledger.compiled import compiled
from metering.fields import DATA, ID, SOURCE, SUBJECT, TYPE, Fields, laid_out
from metering.siphash import UInt64s, hashed

UInt32s = NDArray[np.uint32]
Slots = tuple[UInt64s, UInt64s, UInt64s, UInt32s]

CAPACITY_MIN = 1 << 16
LOAD_MAX = 0.75
GROWTH = 1.5
SLOT_BYTES = 28

LOW, HIGH = 0, 1
FREE = np.uint64(0)
HALF_BITS = np.uint64(32)


class Found(NamedTuple):
    """What the index knows of some identities, shape for shape."""

    known: NDArray[np.bool_]
    content: UInt64s
    block: UInt32s


class IdentityIndex:
    """Open addressing over columns; slots are ordered by the identity's high bits, so growing is one sweep.

    A slot is free while its low half is zero: no identity has one that is. The writer shares the index with commands
    that look at the quarantine, and a table that is growing is one that nothing can be found in.
    """

    def __init__(self, expected: int = 0) -> None:
        self._turn = threading.Lock()
        self._allocate(max(CAPACITY_MIN, int(expected / LOAD_MAX * 1.1)))
        self.count = 0

    def _allocate(self, capacity: int) -> None:
        self._capacity = capacity
        self._low = np.zeros(capacity, dtype=np.uint64)
        self._high = np.zeros(capacity, dtype=np.uint64)
        self._content = np.zeros(capacity, dtype=np.uint64)
        self._block = np.zeros(capacity, dtype=np.uint32)

    @property
    def nbytes(self) -> int:
        """The memory the index holds."""
        return self._capacity * SLOT_BYTES

    def find(self, identity: UInt64s) -> Found:
        """What is known of `identity`, an array of (low, high) pairs."""
        where = np.empty(len(identity), dtype=np.int64)
        with self._turn:
            find_rows(self._low, self._high, np.array(identity), where)
            return Found(where >= 0, self._content[where], self._block[where])

    def remember(self, identity: UInt64s, content: UInt64s, block: UInt32s) -> None:
        """Add identities that are new and distinct; called after their block is marked, never before."""
        with self._turn:
            needed = self.count + len(identity)
            if needed > self._capacity * LOAD_MAX:
                self._grow(needed)
            # Copies are of one layout, whatever they were cut from: each is compiled for.
            insert_rows(self._slots(), *map(np.array, (identity[:, LOW], identity[:, HIGH], content, block)))
            self.count = needed

    def _slots(self) -> Slots:
        return self._low, self._high, self._content, self._block

    def _grow(self, needed: int) -> None:
        before = self._slots()
        self._allocate(max(int(self._capacity * GROWTH), int(needed / LOAD_MAX) + 1))
        insert_rows(self._slots(), *before)


@compiled
def first_slot(high: Any, capacity: int) -> Any:
    """Where an identity belongs: as far into the table as its high half is into all there are."""
    return np.int64(((high >> HALF_BITS) * np.uint64(capacity)) >> HALF_BITS)


@compiled
def find_rows(low: UInt64s, high: UInt64s, identity: UInt64s, where: NDArray[np.int64]) -> None:
    """The slot of each identity, or -1."""
    for row in range(len(identity)):
        slot = first_slot(identity[row, HIGH], len(low))
        where[row] = -1
        while low[slot] != FREE:
            if low[slot] == identity[row, LOW] and high[slot] == identity[row, HIGH]:
                where[row] = slot
                break
            slot = slot + 1 if slot + 1 < len(low) else 0


@compiled
def insert_rows(slots: Slots, low: UInt64s, high: UInt64s, content: UInt64s, block: UInt32s) -> None:
    """Put what is not free into the first free slot from where it belongs."""
    to_low, to_high, to_content, to_block = slots
    for row in range(len(low)):
        if low[row] == FREE:
            continue
        slot = first_slot(high[row], len(to_low))
        while to_low[slot] != FREE:
            slot = slot + 1 if slot + 1 < len(to_low) else 0
        to_low[slot], to_high[slot] = low[row], high[row]
        to_content[slot], to_block[slot] = content[row], block[row]


class Hasher:
    """Identities and content hashes under one ledger's secret: nobody outside can choose ids that collide."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.content_key = self._key(b"content")

    def _key(self, *parts: bytes) -> UInt64s:
        keyed = hashlib.blake2b(digest_size=16, key=self._secret)
        for part in parts:
            keyed.update(len(part).to_bytes(8, "little") + part)
        return np.frombuffer(keyed.digest(), np.uint64)

    def identities(self, tenant: str, events: Fields) -> UInt64s:
        """The identity of each event, as (low, high) pairs: a hash of its source and its id."""
        nothing = np.zeros(events.size, np.int64)
        pairs = hashed(events, (SOURCE, ID), nothing, self._key(b"identity", tenant.encode()))
        # A low half of zero marks a free slot of the index; one hash in 2^64 is moved beside it.
        pairs[pairs[:, LOW] == 0, LOW] = 1
        return pairs

    def identity(self, tenant: str, source: str, event_id: str) -> int:
        """The identity of one event, as the ledger has it."""
        texts = [pa.array([text]) for text in (event_id, source, "", "", "")]
        low, high = self.identities(tenant, laid_out(texts, np.zeros(1, np.int64)))[0].tolist()
        return int(low) | int(high) << 64

    def contents(self, events: Fields) -> UInt64s:
        """A hash of each event's content as it was written: equal content hashes equal, unequal is looked at."""
        return hashed(events, (TYPE, SUBJECT, DATA), events.time, self.content_key)[:, LOW]

    def words(self, events: Fields, field: int) -> UInt64s:
        """A hash of one field of each event, to tell its different words apart by."""
        return hashed(events, (field,), np.zeros(events.size, np.int64), self.content_key)[:, LOW]
