"""Walk prices of straight pieces as machine code: one pass over the lines instead of one for every bound.

Its caller proves that int64 holds every step: compiled integers wrap silently, as numpy's do.
"""

import numpy as np

from ledger.compiled import compiled
from rating.exact import Int64s


@compiled
def walk(
    quantity: Int64s,
    row: Int64s,
    bounds: Int64s,
    base: Int64s,
    slope: Int64s,
    pieces: int,
    divisor: int,
    exact: Int64s,
    rounded: Int64s,
) -> None:
    """Fill in each line's amount, and the same divided and rounded half away from zero.

    A row of the tables is a price's, with its pieces after one another. Places are unsigned: those that might be below
    zero are looked at for it, which takes longer than all the rest.
    """
    count, unit, half = np.uint64(pieces), np.uint64(divisor), np.uint64(divisor // 2)
    bounds_count = count - np.uint64(1)
    for line in range(quantity.size):
        price, units = np.uint64(row[line]), quantity[line]
        bound, piece = price * bounds_count, price * count
        for place in range(bounds_count):
            piece += np.uint64(units > bounds[bound + np.uint64(place)])
        amount = base[piece] + units * slope[piece]
        exact[line] = amount
        magnitude = np.int64((np.uint64(abs(amount)) + half) // unit)
        rounded[line] = magnitude if amount >= 0 else -magnitude
