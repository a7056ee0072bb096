"""Pieces cost what the details of the same lines cost, in int64 and beyond it."""

from fractions import Fraction

import numpy as np
import pytest

from rating import ratios
from rating.exact import narrowed
from rating.pricing import pieces
from rating.pricing.measure import measured
from rating.pricing.parts import Charge, PerUnit, Price, Reading, Rounding, Tier, Tiers
from rating.pricing.rate import amount_of, details_of, rate
from rating.pricing.shapes import price_list, stretches
from rating.pricing.usage import Usage, taken_usage
from rating.ratios import HALF_UP, UP
from tests.unit.rating.pricing.columns import fractions

LINES = 2_000


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


def test_per_unit_prices_are_one_piece() -> None:
    prices = price_list([Price(charge=PerUnit(Fraction(1, 8))), Price(charge=PerUnit(Fraction(1, 3)))])
    found = rate(prices, np.array([1, 0, 1]), Usage(ratios.whole(np.array([3, 3, 10**15]))))
    assert fractions(found.amount) == [1, Fraction(3, 8), Fraction(10**15, 3)]
