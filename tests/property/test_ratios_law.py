"""Columns of ratios calculate as Fractions do, whatever their size, and round as their mode says."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating import ratios
from rating.exact import narrowed
from rating.ratios import DOWN, HALF_UP, UP, Ratios

numerators = st.one_of(
    st.integers(-9, 9), st.sampled_from([2**31, 2**62, 2**63 - 1, -(2**63) + 1]), st.integers(-(10**30), 10**30)
)
denominators = st.one_of(st.sampled_from([1, 2, 3, 7, 31, 10**9, 2**40]), st.integers(1, 10**20))
fractions = st.builds(Fraction, numerators, denominators)
pairs = st.lists(st.tuples(fractions, fractions), min_size=1, max_size=5)


def columns_of(values: list[Fraction], *, common: bool) -> Ratios:
    """The values with a denominator each, or over one for all of them."""
    if common:
        shared = np.lcm.reduce(np.array([value.denominator for value in values], dtype=np.object_))
        made = [int(value * shared) for value in values]
        return Ratios(narrowed(np.array(made, np.object_)), narrowed(np.array([shared], np.object_)))
    halves = ([value.numerator for value in values], [value.denominator for value in values])
    return Ratios(*(narrowed(np.array(half, np.object_)) for half in halves))


def fractions_of(found: Ratios) -> list[Fraction]:
    rows = np.broadcast(found.numerator, found.denominator)
    return [Fraction(int(numerator), int(denominator)) for numerator, denominator in rows]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ratios.plus, lambda a, b: a + b),
        (ratios.minus, lambda a, b: a - b),
        (ratios.times, lambda a, b: a * b),
        (ratios.greater, max),
        (ratios.lesser, min),
    ],
)
@given(values=pairs, left_common=st.booleans(), right_common=st.booleans())
def test_two_columns_are_put_together_as_fractions_are(
    ours: Callable[[Ratios, Ratios], Ratios],
    theirs: Callable[[Fraction, Fraction], Fraction],
    values: list[tuple[Fraction, Fraction]],
    left_common: bool,
    right_common: bool,
) -> None:
    left, right = zip(*values, strict=True)
    found = ours(columns_of(list(left), common=left_common), columns_of(list(right), common=right_common))
    assert fractions_of(found) == [theirs(*pair) for pair in values]


def test_zero_of_units_smaller_than_any_word_counts_is_zero() -> None:
    tiny = Ratios(np.zeros(2, dtype=np.int64), np.array([10**30], dtype=np.object_))
    assert fractions_of(ratios.times(tiny, ratios.constant(3))) == [0, 0]


@given(pairs, st.booleans())
def test_a_quotient_is_the_fraction_it_names(values: list[tuple[Fraction, Fraction]], common: bool) -> None:
    values = [(left, right or Fraction(1)) for left, right in values]
    left, right = zip(*values, strict=True)
    found = ratios.over(columns_of(list(left), common=common), columns_of(list(right), common=False))
    assert fractions_of(found) == [one / other for one, other in values]


@given(pairs)
def test_above_is_above(values: list[tuple[Fraction, Fraction]]) -> None:
    left, right = (columns_of(list(side), common=False) for side in zip(*values, strict=True))
    assert ratios.is_above(left, right).tolist() == [one > other for one, other in values]
    chosen = ratios.where(ratios.is_above(left, right), left, right)
    assert fractions_of(chosen) == [max(pair) for pair in values]


def rounded(value: Fraction, scale: int, mode: int) -> int:
    units = value * Fraction(10) ** scale
    if mode == HALF_UP:
        return (1 if units >= 0 else -1) * floor(abs(units) + Fraction(1, 2))
    return ceil(units) if mode == UP else floor(units)


rules = st.tuples(fractions, st.integers(-3, 12), st.sampled_from([HALF_UP, UP, DOWN]))


@given(st.lists(rules, min_size=1, max_size=5), st.booleans())
def test_each_row_is_rounded_by_its_own_rule(rows: list[tuple[Fraction, int, int]], common: bool) -> None:
    values, scales, modes = (list(column) for column in zip(*rows, strict=True))
    found = ratios.at_scale(columns_of(values, common=common), np.array(scales), np.array(modes))
    assert found.tolist() == [rounded(*row) for row in rows]
    alike = ratios.at_scale(columns_of(values, common=common), scales[0], modes[0])
    assert alike.tolist() == [rounded(value, scales[0], modes[0]) for value in values]
