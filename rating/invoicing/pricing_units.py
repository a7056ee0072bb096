"""Turn amounts in a customer's own pricing units (credits, tokens) into money, by the rate in force on a day.

Amounts stay in pricing units through prices, bounds and adjustments, and are rounded once, as money.
"""

from typing import NamedTuple

import numpy as np

from rating.dated import NONE, in_force, values_at
from rating.exact import Int64s
from rating.ratios import Bools, Ratios, times
from rating.rounding import Rounding, rounded


class Rates(NamedTuple):
    """What one pricing unit is worth, unit by unit and since which day."""

    offset: Int64s
    since: Int64s
    rate: Ratios


class Converted(NamedTuple):
    """Amounts in pricing units as money."""

    precise: Ratios
    amount: Ratios
    has_rate: Bools
    """Where no rate is in force the amounts mean nothing."""


def converted(amounts: Ratios, unit: Int64s, day: Int64s, rates: Rates, rule: Rounding | None) -> Converted:
    """Each amount as money."""
    step = in_force(rates.since, rates.offset, unit, day)
    precise = times(amounts, values_at(rates.rate, step))
    return Converted(precise, rounded(precise, rule), np.asarray(step != NONE))
