"""Calculate with columns of exact ratios: a day's share of a month, 0.1 % of an amount, bytes in gibibytes.

A column is numerators over denominators, which are positive and may be one for all rows. Every step first proves that
int64 holds its largest possible result, and is taken with Python's integers where it does not: nothing wraps, and
nothing is rounded before somebody asks for it.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rating.exact import INT64_MAX, Exact, Int64s, largest, narrowed, total

Bools = NDArray[np.bool_]

HALF_UP: Final = 0
"""To the nearest, halves away from zero."""
UP: Final = 1
"""To the next that is not below: the ceiling."""
DOWN: Final = 2
"""To the next that is not above: the floor."""

_COMMON_MAX = 10**18


class Ratios(NamedTuple):
    """Row by row `numerator / denominator`; a denominator of one row stands for all."""

    numerator: Exact
    denominator: Exact


def of_scale(values: Exact, scale: int) -> Ratios:
    """Integers of 10^-scale as ratios."""
    unit = _column([10**scale])
    units: Exact = values // unit
    # Whole numbers are seen faster by a division than a common divisor is found.
    if unit.dtype == values.dtype and (units * unit == values).all():
        return whole(units)
    return reduced(Ratios(values, unit))


def whole(values: Exact) -> Ratios:
    """Whole numbers as ratios."""
    return Ratios(values, np.ones(1, dtype=np.int64))


def constant(numerator: int, denominator: int = 1) -> Ratios:
    """One ratio for all rows."""
    return Ratios(_column([numerator]), _column([denominator]))


def of_fractions(values: Sequence[Fraction]) -> Ratios:
    """A ratio for each value, over one denominator for all unless that is a large one."""
    common = math.lcm(*(value.denominator for value in values))
    if common > _COMMON_MAX:
        return Ratios(*(_column([getattr(value, half) for value in values]) for half in ("numerator", "denominator")))
    return Ratios(_column([value.numerator * (common // value.denominator) for value in values]), _column([common]))


def zeros(rows: int) -> Ratios:
    """Nothing, row by row."""
    return Ratios(np.zeros(rows, dtype=np.int64), np.ones(1, dtype=np.int64))


def plus(left: Ratios, right: Ratios) -> Ratios:
    """The sums."""
    one, other, denominator = _alike(left, right)
    return Ratios(sums(one, other), denominator)


def minus(left: Ratios, right: Ratios) -> Ratios:
    """The differences."""
    return plus(left, negative(right))


def negative(ratios: Ratios) -> Ratios:
    """The same below zero where they are above."""
    return Ratios(-ratios.numerator, ratios.denominator)


def times(left: Ratios, right: Ratios) -> Ratios:
    """The products, reduced when they outgrow int64: a common divisor of many rows is dear to find."""
    product = Ratios(products(left.numerator, right.numerator), products(left.denominator, right.denominator))
    return product if product.numerator.dtype == product.denominator.dtype == np.int64 else reduced(product)


def over(left: Ratios, right: Ratios) -> Ratios:
    """The quotients; `right` is nowhere zero."""
    sign = np.where(right.numerator < 0, -1, 1)
    upside_down = Ratios(right.denominator * sign, right.numerator * sign)
    return times(left, upside_down)


def is_above(left: Ratios, right: Ratios) -> Bools:
    """Where `left` is more than `right`."""
    one, other, _ = _alike(left, right)
    return np.asarray(one > other, dtype=np.bool_)


def is_equal(left: Ratios, right: Ratios) -> Bools:
    """Where both are the same."""
    one, other, _ = _alike(left, right)
    return np.asarray(one == other, dtype=np.bool_)


def greater(left: Ratios, right: Ratios) -> Ratios:
    """Row by row the greater of the two."""
    one, other, denominator = _alike(left, right)
    return Ratios(np.maximum(one, other), denominator)


def lesser(left: Ratios, right: Ratios) -> Ratios:
    """Row by row the lesser of the two."""
    one, other, denominator = _alike(left, right)
    return Ratios(np.minimum(one, other), denominator)


def where(chosen: Bools, left: Ratios, right: Ratios) -> Ratios:
    """Rows of `left` where `chosen`, of `right` elsewhere."""
    one, other, denominator = _alike(left, right)
    return Ratios(np.where(chosen, one, other), denominator)


def taken(ratios: Ratios, rows: Any) -> Ratios:
    """Some of the rows."""
    is_common = len(ratios.denominator) == 1
    return Ratios(ratios.numerator[rows], ratios.denominator if is_common else ratios.denominator[rows])


def alike(left: Ratios, right: Ratios) -> tuple[Ratios, Ratios]:
    """The same over one denominator for both, where each has one for its rows; they may differ in their rows."""
    one, other, denominator = _alike(left, right)
    return Ratios(one, denominator), Ratios(other, denominator)


def simplest(ratios: Ratios) -> Ratios:
    """The same over one denominator for all rows, unless that is a large one."""
    common = _common_multiple(ratios.denominator)
    return reduced(over_one_denominator(ratios)) if common <= _COMMON_MAX else ratios


def spread(ratios: Ratios, rows: int) -> Ratios:
    """The same with a numerator for each row, where one stood for all."""
    return Ratios(np.broadcast_to(ratios.numerator, (rows,)), ratios.denominator)


def over_one_denominator(ratios: Ratios) -> Ratios:
    """The same over one denominator for all rows."""
    if len(ratios.denominator) == 1:
        return ratios
    common = np.array([_common_multiple(ratios.denominator)], dtype=np.object_)
    factors = narrowed(common // ratios.denominator)
    return Ratios(products(ratios.numerator, factors), narrowed(common))


def integers(ratios: Ratios, mode: int | Int64s) -> Exact:
    """Whole numbers: each ratio rounded by its `mode`."""
    if isinstance(mode, int):
        return _ROUNDINGS[mode](*ratios)
    found = (mode == np.array(one) for one in _ROUNDINGS)
    return narrowed(np.select(list(found), [rounding(*ratios) for rounding in _ROUNDINGS.values()]))


def at_scale(ratios: Ratios, scale: int | Int64s, mode: int | Int64s) -> Exact:
    """Integers of 10^-scale: each ratio rounded by its `mode`; scales below zero are tens and hundreds."""
    scales = np.asarray(scale)
    factors = _each(scales, lambda one: 10 ** max(one, 0))
    divisors = _each(scales, lambda one: 10 ** max(-one, 0))
    # Often they cancel: hundredths of an amount in millionths is a division, and no product that might outgrow int64.
    shared = np.gcd(factors, ratios.denominator) if scales.ndim == 0 else np.ones(1, dtype=np.int64)
    finer = products(ratios.numerator, narrowed(factors // shared))
    return integers(Ratios(finer, products(narrowed(ratios.denominator // shared), divisors)), mode)


def rounded_to(ratios: Ratios, scale: int, mode: int) -> Ratios:
    """Each ratio rounded to `scale` decimals."""
    units = at_scale(ratios, scale, mode)
    if scale >= 0:
        return Ratios(units, _column([10**scale]))
    return whole(products(units, _column([10**-scale])))


def sums(left: Exact, right: Exact) -> Exact:
    """Sums that cannot wrap."""
    if left.dtype == np.int64 and right.dtype == np.int64:
        if largest(left) + largest(right) <= INT64_MAX:
            return np.asarray(left + right)
        left = left.astype(np.object_)
    return narrowed(np.asarray(left + right))


def products(left: Exact, right: Exact) -> Exact:
    """Products that cannot wrap."""
    if left.dtype == np.int64 and right.dtype == np.int64:
        if largest(left) * largest(right) <= INT64_MAX:
            return np.asarray(left * right)
        left = left.astype(np.object_)
    return narrowed(np.asarray(left * right))


def exact_total(ratios: Ratios) -> Fraction:
    """What all rows add up to; each has a numerator."""
    numerator, denominator = over_one_denominator(ratios)
    return Fraction(total(numerator), int(denominator[0]))


def reduced(ratios: Ratios) -> Ratios:
    """The same with smaller numbers, as far as one divisor serves every row of a common denominator."""
    numerator, denominator = ratios
    if len(denominator) == 1:
        divisor = _common_divisor(numerator, int(denominator[0]))
        if divisor == 1:
            return ratios
        return Ratios(narrowed(numerator // _column([divisor])), narrowed(denominator // divisor))
    divisors = np.gcd(numerator, denominator)
    return Ratios(narrowed(numerator // divisors), narrowed(denominator // divisors))


def _nearest(numerator: Exact, denominator: Exact) -> Exact:
    below = numerator < 0
    nearest = narrowed(sums(np.abs(numerator), denominator // 2) // denominator)
    return np.where(below, -nearest, nearest) if below.any() else nearest


def _floor(numerator: Exact, denominator: Exact) -> Exact:
    return narrowed(np.asarray(numerator // denominator))


def _ceiling(numerator: Exact, denominator: Exact) -> Exact:
    return -_floor(-numerator, denominator)


_ROUNDINGS = {HALF_UP: _nearest, UP: _ceiling, DOWN: _floor}


def _column(values: Sequence[int]) -> Exact:
    return narrowed(np.array(values, dtype=np.object_))


def _common_divisor(numerator: Exact, denominator: int) -> int:
    if denominator == 1 or not len(numerator):
        return denominator
    return math.gcd(int(np.gcd.reduce(numerator)), denominator)


def _common_multiple(denominator: Exact) -> int:
    return math.lcm(*map(int, np.unique(denominator)))


def _alike(left: Ratios, right: Ratios) -> tuple[Exact, Exact, Exact]:
    """Both numerators over one denominator."""
    if len(left.denominator) == len(right.denominator) == 1 and left.denominator[0] == right.denominator[0]:
        return left.numerator, right.numerator, left.denominator
    common = np.gcd(left.denominator, right.denominator)
    to_left, to_right = narrowed(right.denominator // common), narrowed(left.denominator // common)
    denominator = products(left.denominator, to_left)
    return products(left.numerator, to_left), products(right.numerator, to_right), denominator


def _each(scales: NDArray[Any], power: Callable[[int], int]) -> Exact:
    if scales.ndim == 0:
        return narrowed(np.array([power(int(scales))], dtype=np.object_))
    different, code = np.unique(scales, return_inverse=True)
    return narrowed(np.array([power(int(one)) for one in different], dtype=np.object_)[code])
