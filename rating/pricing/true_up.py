"""Bill what a used amount is short of a minimum: prorated first, converted and rounded last, each fee taxed apart."""

from typing import NamedTuple

from rating import ratios
from rating.pricing.details import NOTHING, ONE, rounded
from rating.pricing.parts import Rounding
from rating.pricing.tax import taxed
from rating.ratios import Ratios


class Commitment(NamedTuple):
    """What each line's period was to cost at least."""

    minimum: Ratios
    share: Ratios = ONE
    """The part of the period that counts."""
    conversion_rate: Ratios = ONE
    """Currency units for each unit that the price is in."""
    tax_percent: Ratios = NOTHING


class TrueUp(NamedTuple):
    """What is owed besides the used amount, and both together."""

    missing: Ratios
    """In the units of the price, before anything is rounded."""
    precise: Ratios
    due: Ratios
    amount: Ratios
    tax_on_used: Ratios
    tax_on_due: Ratios
    total: Ratios


def true_up(used: Ratios, committed: Commitment, rounding: Rounding | None, taxes: Rounding) -> TrueUp:
    """The difference to the minimum, of `used` as it is billed; `rounding` is that of what is due."""
    least = ratios.times(committed.minimum, committed.share)
    missing = ratios.greater(ratios.minus(least, used), NOTHING)
    precise = ratios.times(missing, committed.conversion_rate)
    due = rounded(precise, rounding)
    on_used, on_due = (taxed(fee, committed.tax_percent, taxes) for fee in (used, due))
    amount = ratios.plus(used, due)
    tax = ratios.plus(on_used.tax, on_due.tax)
    return TrueUp(missing, precise, due, amount, on_used.tax, on_due.tax, ratios.plus(amount, tax))
