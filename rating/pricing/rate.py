"""Rate columns of lines: measure, charge, round and adjust, all lines of one shape at once.

What comes out does not depend on the order of the lines, nor on the stretches that they are rated in.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from rating.exact import Int64s
from rating.gathered import Gathered
from rating.pricing import pieces
from rating.pricing.adjust import adjusted, detail_rounded
from rating.pricing.blocks import blocks
from rating.pricing.details import Amounts, Detail, only, rounded_once, total, turned
from rating.pricing.measure import Measured, measured
from rating.pricing.parts import (
    Blocks,
    Bucketed,
    Capacity,
    Duration,
    Dynamic,
    Flat,
    Matrix,
    Packages,
    Percentage,
    PerUnit,
    PricedWith,
    Tiers,
)
from rating.pricing.shapes import PriceList, Shape, Terms, stretches
from rating.pricing.tiered import tiered, unpriced
from rating.pricing.untiered import by_capacity, dynamic, flat, nothing, one_by_one, packages, per_unit
from rating.pricing.usage import Usage, taken_usage
from rating.ratios import Bools, Ratios

CHARGES: dict[type, Callable[[Terms, Measured, Usage], list[Detail]]] = {
    Flat: flat,
    PerUnit: per_unit,
    Packages: packages,
    Dynamic: dynamic,
    Percentage: one_by_one,
    Duration: one_by_one,
    Matrix: one_by_one,
    Tiers: tiered,
    Blocks: blocks,
    Bucketed: one_by_one,
    Capacity: by_capacity,
    PricedWith: nothing,
}


class Rated(NamedTuple):
    """What lines cost."""

    amount: Ratios
    exact: Ratios
    """Before the line was rounded."""
    unpriced: Bools
    """The price refuses the line: it costs nothing, and says so."""


def rate(prices: PriceList, of_line: Int64s, usage: Usage) -> Rated:
    """What each line costs at its price."""
    exact, rounded = (Gathered(len(of_line), all_arrive=True) for _ in range(2))
    refused = np.zeros(len(of_line), dtype=np.bool_)
    for lines, terms in stretches(prices, of_line):
        own = taken_usage(usage, lines)
        units = measured(terms, own)
        if units.splits is None and pieces.are_enough(terms.price):
            amounts = pieces.amounts(terms, units, exact.room(lines), rounded.room(lines))
        else:
            amounts = amount_of(terms.shape, details_of(terms, units, own), len(terms.row))
        mask = unpriced(terms, units)
        if mask is not None:
            refused[lines], amounts = mask, Amounts(*(only(~mask, one) for one in amounts))
        exact.put(lines, amounts.exact)
        rounded.put(lines, amounts.rounded)
    return Rated(rounded.column(), exact.column(), refused)


def details_of(terms: Terms, units: Measured, usage: Usage) -> list[Detail]:
    """The details of lines of one shape, each priced, rounded and adjusted."""
    charged = CHARGES[type(terms.price.charge)](terms, units, usage)
    details = [one._replace(amount=detail_rounded(terms, one.amount)) for one in charged]
    return [_signed(one, units.sign) for one in adjusted(terms, units, details)]


def amount_of(shape: Shape, details: Sequence[Detail], lines: int) -> Amounts:
    """What details cost together, rounded as the price rounds its lines."""
    return rounded_once(total(details, lines), shape.example.rounding)


def _signed(one: Detail, sign: Int64s | None) -> Detail:
    if sign is None:
        return one
    quantity, amount, discount = (turned(column, sign) for column in (one.quantity, one.amount, one.discount))
    return one._replace(quantity=quantity, amount=amount, discount=discount)
