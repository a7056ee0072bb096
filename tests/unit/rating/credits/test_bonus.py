"""A top-up gets the bonus of the highest threshold that it reaches."""

from fractions import Fraction

from rating import ratios
from rating.credits.bonus import Slab, bonus

SLABS = [Slab(Fraction(5000), flat=Fraction(750)), Slab(Fraction(1000), percent=Fraction(10))]


def bonuses(*topped_up: str) -> list[Fraction]:
    found = bonus(ratios.of_fractions([Fraction(amount) for amount in topped_up]), SLABS)
    return [Fraction(int(value)) / int(found.denominator[0]) for value in found.numerator]


def test_a_threshold_is_reached_at_its_own_amount_and_not_below() -> None:
    assert bonuses("999.99", "1000", "4999.99", "5000", "6000") == [0, 100, Fraction("499.999"), 750, 750]


def test_without_slabs_there_is_none() -> None:
    assert bonus(ratios.of_fractions([Fraction(7)]), []).numerator.tolist() == [0]
