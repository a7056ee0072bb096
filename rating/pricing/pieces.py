"""The short way to an amount: a price as straight pieces, `base + quantity x slope` in the piece that is reached.

Per unit, graduated, volume and stairstep are pieces as long as nothing looks at single details: the same amounts as
their details' sum, in a fraction of the time. A graduated tier's base is what the tiers below it cost, less its own
price for their units.
"""

from typing import NamedTuple

import numpy as np

from rating import ratios
from rating.exact import Int64s
from rating.pricing.measure import Measured
from rating.pricing.parts import Beyond, PerUnit, Price, Reading, Tiers
from rating.pricing.shapes import Shape, Terms
from rating.pricing.tiered import tier_column, tiers_of
from rating.ratios import Ratios


class Pieces(NamedTuple):
    """Piece after piece, each with a row for every price."""

    bounds: list[Ratios]
    """A quantity above the n-th is beyond the n-th piece."""
    base: Ratios
    slope: Ratios


def are_enough(price: Price) -> bool:
    """Whether pieces give the amount of a line that is alone in its period."""
    if price.adjustments or (price.rounding is not None and price.rounding.of_details):
        return False
    if isinstance(price.charge, PerUnit):
        return True
    return isinstance(price.charge, Tiers) and all(
        tier.package_size is None and tier.cap is None for tier in price.charge.tiers
    )


def amounts(terms: Terms, units: Measured) -> Ratios:
    """What each line costs, before it is rounded."""
    quantity = units.after
    pieces = _fitting(terms.shape, quantity)
    reached = np.zeros(len(terms.row), dtype=np.int64)
    for bound in pieces.bounds:
        reached += ratios.is_above(quantity, _of_price(bound, terms.row))
    row = reached * terms.shape.prices + terms.row
    return ratios.plus(ratios.taken(pieces.base, row), ratios.times(quantity, ratios.taken(pieces.slope, row)))


def _fitting(shape: Shape, quantity: Ratios) -> Pieces:
    """The shape's pieces, over denominators under which quantities meet them without being multiplied."""
    if len(quantity.denominator) > 1:
        return _made(shape, 1)
    return _made(shape, int(quantity.denominator[0]))


def _made(shape: Shape, denominator: int) -> Pieces:
    name = f"pieces over {denominator}"
    if name not in shape.tables:
        is_tiered = isinstance(shape.example.charge, Tiers)
        bounds, bases, slopes = _tiers(shape) if is_tiered else _per_unit(shape)
        finest = ratios.constant(0, denominator)
        bounds = [ratios.alike(bound, finest)[0] for bound in bounds]
        base, slope = ratios.alike(ratios.joined(bases), ratios.joined(slopes))
        # A quantity times a slope is over this denominator, and so is the base that it is added to.
        base = Ratios(
            ratios.products(base.numerator, np.array([denominator])),
            ratios.products(base.denominator, np.array([denominator])),
        )
        shape.tables[name] = Pieces(bounds, base, slope)
    made: Pieces = shape.tables[name]
    return made


def _per_unit(shape: Shape) -> tuple[list[Ratios], list[Ratios], list[Ratios]]:
    return [], [ratios.zeros(shape.prices)], [shape.numbers["charge.unit_price"]]


def _tiers(shape: Shape) -> tuple[list[Ratios], list[Ratios], list[Ratios]]:
    """Bounds, bases and slopes; the first piece is that of nothing used."""
    charge, nothing = tiers_of(shape), ratios.zeros(shape.prices)
    at_zero = tier_column(shape, 0, "flat_fee") if charge.charges_zero else nothing
    bounds, bases, slopes = [nothing], [at_zero], [nothing]
    lower = below = nothing
    for place, tier in enumerate(charge.tiers):
        fee, price = tier_column(shape, place, "flat_fee"), tier_column(shape, place, "unit_price")
        if charge.reading is Reading.GRADUATED:
            below = ratios.plus(below, fee)
            bases.append(ratios.minus(below, ratios.times(lower, price)))
        else:
            bases.append(fee)
        slopes.append(price)
        if tier.up_to is None or (place == len(charge.tiers) - 1 and charge.beyond is Beyond.EXTENDED):
            return bounds, bases, slopes
        upper = shape.numbers[f"charge.tiers.{place}.up_to"]
        below = ratios.plus(below, ratios.times(ratios.minus(upper, lower), price))
        lower = upper
        bounds.append(upper)
    is_graduated = charge.reading is Reading.GRADUATED
    return bounds, [*bases, below if is_graduated else nothing], [*slopes, nothing]


def _of_price(numbers: Ratios, row: Int64s) -> Ratios:
    """A number of each line's price; where all lines have one price, it stays one number."""
    return numbers if len(numbers.numerator) == 1 else ratios.taken(numbers, row)
