"""Adjust the details of lines, in the order that the price declares: discounts, the most and the least of a period."""

from collections.abc import Callable, Sequence

import numpy as np

from rating import ratios
from rating.pricing.details import NOTHING, ONE, Detail, Kind, detail, only, rounded, total
from rating.pricing.measure import Measured
from rating.pricing.parts import AmountOff, Maximum, Minimum, PercentOff
from rating.pricing.shapes import Terms
from rating.ratios import Bools, Ratios

HUNDREDTH = ratios.constant(1, 100)


def adjusted(terms: Terms, units: Measured, details: Sequence[Detail]) -> list[Detail]:
    """The details after every adjustment."""
    found = list(details)
    for place, adjustment in enumerate(terms.price.adjustments):
        found = _ADJUST[type(adjustment)](terms, f"adjustments.{place}", units, found)
    return found


def detail_rounded(terms: Terms, amount: Ratios) -> Ratios:
    """An amount as details are rounded, where the price rounds them."""
    rounding = terms.price.rounding
    return rounded(amount, rounding if rounding is not None and rounding.of_details else None)


def _percent_off(terms: Terms, name: str, _: Measured, details: list[Detail]) -> list[Detail]:
    part = ratios.times(terms.of(f"{name}.percent"), HUNDREDTH)
    return [_discounted(one, detail_rounded(terms, ratios.times(one.total, part))) for one in details]


def _amount_off(terms: Terms, name: str, _: Measured, details: list[Detail]) -> list[Detail]:
    left, found = terms.of(f"{name}.amount"), []
    for one in details:
        discount = ratios.lesser(left, ratios.greater(one.total, NOTHING))
        left = ratios.minus(left, discount)
        found.append(_discounted(one, discount))
    return found


def _within_maximum(terms: Terms, name: str, units: Measured, details: list[Detail]) -> list[Detail]:
    """What the period's total so far exceeds the maximum by is taken off the detail, but never more than it costs.

    What a detail gives back stays as it is.
    """
    most, billed, found = terms.of(f"{name}.amount"), _billed(units), []
    for one in details:
        billed = ratios.plus(billed, one.total)
        above = ratios.greater(detail_rounded(terms, ratios.minus(billed, most)), NOTHING)
        found.append(_discounted(one, ratios.lesser(above, ratios.greater(one.total, NOTHING))))
    return found


def _lifted_to_minimum(terms: Terms, name: str, units: Measured, details: list[Detail]) -> list[Detail]:
    """A detail more, on the line that closes the period."""
    billed = ratios.plus(_billed(units), total(details, len(terms.row)))
    lift = missing(terms, name, billed)
    return [*details, lift if units.splits is None else _present(lift, units.splits.closes)]


def missing(terms: Terms, name: str, billed: Ratios) -> Detail:
    """What `billed` is short of the minimum of this name."""
    short = detail_rounded(terms, ratios.minus(terms.of(f"{name}.amount"), billed))
    return detail(Kind.MINIMUM, np.asarray(short.numerator > 0, dtype=np.bool_), ONE, short, short)


def _present(one: Detail, where: Bools) -> Detail:
    return one._replace(present=one.present & where, amount=only(where, one.amount))


def _billed(units: Measured) -> Ratios:
    return NOTHING if units.splits is None else units.splits.billed


def _discounted(one: Detail, discount: Ratios) -> Detail:
    return one._replace(discount=ratios.plus(one.discount, discount))


_ADJUST: dict[type, Callable[[Terms, str, Measured, list[Detail]], list[Detail]]] = {
    PercentOff: _percent_off,
    AmountOff: _amount_off,
    Maximum: _within_maximum,
    Minimum: _lifted_to_minimum,
}
