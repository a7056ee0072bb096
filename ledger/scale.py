"""Say how exact numbers are stored: quantities are integers of 10^-9 units, digests add up modulo 2^128.

One value is at most 10^15 units, which is 10^24 of the integers below: 10^13 of them fit 128 bits, so a sum of
128-bit integers in the engine cannot wrap before the ledger holds ten thousand billion rows.
"""

import numpy as np
from numpy.typing import NDArray

QUANTITY_SCALE = 9
QUANTITY_ONE = 10**QUANTITY_SCALE
UNITS_MAX = 10**15

Digests = NDArray[np.uint64]
"""A row a digest: its low and its high 64 bits."""


def decimal_integers(unscaled: bytes | memoryview) -> NDArray[np.int64] | NDArray[np.object_]:
    """The integers behind a buffer of 128-bit little-endian two's complement values (Arrow's decimal128)."""
    halves = np.frombuffer(unscaled, dtype=np.int64).reshape(-1, 2)
    low, high = halves[:, 0], halves[:, 1]
    if np.array_equal(high, low >> 63):
        return low
    wide: NDArray[np.object_] = high.astype(np.object_) * 2**64 + low.astype(np.uint64).astype(np.object_)
    return wide


def digests(stored: bytes | memoryview) -> Digests:
    """The digests behind a buffer of 128-bit little-endian integers."""
    return np.frombuffer(stored, dtype=np.uint64).reshape(-1, 2)


def digest_sums(summands: Digests, starts: NDArray[np.int64]) -> Digests:
    """The sums modulo 2^128 of the groups of `summands` that begin at `starts`."""
    if not len(summands):
        return summands
    # Quarters of a digest cannot wrap 64 bits below 2^32 rows; what is above their 32 bits is carried on afterwards.
    quarters = np.ascontiguousarray(summands).view(np.uint32)
    sums = np.add.reduceat(quarters, starts, axis=0, dtype=np.uint64)
    for quarter in range(3):
        sums[:, quarter + 1] += sums[:, quarter] >> 32
    return sums.astype(np.uint32).view(np.uint64)


def add_digests(summands: Digests) -> int:
    """The digest of a set made of these disjoint sets."""
    return int.from_bytes(digest_sums(summands, np.zeros(1, dtype=np.int64)).tobytes(), "little")


def quantity_text(scaled: int) -> str:
    """`scaled` as people and scripts read it: no exponent, no trailing zeros."""
    sign = "-" if scaled < 0 else ""
    whole, fraction = divmod(abs(scaled), QUANTITY_ONE)
    return f"{sign}{whole}.{fraction:09d}".rstrip("0").rstrip(".")
