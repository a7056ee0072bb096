"""Sum up within lines: totals of each line's quantities, and totals so far."""

import numpy as np

from rating.exact import INT64_MAX, Exact, Int64s, largest, narrowed, total
from rating.pricing.usage import Fees, Ragged
from rating.ratios import Ratios, minus, over_one_denominator


def line_sums(parts: Ragged) -> Ratios:
    """The sum of each line's quantities; nothing for a line without any."""
    sums, denominator = _sums_before(parts.quantity)
    return Ratios(narrowed(sums[parts.start[1:]] - sums[parts.start[:-1]]), denominator)


def fees_of(parts: Ragged, fees: Ratios) -> Fees:
    """What each line's parts cost together, and how many there are."""
    return Fees(line_sums(parts._replace(quantity=fees)), np.diff(parts.start))


def sums_so_far(parts: Ragged) -> Ratios:
    """For each quantity the sum of its line's, from the first up to and including it."""
    sums, denominator = _sums_before(parts.quantity)
    return Ratios(narrowed(sums[1:] - sums[parts.start[parts.line]]), denominator)


def what_each_adds(parts: Ragged) -> Ratios:
    """How much more each quantity is than the one before it in its line; the first is all new."""
    numerator, denominator = over_one_denominator(parts.quantity)
    before = np.zeros_like(numerator)
    before[1:] = numerator[:-1]
    before[parts.start[:-1][np.diff(parts.start) > 0]] = 0
    return minus(Ratios(numerator, denominator), Ratios(before, denominator))


def highest_so_far(parts: Ragged) -> Ratios:
    """For each quantity the highest of its line's up to it, and at least zero."""
    numerator, denominator = over_one_denominator(parts.quantity)
    # Each line is lifted above all of the one before, so that one pass over all columns starts anew with every line.
    floored = np.maximum(numerator, 0)
    step = int(floored.max(initial=0)) + 1
    lines = len(parts.start)
    lift: Exact = parts.line if step * lines <= INT64_MAX else parts.line.astype(np.object_)
    return Ratios(narrowed(np.maximum.accumulate(floored + lift * step) - lift * step), denominator)


def _sums_before(quantity: Ratios) -> tuple[Exact, Int64s]:
    """The sums of all quantities before each, and of all; they cannot wrap."""
    numerator, denominator = over_one_denominator(quantity)
    if numerator.dtype == np.int64 and largest(numerator) * len(numerator) > INT64_MAX:
        numerator = numerator.astype(np.object_) if total(np.abs(numerator)) > INT64_MAX else numerator
    sums = np.zeros(len(numerator) + 1, dtype=numerator.dtype)
    np.cumsum(numerator, out=sums[1:])
    return sums, denominator
