"""The short way to an amount: a price as straight pieces, `base + quantity x slope` in the piece that is reached.

Per unit, graduated, volume and stairstep are pieces as long as nothing looks at single details: the same amounts as
their details' sum, in a fraction of the time. A graduated tier's base is what the tiers below it cost, less its own
price for their units.
"""

from typing import NamedTuple

import numpy as np

from rating import ratios
from rating.exact import NARROW_MAX, Int64s, largest
from rating.gathered import joined
from rating.pricing.compiled_pieces import reciprocal, walk
from rating.pricing.details import Amounts, rounded_once, turned
from rating.pricing.measure import Measured
from rating.pricing.parts import Beyond, PerUnit, Price, Reading, Rounding, Tiers
from rating.pricing.shapes import Shape, Terms
from rating.pricing.tiered import tier_column, tiers_of
from rating.ratios import HALF_UP, Ratios


class Pieces(NamedTuple):
    """Price after price, and for each its pieces; a price has a bound less than it has pieces."""

    bounds: Ratios
    """A quantity above the n-th is beyond the n-th piece."""
    base: Ratios
    slope: Ratios
    pieces: int
    """Of each price."""
    units_max: int
    """Up to so many units, int64 holds every amount; -1 where it doesn't hold the tables."""


def are_enough(price: Price) -> bool:
    """Whether pieces give the amount of a line that is alone in its period."""
    if price.adjustments or (price.rounding is not None and price.rounding.of_details):
        return False
    if isinstance(price.charge, PerUnit):
        return True
    return isinstance(price.charge, Tiers) and all(
        tier.package_size is None and tier.cap is None for tier in price.charge.tiers
    )


def amounts(terms: Terms, units: Measured, exact: Int64s, in_units: Int64s) -> Amounts:
    """What each line costs; where int64 holds it, the columns are written to."""
    rounding, quantity = terms.price.rounding, units.after
    common = len(quantity.denominator) == 1
    pieces = _over(terms.shape, int(quantity.denominator[0]) if common else 1)
    unit = _whole_unit(pieces, rounding)
    if common and _meets(quantity, pieces) and unit is not None:
        tables = (pieces.bounds.numerator, pieces.base.numerator, pieces.slope.numerator)
        of_piece = (*tables, pieces.pieces, unit, reciprocal(unit))
        if walk(quantity.numerator, pieces.units_max, terms.row, *of_piece, exact, in_units):
            found = Ratios(exact, pieces.base.denominator), Ratios(in_units, pieces.base.denominator // unit)
            return Amounts(*(turned(one, units.sign) for one in found))
    reached = np.zeros(len(terms.row), dtype=np.int64)
    for bound in range(pieces.pieces - 1):
        reached += ratios.is_above(quantity, ratios.taken(pieces.bounds, terms.row * (pieces.pieces - 1) + bound))
    row = terms.row * pieces.pieces + reached
    product = ratios.times(quantity, ratios.taken(pieces.slope, row))
    return rounded_once(turned(ratios.plus(ratios.taken(pieces.base, row), product), units.sign), rounding)


def _whole_unit(pieces: Pieces, rounding: Rounding | None) -> int | None:
    """How many of the amounts' fractions make one that is rounded to; None where rounding is no such division."""
    if rounding is None:
        return 1
    unit, rest = divmod(int(pieces.base.denominator[0]), 10 ** max(rounding.scale, 0))
    is_division = rest == 0 and unit <= NARROW_MAX and rounding.scale >= 0
    return unit if is_division and rounding.mode == HALF_UP else None


def _meets(quantity: Ratios, pieces: Pieces) -> bool:
    """Whether int64 holds both as they are, over one denominator."""
    alike = quantity.denominator[0] == pieces.bounds.denominator[0]
    return bool(alike) and quantity.numerator.dtype == np.int64 and pieces.units_max >= 0


def _over(shape: Shape, denominator: int) -> Pieces:
    """The shape's pieces, over denominators under which such quantities meet them without being multiplied."""
    name = f"pieces over {denominator}"
    if name not in shape.tables:
        is_tiered = isinstance(shape.example.charge, Tiers)
        bounds, bases, slopes = _tiers(shape) if is_tiered else _per_unit(shape)
        bound, _ = ratios.alike(_by_price(bounds, shape.prices), ratios.constant(0, denominator))
        rounding = shape.example.rounding
        # Over the decimals that are rounded to, at least, so that rounding only ever divides.
        finest = ratios.constant(0, 10 ** max(0 if rounding is None else rounding.scale, 0))
        base, _ = ratios.alike(_by_price(bases, shape.prices), finest)
        base, slope = ratios.alike(base, _by_price(slopes, shape.prices))
        # A quantity times a slope is over this denominator, and so is the base that it is added to.
        base = Ratios(*(ratios.products(half, np.array([denominator])) for half in base))
        shape.tables[name] = Pieces(bound, base, slope, len(bases), _units_max(bound, base, slope))
    made: Pieces = shape.tables[name]
    return made


def _by_price(columns: list[Ratios], prices: int) -> Ratios:
    """The columns' rows, price after price: what one line reads lies together."""
    both = joined([ratios.zeros(0), *columns])
    return ratios.taken(both, np.arange(len(columns) * prices).reshape(len(columns), prices).T.ravel())


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


def _units_max(*tables: Ratios) -> int:
    if any(column.dtype != np.int64 for table in tables for column in table):
        return -1
    _, base, slope = (largest(table.numerator) for table in tables)
    return (NARROW_MAX - base) // max(slope, 1)
