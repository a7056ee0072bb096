"""Add up and compare columns group by group: an invoice's lines, a commitment's windows, a subscription's events.

`offset` says where each group begins, and at its end where the last one ends. A group may be empty: it adds up to zero.
"""

from typing import Any

import numpy as np

from rating.exact import INT64_MAX, Exact, Int64s, group_sums, largest, narrowed
from rating.ratios import Ratios, products


def group_of(offset: Int64s) -> Int64s:
    """Which group each row belongs to."""
    return np.repeat(np.arange(len(offset) - 1), np.diff(offset))


def offsets(counts: Int64s) -> Int64s:
    """Where groups of these sizes begin, laid end to end."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])


def having(offset: Int64s, ordinal: int) -> Int64s:
    """The groups with a row number `ordinal`, counted from 0."""
    return np.flatnonzero(np.diff(offset) > ordinal)


def closes_group(offset: Int64s) -> Any:
    """Whether a row is the last of its group."""
    last = np.zeros(int(offset[-1]), dtype=np.bool_)
    last[offset[1:][np.diff(offset) > 0] - 1] = True
    return last


def totals(values: Ratios, offset: Int64s) -> Ratios:
    """What each group adds up to."""
    numerator, denominator = _alike(values, offset)
    filled = having(offset, 0)
    found = group_sums(numerator, offset[filled])
    sums = np.zeros(len(offset) - 1, dtype=found.dtype)
    sums[filled] = found
    return Ratios(sums, denominator)


def above(values: Ratios, offset: Int64s) -> Ratios:
    """What the rows of its group that come before each row add up to."""
    numerator, denominator = _alike(values, offset)
    if numerator.dtype == np.int64 and largest(numerator) * len(numerator) > INT64_MAX:
        numerator = numerator.astype(np.object_)
    group = group_of(offset)
    running = np.cumsum(numerator) - numerator
    sums = narrowed(running - running[offset[:-1][group]]) if len(running) else running
    return Ratios(sums, denominator if len(denominator) == 1 else denominator[group])


def highest(values: Ratios, offset: Int64s) -> Ratios:
    """The highest value of each group, zero where it has none."""
    numerator, denominator = _alike(values, offset)
    filled = having(offset, 0)
    found = np.zeros(len(offset) - 1, dtype=numerator.dtype)
    if len(filled):
        found[filled] = np.maximum.reduceat(numerator, offset[filled])
    return Ratios(found, denominator)


def _alike(values: Ratios, offset: Int64s) -> tuple[Exact, Exact]:
    """Numerators that may be added within a group, and the groups' denominators."""
    numerator, denominator = values
    if len(denominator) == 1:
        return np.broadcast_to(numerator, (int(offset[-1]),)), denominator
    filled = having(offset, 0)
    common = np.ones(len(offset) - 1, dtype=np.object_)
    if len(filled):
        common[filled] = np.lcm.reduceat(denominator.astype(np.object_), offset[filled])
    common = narrowed(common)
    return products(numerator, narrowed(common[group_of(offset)] // denominator)), common
