"""Charges without tiers of units: flat, per unit, whole packages, the usage as money, events one by one, capacity."""

import numpy as np

from rating import ratios
from rating.pricing.details import ONE, Detail, Kind, detail, rounded
from rating.pricing.measure import Measured
from rating.pricing.parts import Flat, Packages
from rating.pricing.shapes import Terms
from rating.pricing.usage import Usage
from rating.ratios import Bools, Ratios


def flat(terms: Terms, units: Measured, _: Usage) -> list[Detail]:
    """The amount, on the line that bills what a period owes once."""
    charge = terms.price.charge
    assert isinstance(charge, Flat)
    present = np.ones(len(terms.row), dtype=np.bool_)
    if units.splits is not None:
        present = units.splits.opens if charge.in_advance else units.splits.closes
    amount = terms.of("charge.amount")
    return [detail(Kind.USAGE, present, ONE, amount, amount)]


def per_unit(terms: Terms, units: Measured, _: Usage) -> list[Detail]:
    """The line's own quantity at the price."""
    price = terms.of("charge.unit_price")
    amount = ratios.times(units.quantity, price)
    return [detail(Kind.USAGE, _is_some(units.quantity), units.quantity, price, amount)]


def packages(terms: Terms, units: Measured, _: Usage) -> list[Detail]:
    """The packages of the period so far, less those that earlier lines started."""
    started = _packages(terms, units.after)
    if units.splits is not None:
        started = ratios.minus(started, _packages(terms, units.splits.before))
    price = terms.of("charge.price")
    return [detail(Kind.USAGE, _is_some(started), started, price, ratios.times(started, price))]


def dynamic(terms: Terms, units: Measured, _: Usage) -> list[Detail]:
    """One unit, whose price is the amount; it is rounded here, since a unit price is printed like any."""
    amount = ratios.times(units.quantity, terms.of("charge.multiplier"))
    rounding = terms.price.rounding
    if rounding is not None and rounding.of_details:
        amount = rounded(amount, rounding)
    return [detail(Kind.USAGE, _is_some(units.quantity), ONE, amount, amount)]


def one_by_one(_: Terms, units: Measured, usage: Usage) -> list[Detail]:
    """The sum of what a line's events, cells or buckets cost, each at its own price."""
    assert usage.fees is not None
    present = np.asarray(usage.fees.parts > 0, dtype=np.bool_)
    return [detail(Kind.USAGE, present, units.quantity, ratios.constant(0), usage.fees.amount)]


def by_capacity(terms: Terms, units: Measured, usage: Usage) -> list[Detail]:
    """What the tier that holds the line costs, for the share of the month that the line is owed for."""
    assert usage.fees is not None
    price = usage.fees.amount
    present = np.ones(len(terms.row), dtype=np.bool_)
    return [detail(Kind.USAGE, present, units.quantity, price, ratios.times(units.quantity, price))]


def nothing(_: Terms, __: Measured, ___: Usage) -> list[Detail]:
    """What is priced with another line."""
    return []


def _packages(terms: Terms, quantity: Ratios) -> Ratios:
    charge = terms.price.charge
    assert isinstance(charge, Packages)
    return ratios.whole(ratios.integers(ratios.over(quantity, terms.of("charge.size")), charge.rounding))


def _is_some(quantity: Ratios) -> Bools:
    return np.asarray(quantity.numerator != 0, dtype=np.bool_)
