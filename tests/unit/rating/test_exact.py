"""Columns of exact integers never wrap, never go through a float, and round once."""

from decimal import Decimal

import numpy as np
import pytest

from rating.exact import Exact, decimals, group_sums, scaled_text, total

WIDE = np.array([10**30, -(10**30), 5], dtype=np.object_)
INT64_MAX = 2**63 - 1


def test_a_sum_beyond_int64_is_exact() -> None:
    column = np.array([INT64_MAX, INT64_MAX, -1])
    assert group_sums(column, np.array([0, 2])).tolist() == [2 * INT64_MAX, -1]


def test_the_most_negative_integer_is_summed_exactly() -> None:
    assert group_sums(np.array([-(2**63), -1]), np.array([0])).tolist() == [-(2**63) - 1]


def test_rows_that_are_a_group_each_are_their_sums() -> None:
    assert group_sums(np.array([INT64_MAX, -1]), np.array([0, 1])).tolist() == [INT64_MAX, -1]
    assert group_sums(WIDE, np.arange(3)).tolist() == WIDE.tolist()
    assert group_sums(WIDE[2:], np.array([0])).dtype == np.int64


def test_wide_sums_that_fit_become_narrow() -> None:
    sums = group_sums(WIDE, np.array([0]))
    assert sums.dtype == np.int64
    assert sums.tolist() == [5]


@pytest.mark.parametrize("column", [np.array([INT64_MAX] * 5), np.array([-(2**63)] * 3), np.array([1, -2, 3]), WIDE])
def test_a_total_is_the_sum_of_python_integers(column: Exact) -> None:
    assert total(column) == sum(column.tolist())


def test_decimals_are_the_integers_with_a_point() -> None:
    narrow = decimals(np.array([-1, 12345, 2**62]), 38, 9).to_pylist()
    assert narrow == [Decimal(-1).scaleb(-9), Decimal(12345).scaleb(-9), Decimal(2**62).scaleb(-9)]
    wide = decimals(np.array([-(10**40), 10**40], dtype=np.object_), 76, 21).to_pylist()
    assert wide == [Decimal(-(10**40)).scaleb(-21), Decimal(10**40).scaleb(-21)]


@pytest.mark.parametrize(
    ("value", "scale", "least", "text"),
    [
        (12345, 2, 2, "123.45"),
        (500, 2, 2, "5.00"),
        (-5, 2, 2, "-0.05"),
        (7, 0, 0, "7"),
        (1500, 3, 0, "1.5"),
        (0, 9, 0, "0"),
    ],
)
def test_text_keeps_the_decimals_that_are_asked_for(value: int, scale: int, least: int, text: str) -> None:
    assert scaled_text(value, scale, least) == text
