"""Pieces cost what the details of the same lines cost, in int64 and beyond it."""

from fractions import Fraction
from typing import Final

import numpy as np
import pytest

from rating import ratios
from rating.exact import narrowed
from rating.pricing import pieces
from rating.pricing.measure import measured
from rating.pricing.parts import Charge, PerUnit, Price, Reading, Rounding, Tier, Tiers
from rating.pricing.rate import amount_of, details_of, rate
from rating.pricing.shapes import STRETCH_LINES, price_list, stretches
from rating.pricing.usage import Usage, taken_usage
from rating.ratios import HALF_UP, UP
from tests.unit.rating.pricing.columns import fractions

LINES: Final = 2_000
FAR: Final = STRETCH_LINES + 1_000
"""A line of the second of several stretches."""
MANY: Final = 9 * 10**18


def tiers(reading: Reading, scale: int) -> Charge:
    """Two tiers whose numbers differ by price."""
    bound, price = Fraction(scale * 10, 3 if scale == 7 else 1), Fraction(scale, 10**4)
    return Tiers((Tier(bound, unit_price=price, flat_fee=Fraction(scale)), Tier(None, unit_price=price / 2)), reading)


@pytest.mark.parametrize("units", [1, 10**9, 10**17])
@pytest.mark.parametrize("mode", [HALF_UP, UP])
@pytest.mark.parametrize("reading", list(Reading))
def test_pieces_cost_what_details_cost(reading: Reading, mode: int, units: int) -> None:
    random = np.random.default_rng(units % 97)
    charges = [tiers(reading, scale) for scale in range(1, 9)]
    prices = price_list([Price(charge=charge, is_mirrored=True, rounding=Rounding(2, mode)) for charge in charges])
    of_line = random.integers(0, len(charges), LINES)
    scaled = narrowed(random.integers(-100, 1000, LINES).astype(np.object_) * units)
    usage = Usage(ratios.of_scale(scaled, 3))
    found = rate(prices, of_line, usage)
    for lines, terms in stretches(prices, of_line):
        assert pieces.are_enough(terms.price)
        own = taken_usage(usage, lines)
        details = amount_of(terms.shape, details_of(terms, measured(terms, own), own), len(terms.row))
        assert fractions(ratios.taken(found.amount, lines)) == fractions(details.rounded)
        assert fractions(ratios.taken(found.exact, lines)) == fractions(details.exact)


@pytest.mark.parametrize("shapes", [1, 2])
def test_a_line_beyond_int64_changes_none_of_the_lines_around_it(shapes: int) -> None:
    lines = 3 * STRETCH_LINES
    charges = [tiers(reading, 7) for reading in list(Reading)[:shapes]]
    prices = price_list([Price(charge=charge, rounding=Rounding(2)) for charge in charges])
    of_line, units = np.arange(lines) % shapes, np.arange(lines)
    usages = (Usage(ratios.whole(column)) for column in (units, np.where(units == FAR, MANY, units)))
    alone, beside = (rate(prices, of_line, usage) for usage in usages)
    assert beside.exact.numerator.dtype == np.object_
    others = units != FAR
    for one, other in ((alone.amount, beside.amount), (alone.exact, beside.exact)):
        assert ratios.is_equal(ratios.taken(one, others), ratios.taken(other, others)).all()
    (dear,) = fractions(ratios.taken(beside.amount, slice(FAR, FAR + 1)))
    assert dear == round(7 + Fraction(70, 3) * Fraction(7, 10**4) + (MANY - Fraction(70, 3)) * Fraction(7, 20_000), 2)


def test_per_unit_prices_are_one_piece() -> None:
    prices = price_list([Price(charge=PerUnit(Fraction(1, 8))), Price(charge=PerUnit(Fraction(1, 3)))])
    found = rate(prices, np.array([1, 0, 1]), Usage(ratios.whole(np.array([3, 3, 10**15]))))
    assert fractions(found.amount) == [1, Fraction(3, 8), Fraction(10**15, 3)]
