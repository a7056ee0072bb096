"""From what was metered to what is charged: the negative rule, the conversion, then the period's free units.

The period's running total is converted, and a line has what it adds to it: split lines add up to the whole.
"""

from typing import NamedTuple

import numpy as np

from rating import ratios
from rating.exact import Int64s
from rating.pricing.details import NOTHING
from rating.pricing.parts import Bucketed, ByEvent, Matrix
from rating.pricing.shapes import Terms
from rating.pricing.usage import Splits, Usage
from rating.ratios import Ratios


class Measured(NamedTuple):
    """The units that are charged."""

    quantity: Ratios
    after: Ratios
    """The period's total at the line's end."""
    splits: Splits | None
    """`before` in the same units."""
    sign: Int64s | None
    """-1 where the price is given back."""
    free: Ratios | None
    """What was left out as free."""


def measured(terms: Terms, usage: Usage) -> Measured:
    """The units of each line."""
    quantity, sign = _above_zero(terms, usage.quantity)
    if usage.splits is None:
        converted = _converted(terms, quantity)
        charged = _beyond_free(terms, converted)
        return Measured(charged, charged, None, sign, _free(terms, converted, charged))
    before = _converted(terms, usage.splits.before)
    after = _converted(terms, ratios.plus(usage.splits.before, quantity))
    before_charged, after_charged = _beyond_free(terms, before), _beyond_free(terms, after)
    charged = ratios.minus(after_charged, before_charged)
    free = _free(terms, ratios.minus(after, before), charged)
    return Measured(charged, after_charged, usage.splits._replace(before=before_charged), sign, free)


def _above_zero(terms: Terms, quantity: Ratios) -> tuple[Ratios, Int64s | None]:
    """Quantities below zero as none, or as positive ones whose price is given back; parts see to theirs."""
    if isinstance(terms.price.charge, ByEvent | Matrix | Bucketed) or quantity.numerator.min(initial=0) >= 0:
        return quantity, None
    below = quantity.numerator < 0
    if not terms.price.is_mirrored:
        return Ratios(np.where(below, 0, quantity.numerator), quantity.denominator), None
    return Ratios(np.abs(quantity.numerator), quantity.denominator), np.where(below, -1, 1)


def _converted(terms: Terms, quantity: Ratios) -> Ratios:
    rule = terms.price.conversion
    if rule is None:
        return quantity
    converted = ratios.times(quantity, _factor(terms))
    if rule.rounding is None:
        return converted
    multiple = terms.of("conversion.multiple")
    return ratios.times(ratios.whole(ratios.integers(ratios.over(converted, multiple), rule.rounding)), multiple)


def _factor(terms: Terms) -> Ratios:
    tables = terms.shape.tables
    if "factor" not in tables:
        numbers = terms.shape.numbers
        tables["factor"] = ratios.simplest(ratios.over(numbers["conversion.factor"], numbers["conversion.per"]))
    factor: Ratios = ratios.taken(tables["factor"], terms.row)
    return factor


def _beyond_free(terms: Terms, quantity: Ratios) -> Ratios:
    if terms.price.all_units_free:
        return ratios.zeros(len(terms.row))
    if terms.price.free_units is None:
        return quantity
    return ratios.greater(ratios.minus(quantity, terms.of("free_units")), NOTHING)


def _free(terms: Terms, converted: Ratios, charged: Ratios) -> Ratios | None:
    price = terms.price
    return ratios.minus(converted, charged) if price.all_units_free or price.free_units is not None else None
