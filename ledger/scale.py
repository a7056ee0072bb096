"""Say how exact numbers are stored: quantities are integers of 10^-9 units, digests add up modulo 2^128.

One value is at most 10^15 units, which is 10^24 of the integers below: 10^13 of them fit 128 bits, so a sum of
128-bit integers in the engine cannot wrap before the ledger holds ten thousand billion rows.
"""

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

QUANTITY_SCALE = 9
QUANTITY_ONE = 10**QUANTITY_SCALE
UNITS_MAX = 10**15

INT64 = np.iinfo(np.int64)


def integers(values: list[int]) -> NDArray[np.int64] | NDArray[np.object_]:
    """A column of exact integers: int64 where all of them fit, Python's own integers where they don't."""
    if all(INT64.min <= value <= INT64.max for value in values):
        return np.array(values, dtype=np.int64)
    return np.array(values, dtype=np.object_)


def decimal_integers(unscaled: bytes | memoryview) -> NDArray[np.int64] | NDArray[np.object_]:
    """The integers behind a buffer of 128-bit little-endian two's complement values (Arrow's decimal128)."""
    halves = np.frombuffer(unscaled, dtype=np.int64).reshape(-1, 2)
    low, high = halves[:, 0], halves[:, 1]
    if np.array_equal(high, low >> 63):
        return low
    wide: NDArray[np.object_] = high.astype(np.object_) * 2**64 + low.astype(np.uint64).astype(np.object_)
    return wide


def decimal_bytes(values: NDArray[np.int64] | NDArray[np.object_]) -> bytes:
    """`values` as a buffer of 128-bit little-endian two's complement integers."""
    if values.dtype == np.int64:
        return np.stack([values, values >> 63], axis=1).tobytes()
    return b"".join(int(value).to_bytes(16, "little", signed=True) for value in values)


def add_digests(digests: NDArray[np.object_]) -> int:
    """The digest of a set made of these disjoint sets."""
    return int(digests.sum()) % 2**128 if len(digests) else 0


def quantity_text(scaled: int) -> str:
    """`scaled` as people and scripts read it: no exponent, no trailing zeros."""
    sign = "-" if scaled < 0 else ""
    whole, fraction = divmod(abs(scaled), QUANTITY_ONE)
    return f"{sign}{whole}.{fraction:09d}".rstrip("0").rstrip(".")


def quantity_decimal(scaled: int) -> Decimal:
    """`scaled` as a decimal of units."""
    return Decimal(scaled).scaleb(-QUANTITY_SCALE)
