"""Decide whether an event was counted before: an exact, columnar index of every identity the ledger has accepted.

The index is derived from the ledger at start and lives in memory: it has no time-to-live and no window. An identity
is 128 bits of (tenant, source, id) keyed with the ledger's secret; beside it stand 64 bits of the content it was
accepted with, and the block it is in. That is 28 bytes a slot, and between 1.3 and 2 slots an identity: 37 to 56
bytes, and for the moment of growing the old table beside the new one.
"""

import functools
import hashlib
import threading
from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray

UInt64s = NDArray[np.uint64]
UInt32s = NDArray[np.uint32]

CAPACITY_MIN = 1 << 16
LOAD_MAX = 0.75
GROWTH = 1.5
SLOT_BYTES = 28

LOW, HIGH = 0, 1
SWEEP_SLOTS = 1 << 18
"""How many slots are moved at a time when the table grows: few enough to stay in the cache."""


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
        with self._turn:
            return self._find(identity)

    def _find(self, identity: UInt64s) -> Found:
        low, high = identity[:, LOW], identity[:, HIGH]
        where = np.full(len(identity), -1, dtype=np.int64)
        rows = np.arange(len(identity))
        slots = self._first_slots(high)
        while len(rows):
            there = self._low[slots]
            same = np.flatnonzero(there == low[rows])
            same = same[self._high[slots[same]] == high[rows[same]]]
            where[rows[same]] = slots[same]
            going = there != 0
            going[same] = False
            rows = rows[going]
            slots = self._next(slots[going])
        return Found(where >= 0, self._content[where], self._block[where])

    def remember(self, identity: UInt64s, content: UInt64s, block: UInt32s) -> None:
        """Add identities that are new and distinct; called after their block is marked, never before."""
        with self._turn:
            needed = self.count + len(identity)
            if needed > self._capacity * LOAD_MAX:
                self._grow(needed)
            self._insert(identity[:, LOW], identity[:, HIGH], content, block)
            self.count = needed

    def _grow(self, needed: int) -> None:
        low, high, content, block = self._low, self._high, self._content, self._block
        self._allocate(max(int(self._capacity * GROWTH), int(needed / LOAD_MAX) + 1))
        for first in range(0, len(low), SWEEP_SLOTS):
            used = first + np.flatnonzero(low[first : first + SWEEP_SLOTS])
            self._insert(low[used], high[used], content[used], block[used])

    def _insert(self, low: UInt64s, high: UInt64s, content: UInt64s, block: UInt32s) -> None:
        rows = np.arange(len(low))
        slots = self._first_slots(high)
        while len(rows):
            free = np.flatnonzero(self._low[slots] == 0)
            # Where several want one slot the last one written has it; the others see their row is not there.
            claimed = self._claims(slots[free], rows[free])
            free = free[claimed]
            at, row = slots[free], rows[free]
            self._low[at] = low[row]
            self._high[at] = high[row]
            self._content[at] = content[row]
            self._block[at] = block[row]
            left = np.ones(len(rows), dtype=np.bool_)
            left[free] = False
            rows = rows[left]
            slots = self._next(slots[left])

    def _claims(self, slots: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of `rows` get the free slot they want: one for each slot. The block column holds the claims."""
        self._block[slots] = rows
        won: NDArray[np.bool_] = self._block[slots] == rows.astype(np.uint32)
        return won

    def _first_slots(self, high: UInt64s) -> NDArray[np.int64]:
        scaled = (high >> np.uint64(32)) * np.uint64(self._capacity)
        return (scaled >> np.uint64(32)).astype(np.int64)

    def _next(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        following = slots + 1
        following[following == self._capacity] = 0
        return following


class Hasher:
    """Identities and content hashes under one ledger's secret: nobody outside can choose ids that collide."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._content_seed = self._seed(b"content")
        self.seed_of = functools.lru_cache(maxsize=65_536)(self._source_seed)

    def _seed(self, *parts: bytes) -> int:
        keyed = hashlib.blake2b(digest_size=8, key=self._secret)
        for part in parts:
            keyed.update(len(part).to_bytes(8, "little") + part)
        return int.from_bytes(keyed.digest(), "little")

    def _source_seed(self, tenant: str, source: str) -> int:
        return self._seed(b"identity", tenant.encode(), source.encode())

    def identities(self, tenant: str, sources: list[str], ids: list[str]) -> UInt64s:
        """The identity of each (source, id), as (low, high) pairs."""
        digest, seed_of = xxhash.xxh3_128_digest, self.seed_of
        seeds = {source: seed_of(tenant, source) for source in set(sources)}
        digests = b"".join(map(digest, map(str.encode, ids), map(seeds.__getitem__, sources)))
        pairs = np.frombuffer(digests, dtype=">u8").reshape(-1, 2)[:, ::-1].astype(np.uint64)
        # A low half of zero marks a free slot of the index; one hash in 2^64 is moved beside it.
        pairs[pairs[:, LOW] == 0, LOW] = 1
        return pairs

    def contents(
        self, kinds: list[pa.DictionaryArray], time: NDArray[np.int64], data: Sequence[msgspec.Raw]
    ) -> UInt64s:
        """A hash of each event's content as it was written: equal content hashes equal, unequal is looked at."""
        digest, seed = xxhash.xxh3_64_intdigest, self._content_seed
        mixed = np.fromiter(map(digest, data, repeat(seed)), dtype=np.uint64, count=len(data))
        mixed = _mix(mixed, time.view(np.uint64))
        for kind in kinds:
            words = kind.dictionary.cast(pa.binary()).to_numpy(zero_copy_only=False)
            hashes = np.fromiter(map(digest, words, repeat(seed)), dtype=np.uint64, count=len(words))
            mixed = _mix(mixed, hashes[kind.indices.to_numpy()])
        return mixed


def _mix(left: UInt64s, right: UInt64s) -> UInt64s:
    """One hash of two: order matters, and every bit of both reaches every bit of it."""
    mixed = (left ^ (right * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(31)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(29)
    return mixed
