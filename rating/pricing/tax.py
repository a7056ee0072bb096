"""Tax a fee: the fee is rounded to the currency first, the tax on it by the same rule."""

from typing import NamedTuple

from rating import ratios
from rating.pricing.adjust import HUNDREDTH
from rating.pricing.details import rounded
from rating.pricing.parts import Rounding
from rating.ratios import Ratios


class Taxed(NamedTuple):
    """What is owed, with and without tax."""

    fee: Ratios
    tax: Ratios
    total: Ratios


def taxed(amount: Ratios, percent: Ratios, rounding: Rounding) -> Taxed:
    """The fee, its tax and both together."""
    fee = rounded(amount, rounding)
    tax = rounded(ratios.times(fee, ratios.times(percent, HUNDREDTH)), rounding)
    return Taxed(fee, tax, ratios.plus(fee, tax))
