"""Find what is in force on a day: the step of a ramp, a tax rate, the rate of a pricing unit.

The steps of a subject are a group of rows, ascending by the day from which they hold.
"""

import numpy as np

from rating.exact import Int64s
from rating.ratios import Ratios, constant, taken, where

NONE = -1
"""Nothing is in force yet."""


def in_force(since: Int64s, offset: Int64s, subject: Int64s, day: Int64s) -> Int64s:
    """For each row the step of its subject that holds on its day, or NONE."""
    first, after = offset[subject], offset[subject + 1]
    low, high = first.copy(), after.copy()
    # All rows are searched at once, each among the steps of its own subject.
    for _ in range(int(np.max(after - first, initial=0)).bit_length()):
        is_open = low < high
        middle = (low + high) // 2
        holds = is_open & (since[np.minimum(middle, len(since) - 1)] <= day)
        low, high = np.where(holds, middle + 1, low), np.where(is_open & ~holds, middle, high)
    return np.where(low > first, low - 1, NONE)


def values_at(values: Ratios, step: Int64s) -> Ratios:
    """What each step found says: zero where nothing is in force."""
    if not len(values.numerator):
        values = constant(0)
    return where(step == NONE, constant(0), taken(values, np.maximum(step, 0)))
