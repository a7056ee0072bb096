"""Numbers that make exact arithmetic sweat, and lists of them as the engine's columns and back."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

from rating.exact import Int64s, narrowed
from rating.ratios import DOWN, HALF_UP, UP, Ratios
from rating.rounding import Rounding

MODES = {"half_up": HALF_UP, "up": UP, "down": DOWN}
SCALES = [0, 2, 3, 4]
"""Of the currencies there are."""


def decimals(most: int, places: int) -> st.SearchStrategy[Fraction]:
    """From zero to `most`: small and whole, halves, as fine as `places` allow, and the most itself."""
    unit = 10**places
    return st.one_of(
        st.integers(0, 20).map(Fraction),
        st.integers(0, 40).map(lambda halves: Fraction(halves, 2)),
        st.integers(0, 10**6).map(lambda parts: Fraction(parts, 10**4)),
        st.integers(0, most * unit).map(lambda parts: Fraction(parts, unit)),
        st.just(Fraction(most)),
    )


quantities = decimals(10**15, 9)
unit_prices = decimals(10**6, 12)
amounts = decimals(10**15, 4)
percents = st.one_of(st.sampled_from([0, 10, 50, 100]).map(Fraction), decimals(100, 4))
shares = st.tuples(st.integers(0, 366), st.sampled_from([1, 28, 29, 30, 31, 365, 366])).map(
    lambda pair: Fraction(min(pair), max(pair[1], 1))
)


def signed(values: st.SearchStrategy[Fraction]) -> st.SearchStrategy[Fraction]:
    """The same, below zero as well."""
    return st.tuples(values, st.sampled_from([1, 1, 1, -1])).map(lambda pair: pair[0] * pair[1])


rules = st.fixed_dictionaries({"scale": st.sampled_from(SCALES), "mode": st.sampled_from(sorted(MODES))})
"""A rounding rule as the cases write it."""


def column(values: Iterable[Fraction | int]) -> Ratios:
    """Numbers as a column: over one denominator where they are plain decimals, as amounts of money come."""
    listed = [Fraction(value) for value in values]
    common = int(np.lcm.reduce(np.array([value.denominator for value in listed], dtype=np.object_), initial=1))
    if 10**12 % common == 0:
        return Ratios(_exact([int(value * common) for value in listed]), _exact([common]))
    return Ratios(_exact([value.numerator for value in listed]), _exact([value.denominator for value in listed]))


def fractions(found: Ratios) -> list[Fraction]:
    """A column's numbers."""
    rows = np.broadcast(found.numerator, found.denominator)
    return [Fraction(int(numerator), int(denominator)) for numerator, denominator in rows]


def offset_of(groups: Sequence[Sequence[Any]]) -> Int64s:
    """Where each group begins."""
    return np.array([0, *np.cumsum([len(group) for group in groups])], dtype=np.int64)


def flat(groups: Sequence[Sequence[Any]]) -> list[Any]:
    """The groups laid end to end."""
    return [row for group in groups for row in group]


def split(values: Sequence[Any], offset: Int64s) -> list[list[Any]]:
    """The groups again."""
    return [list(values[first:after]) for first, after in pairwise(offset)]


def rounding(rules_: Sequence[dict[str, Any]]) -> Rounding:
    """Rules, row by row."""
    scales = np.array([rule["scale"] for rule in rules_], dtype=np.int64)
    return Rounding(scales, np.array([MODES[rule["mode"]] for rule in rules_], dtype=np.int64))


def _exact(values: list[int]) -> Any:
    return narrowed(np.array(values, dtype=np.object_))
