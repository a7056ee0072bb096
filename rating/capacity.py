"""Price the highest values of several meters together: the first tier that none of them exceeds sets one price."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rating.ratios import Bools, Ratios, constant, is_above, minus, where


class CapacityTier(NamedTuple):
    """One tier of every line's price."""

    limits: Mapping[str, Ratios]
    """Inclusive, by unit; a unit without one is not limited."""
    price: Ratios


class Capacities(NamedTuple):
    """What lines cost."""

    amount: Ratios
    is_held: Bools
    """Whether a tier holds the line; where none does the amount means nothing, and the line can't be billed."""


def capacity_prices(
    peaks: Mapping[str, Ratios], lines: int, tiers: Sequence[CapacityTier], billed: Ratios
) -> Capacities:
    """The price of each line's tier less what was `billed` before; a unit without a peak was not used."""
    amount, is_held = constant(0), np.zeros(lines, dtype=np.bool_)
    for tier in tiers:
        holds = np.ones(lines, dtype=np.bool_)
        for unit, limit in tier.limits.items():
            holds &= ~is_above(peaks.get(unit, constant(0)), limit)
        amount = where(holds & ~is_held, tier.price, amount)
        is_held = is_held | holds
    return Capacities(minus(amount, billed), is_held)
