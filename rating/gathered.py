"""Put columns of ratios together from parts that were calculated apart.

Which rows were calculated together, and over which denominators, does not show in the values.
"""

import math
from collections.abc import Sequence

import numpy as np

from rating.exact import Exact, Int64s, narrowed
from rating.ratios import Ratios, products, spread, zeros


class Gathered:
    """Rows that arrive in parts, each part with the places of its rows; what never arrives is nothing."""

    def __init__(self, rows: int) -> None:
        self._places: list[Int64s | slice] = []
        self._parts: list[Ratios] = []
        self._rows = rows

    def put(self, places: Int64s | slice, part: Ratios) -> None:
        """The rows of `part` at `places`; parts at slices are all rows, in order."""
        self._places.append(places)
        rows = places.stop - places.start if isinstance(places, slice) else len(places)
        self._parts.append(spread(part, rows))

    def column(self) -> Ratios:
        """All rows in their places."""
        if not self._parts:
            return zeros(self._rows)
        both = joined(self._parts)
        scattered = [places for places in self._places if not isinstance(places, slice)]
        if not scattered:
            return both
        places = np.concatenate(scattered)
        numerator = np.zeros(self._rows, dtype=both.numerator.dtype)
        numerator[places] = both.numerator
        if len(both.denominator) == 1:
            return Ratios(numerator, both.denominator)
        denominator = np.ones(self._rows, dtype=both.denominator.dtype)
        denominator[places] = both.denominator
        return Ratios(numerator, denominator)


def joined(parts: Sequence[Ratios]) -> Ratios:
    """The rows of all parts one after another; every part has a numerator for each of its rows."""
    denominators = [part.denominator for part in parts]
    if all(len(denominator) == 1 for denominator in denominators):
        common = math.lcm(*(int(denominator[0]) for denominator in denominators))
        factors = [common // int(denominator[0]) for denominator in denominators]
        numerators = [
            part.numerator if factor == 1 else products(part.numerator, one_for_all(factor))
            for part, factor in zip(parts, factors, strict=True)
        ]
        return Ratios(np.concatenate(numerators), one_for_all(common))
    each = [np.broadcast_to(part.denominator, part.numerator.shape) for part in parts]
    return Ratios(np.concatenate([part.numerator for part in parts]), np.concatenate(each))


def one_for_all(number: int) -> Exact:
    """A column of one row that stands for all."""
    return narrowed(np.array([number], dtype=np.object_))
