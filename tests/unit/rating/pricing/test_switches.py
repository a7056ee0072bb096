"""The switches that no case of another engine decides: each does what its words say."""

from fractions import Fraction

import numpy as np
import pytest

from rating.pricing.cells import Keyed, cell_fees
from rating.pricing.parts import (
    Adjustment,
    AmountOff,
    Beyond,
    Cell,
    Matrix,
    Maximum,
    Minimum,
    PercentOff,
    PerUnit,
    Price,
    Reading,
    Tier,
    Tiers,
)
from rating.pricing.shapes import price_list
from rating.pricing.usage import Ragged
from tests.unit.rating.pricing.columns import column, fractions, of_one_price, rated

ONE, TWO = Fraction(1), Fraction(2)
BOUNDED = (Tier(Fraction(10), unit_price=TWO, flat_fee=Fraction(5)), Tier(Fraction(20), unit_price=ONE))


@pytest.mark.parametrize(
    ("reading", "beyond", "amounts", "unpriced"),
    [
        (Reading.GRADUATED, Beyond.DROPPED, [35, 35], [False, False]),
        (Reading.GRADUATED, Beyond.EXTENDED, [35, 40], [False, False]),
        (Reading.GRADUATED, Beyond.REFUSED, [35, 0], [False, True]),
        (Reading.VOLUME, Beyond.DROPPED, [20, 0], [False, False]),
        (Reading.VOLUME, Beyond.EXTENDED, [20, 25], [False, False]),
        (Reading.VOLUME, Beyond.REFUSED, [20, 0], [False, True]),
    ],
)
def test_usage_past_a_bounded_last_tier_is_what_the_price_says(
    reading: Reading, beyond: Beyond, amounts: list[int], unpriced: list[bool]
) -> None:
    found = rated(Tiers(BOUNDED, reading, beyond), 20, 25)
    assert fractions(found.amount) == amounts
    assert found.unpriced.tolist() == unpriced


def test_a_stairstep_is_the_step_reached_or_all_steps_up_to_it() -> None:
    steps = tuple(Tier(bound, flat_fee=Fraction(fee)) for bound, fee in ((TWO, 10), (Fraction(4), 20), (None, 30)))
    assert fractions(rated(Tiers(steps, Reading.VOLUME), 0, 2, 3, 5).amount) == [0, 10, 20, 30]
    assert fractions(rated(Tiers(steps), 0, 2, 3, 5).amount) == [0, 10, 30, 60]


@pytest.mark.parametrize(
    ("adjustments", "amount"),
    [
        ((PercentOff(Fraction(50)), AmountOff(Fraction(10))), 40),
        ((AmountOff(Fraction(10)), PercentOff(Fraction(50))), 45),
        ((Maximum(Fraction(30)), Minimum(Fraction(60))), 60),
        ((Minimum(Fraction(60)), Maximum(Fraction(30))), 30),
        ((AmountOff(Fraction(1000)),), 0),
    ],
)
def test_adjustments_are_made_in_the_order_that_is_declared(adjustments: tuple[Adjustment, ...], amount: int) -> None:
    price = Price(charge=PerUnit(ONE), adjustments=adjustments)
    assert fractions(rated(price, 100).amount) == [amount]


def test_a_key_is_priced_by_the_first_cell_that_takes_it() -> None:
    cells = [(("eu", "gpu"), 5), (("eu", None), 3), ((None, "gpu"), 4), ((None, None), 1)]
    matrix = Matrix(tuple(Cell(key, Fraction(price)) for key, price in cells))
    keys = [("eu", "gpu"), ("eu", "cpu"), ("us", "gpu"), ("us", "cpu")]
    usage = Keyed(Ragged(np.array([0, 4]), column(1, 1, 1, 1)), np.arange(4), keys)
    found = cell_fees(price_list([Price(charge=matrix)]), of_one_price(1), usage)
    assert fractions(found.fee) == [5, 3, 4, 1]
    assert not found.unpriced.any()


def test_a_key_that_no_cell_takes_is_told() -> None:
    usage = Keyed(Ragged(np.array([0, 2]), column(7, 7)), np.array([0, 1]), [("eu",), ("moon",)])
    prices = price_list([Price(charge=Matrix((Cell(("eu",), TWO),)))])
    found = cell_fees(prices, of_one_price(1), usage)
    assert fractions(found.fee) == [14, 0]
    assert found.unpriced.tolist() == [False, True]
