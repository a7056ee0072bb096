"""Columns from numbers and back."""

from fractions import Fraction

import numpy as np

from rating import ratios
from rating.exact import Int64s
from rating.pricing.parts import Charge, Price
from rating.pricing.rate import Rated, rate
from rating.pricing.shapes import price_list
from rating.pricing.usage import Usage
from rating.ratios import Ratios

Number = int | str | Fraction


def column(*numbers: Number) -> Ratios:
    return ratios.of_fractions([Fraction(number) for number in numbers])


def fractions(found: Ratios) -> list[Fraction]:
    pairs = np.broadcast(found.numerator, found.denominator)
    return [Fraction(int(numerator), int(denominator)) for numerator, denominator in pairs]


def of_one_price(lines: int) -> Int64s:
    return np.zeros(lines, dtype=np.int64)


def rated(price: Price | Charge, *quantities: Number) -> Rated:
    """Lines of one price."""
    whole = price if isinstance(price, Price) else Price(charge=price)
    return rate(price_list([whole]), of_one_price(len(quantities)), Usage(column(*quantities)))
