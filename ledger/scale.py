"""Say how exact numbers are stored: quantities are integers of 10^-9 units, digests add up modulo 2^128.

One value is at most 10^15 units, which is 10^24 of the integers below: 10^13 of them fit 128 bits, so a sum of
128-bit integers in the engine cannot wrap before the ledger holds ten thousand billion rows.
"""

import numpy as np
from numpy.typing import NDArray

QUANTITY_SCALE = 9
QUANTITY_ONE = 10**QUANTITY_SCALE
UNITS_MAX = 10**15

_HALF_BITS = np.uint64(32)
_HALF = np.uint64(2**32 - 1)

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
    if len(summands) <= len(starts):  # one each, or none at all
        return summands
    low, high = summands[:, 0], summands[:, 1]
    # Halves of the low word cannot wrap 64 bits below 2^32 rows; the high word wraps where the sum does.
    lower, upper = np.add.reduceat(low & _HALF, starts), np.add.reduceat(low >> _HALF_BITS, starts)
    upper += lower >> _HALF_BITS
    sums = np.empty((len(starts), 2), dtype=np.uint64)
    sums[:, 0] = (upper << _HALF_BITS) | (lower & _HALF)
    sums[:, 1] = np.add.reduceat(high, starts) + (upper >> _HALF_BITS)
    return sums


def add_digests(summands: Digests) -> int:
    """The digest of a set made of these disjoint sets."""
    return int.from_bytes(digest_sums(summands, np.zeros(1, dtype=np.int64)).tobytes(), "little")


def quantity_text(scaled: int) -> str:
    """`scaled` as people and scripts read it: no exponent, no trailing zeros."""
    sign = "-" if scaled < 0 else ""
    whole, fraction = divmod(abs(scaled), QUANTITY_ONE)
    return f"{sign}{whole}.{fraction:09d}".rstrip("0").rstrip(".")
