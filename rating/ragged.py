"""Join one row with many: expand ranges of positions into columns."""

import numpy as np

from rating.exact import Int64s


def expand(first: Int64s, last: Int64s) -> tuple[Int64s, Int64s]:
    """Every position in [first, last), row for row: the rows, repeated, and the positions."""
    count = last - first
    if bool((count == 1).all()):  # as of contracts of a customer, and of prices of a meter, mostly
        return np.arange(len(first)), first
    row = np.repeat(np.arange(len(first)), count)
    position = np.arange(len(row)) - np.repeat(np.cumsum(count) - count - first, count)
    return row, position
