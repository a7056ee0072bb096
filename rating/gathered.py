"""Put columns of ratios together from parts that were calculated apart.

Which rows were calculated together, and over which denominators, does not show in the values.
"""

import math
from collections.abc import Sequence

import numpy as np

from rating.exact import Exact, Int64s, narrowed
from rating.ratios import Ratios, products, spread


class Gathered:
    """Rows that arrive in parts, each part with the places of its rows; what never arrives is nothing.

    Parts in int64 over the denominator of the first are put in their places at once, while they are at hand. Where
    `all_arrive`, no row is set to nothing before.
    """

    def __init__(self, rows: int, *, all_arrive: bool = False) -> None:
        self._numerator = (np.empty if all_arrive else np.zeros)(rows, dtype=np.int64)
        self._denominator = one_for_all(1)
        self._is_empty = True
        self._others: list[tuple[Int64s, Ratios]] = []

    def room(self, places: Int64s | slice) -> Int64s:
        """Where numerators may be written that are then put at `places`: there already, if those lie together."""
        return self._numerator[places] if isinstance(places, slice) else np.empty(len(places), dtype=np.int64)

    def put(self, places: Int64s | slice, part: Ratios) -> None:
        """The rows of `part` at `places`."""
        is_plain = part.numerator.dtype == np.int64 and len(part.denominator) == 1
        if is_plain and (self._is_empty or part.denominator[0] == self._denominator[0]):
            if part.numerator.base is not self._numerator:
                self._numerator[places] = part.numerator
            self._denominator, self._is_empty = part.denominator, False
        else:
            at = np.arange(len(self._numerator))[places]
            self._others.append((at, Ratios(spread(part, len(at)).numerator.copy(), part.denominator)))
            self._numerator[places] = 0

    def column(self) -> Ratios:
        """All rows in their places."""
        plain = Ratios(self._numerator, self._denominator)
        if not self._others:
            return plain
        rows = len(self._numerator)
        everything = joined([plain, *(part for _, part in self._others)])
        places = np.concatenate([places for places, _ in self._others])
        return Ratios(*(_placed(half, rows, places) for half in everything))


def _placed(column: Exact, rows: int, places: Int64s) -> Exact:
    """What comes after the first `rows` moved to its places among them."""
    if len(column) == 1:
        return column
    placed: Exact = column[:rows].copy()
    placed[places] = column[rows:]
    return placed


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
