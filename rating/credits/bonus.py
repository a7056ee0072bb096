"""Decide what is granted on top of a top-up: the bonus of the highest threshold that it reaches."""

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from rating.ratios import Ratios, constant, is_above, plus, times, where, zeros


class Slab(msgspec.Struct, frozen=True):
    """From `threshold` on, inclusive: a flat amount, a share of what is topped up, or both."""

    threshold: Fraction
    flat: Fraction = Fraction(0)
    percent: Fraction = Fraction(0)


def bonus(topped_up: Ratios, slabs: Sequence[Slab]) -> Ratios:
    """The bonus of each top-up, not rounded; slabs come in any order."""
    found = zeros(len(topped_up.numerator))
    for slab in sorted(slabs, key=lambda slab: slab.threshold):
        share = times(topped_up, _constant(slab.percent / 100))
        found = where(is_above(_constant(slab.threshold), topped_up), found, plus(share, _constant(slab.flat)))
    return found


def _constant(value: Fraction) -> Ratios:
    return constant(value.numerator, value.denominator)
