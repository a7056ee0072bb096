"""Price lines by the highest values of several meters: each line at the tier of its own price that holds them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rating.capacity import CapacityTier, capacity_prices
from rating.exact import Int64s
from rating.gathered import Gathered
from rating.pricing.parts import Capacity
from rating.pricing.shapes import PriceList, Terms, stretches
from rating.pricing.usage import Ragged, chosen
from rating.ratios import Bools, Ratios, constant, over_one_denominator


class Peaks(NamedTuple):
    """The highest values of lines by meter; a meter without one was not used."""

    parts: Ragged
    meter: Int64s
    """Per value: which of `meters`."""
    meters: Sequence[str]


def tier_prices(prices: PriceList, of_line: Int64s, peaks: Peaks) -> Ratios:
    """What a whole period costs by each line's values; nothing where the line's price does not look at them."""
    found = Gathered(len(of_line))
    for lines, terms in stretches(prices, of_line):
        charge = terms.price.charge
        if isinstance(charge, Capacity):
            rows, parts = chosen(peaks.parts, lines)
            found.put(lines, _tier_prices(terms, charge, Peaks(parts, peaks.meter[rows], peaks.meters)))
    return found.column()


def _tier_prices(terms: Terms, charge: Capacity, peaks: Peaks) -> Ratios:
    used = [name for name in charge.meters if name in peaks.meters]
    highest = {name: _highest(peaks.parts, peaks.meter == peaks.meters.index(name)) for name in used}
    tiers = [
        CapacityTier(
            {
                name: terms.of(f"charge.tiers.{place}.limits.{nth}")
                for nth, name in enumerate(charge.meters)
                if tier.limits[nth] is not None
            },
            terms.of(f"charge.tiers.{place}.price"),
        )
        for place, tier in enumerate(charge.tiers)
    ]
    found = capacity_prices(highest, len(terms.row), tiers, constant(0))
    assert bool(found.is_held.all()), "the last tier has no limits: the catalog should have refused it"
    return found.amount


def _highest(parts: Ragged, rows: Bools) -> Ratios:
    """The chosen values, at most one a line, and nothing for a line without."""
    numerator, denominator = over_one_denominator(parts.quantity)
    found = np.zeros(len(parts.start) - 1, dtype=numerator.dtype)
    found[parts.line[rows]] = numerator[rows]
    return Ratios(found, denominator)
