"""Walk prices of straight pieces as machine code: one pass over the lines instead of one for every bound.

Compiled integers wrap silently, as numpy's do: a walk ends before the first line whose quantity is beyond those for
which its caller proved that int64 holds every step.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from ledger.compiled import compiled, high_product
from rating.exact import Int64s

_DIVIDEND_BITS = 63


class Reciprocal(NamedTuple):
    """What divides numbers from 0 to 2^63 by one divisor: a product takes a tenth of the time of a division.

    The factor is 2^(63 + shift) / divisor, rounded up by less than one, and 2^shift is not below the divisor: so what a
    dividend's quotient gains by it is less than one part of the divisor, and makes no fraction a whole.
    """

    factor: np.uint64
    shift: np.uint64


@cache
def reciprocal(divisor: int) -> Reciprocal:
    """That of a divisor from 1 to 2^62."""
    shift = (divisor - 1).bit_length()
    return Reciprocal(np.uint64(-(-(1 << (_DIVIDEND_BITS + shift)) // divisor)), np.uint64(shift))


@compiled
def walk(
    quantity: Int64s,
    units_max: int,
    row: Int64s,
    bounds: Int64s,
    base: Int64s,
    slope: Int64s,
    pieces: int,
    divisor: int,
    by_divisor: Reciprocal,
    exact: Int64s,
    rounded: Int64s,
) -> bool:
    """Fill in each line's amount, and the same divided and rounded half away from zero; False where a line ended it.

    A row of the tables is a price's, with its pieces after one another. Places are unsigned: those that might be below
    zero are looked at for it, which takes longer than all the rest.
    """
    count, most, half = np.uint64(pieces), np.uint64(units_max), np.uint64(divisor // 2)
    bounds_count = count - np.uint64(1)
    for line in range(quantity.size):
        price, units = np.uint64(row[line]), quantity[line]
        if np.uint64(units) > most:  # as a quantity below zero is, too
            return False
        bound, piece = price * bounds_count, price * count
        for place in range(bounds_count):
            piece += np.uint64(units > bounds[bound + np.uint64(place)])
        amount = base[piece] + units * slope[piece]
        exact[line] = amount
        magnitude = np.int64(divided(np.uint64(abs(amount)) + half, by_divisor))
        rounded[line] = magnitude if amount >= 0 else -magnitude
    return True


@compiled
def divided(dividend: np.uint64, by_divisor: Reciprocal) -> np.uint64:
    """The whole quotient of a dividend below 2^63."""
    return high_product(dividend << np.uint64(1), by_divisor.factor) >> by_divisor.shift
