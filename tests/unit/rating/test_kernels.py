"""What a column of quantities costs, at the places where tiers, signs and widths change."""

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from rating.exact import narrowed
from rating.kernels import PRICE_SCALE, Tiers, price_lines

ONE = 10**9
TO_TEN = [("10", "1.00"), ("20", "0.50"), (None, "0.10")]


def tiers_of(*prices: list[tuple[str | None, str]]) -> Tiers:
    first, offset, bound, change, dearest = [], [0], [], [], []
    for price in prices:
        scaled = [int(Decimal(unit).scaleb(PRICE_SCALE)) for _, unit in price]
        bound += [int(Decimal(up_to).scaleb(9)) for up_to, _ in price if up_to is not None]
        change += [after - before for before, after in pairwise(scaled)]
        first.append(scaled[0])
        offset.append(len(bound))
        dearest.append(max(scaled))
    columns = [narrowed(np.array(column, dtype=np.object_)) for column in (first, bound, change, dearest)]
    return Tiers(columns[0], np.array(offset), columns[1], columns[2], columns[3])


def amounts(quantities: list[int], price: list[tuple[str | None, str]], digits: int = 2) -> list[int]:
    """Minor units of scaled quantities."""
    column = narrowed(np.array(quantities, dtype=np.object_))
    lines = np.zeros(len(quantities), dtype=np.int64)
    return list(price_lines(column, lines, lines + digits, tiers_of(price)).amount.tolist())


@pytest.mark.parametrize(
    ("quantity", "minor"),
    [("0", 0), ("1", 100), ("10", 1000), ("10.5", 1025), ("11", 1050), ("20", 1500), ("20.1", 1501), ("30", 1600)],
)
def test_a_bound_is_inclusive_and_fractions_are_priced_like_any_unit(quantity: str, minor: int) -> None:
    assert amounts([int(Decimal(quantity) * ONE)], TO_TEN) == [minor]


def test_a_negative_total_costs_the_first_tiers_price() -> None:
    assert amounts([-15 * ONE], TO_TEN) == [-1500]


def test_half_a_minor_unit_is_rounded_away_from_zero_on_both_sides() -> None:
    assert amounts([ONE, -ONE], [(None, "0.005")]) == [1, -1]
    assert amounts([ONE, -ONE], [(None, "0.00499")]) == [0, 0]


@pytest.mark.parametrize(("digits", "minor"), [(0, 1), (2, 123), (3, 1235), (4, 12346)])
def test_currencies_round_to_their_own_minor_unit(digits: int, minor: int) -> None:
    assert amounts([ONE], [(None, "1.23456")], digits) == [minor]


def test_a_line_that_does_not_fit_int64_is_as_exact_as_one_that_does() -> None:
    huge = 10**15 * ONE
    assert amounts([huge, ONE, -huge], [(None, "0.000000000001")]) == [100_000, 0, -100_000]
    assert amounts([huge + 1, ONE], [("3", "2"), (None, "1.5")]) == [150_000_000_000_000_150, 200]


def test_the_unrounded_amount_keeps_every_digit() -> None:
    column = np.array([1], dtype=np.int64)
    priced = price_lines(column, np.array([0]), np.array([2]), tiers_of([(None, "0.000000000001")]))
    assert (priced.unrounded.tolist(), priced.scale, priced.amount.tolist()) == ([1], 21, [0])


def test_a_bound_beyond_every_quantity_changes_nothing() -> None:
    assert amounts([5 * ONE], [("999999999999999", "2"), (None, "0")]) == [1000]
    assert amounts([7 * 10**14 * ONE], [("999999999999999", "2"), (None, "0")]) == [140_000_000_000_000_000]


def test_a_price_too_large_for_int64_prices_even_one_unit() -> None:
    assert amounts([ONE, 0, -ONE, 1], [(None, "999999999999999")]) == [
        99_999_999_999_999_900,
        0,
        -99_999_999_999_999_900,
        100_000_000,
    ]


def test_no_lines_cost_nothing() -> None:
    assert amounts([], TO_TEN) == []


def test_each_line_has_its_own_price_and_currency() -> None:
    tiers = tiers_of(TO_TEN, [(None, "3")], [("1", "0"), (None, "7")])
    priced = price_lines(
        np.array([11 * ONE, 2 * ONE, 3 * ONE, ONE]), np.array([0, 1, 2, 2]), np.array([2, 0, 3, 2]), tiers
    )
    assert priced.amount.tolist() == [1050, 6, 14_000, 0]


@pytest.mark.parametrize("price", [1, 3, 5, 7, 9])
@pytest.mark.parametrize("power", range(58, 64))
def test_at_the_edge_of_int64_nothing_wraps(power: int, price: int) -> None:
    quantities = [2**power - 1, 1 - 2**power, 2**power - 7]
    unit = f"{Decimal(price).scaleb(-PRICE_SCALE):f}"
    priced = price_lines(np.array(quantities), np.zeros(3, np.int64), np.full(3, 3), tiers_of([(None, unit)]))
    assert (priced.unrounded.tolist(), priced.scale) == ([quantity * price for quantity in quantities], 21)
    for quantity, amount in zip(quantities, priced.amount.tolist(), strict=True):
        halves = 2 * abs(quantity) * price + 10**18
        assert abs(amount) == halves // (2 * 10**18)


def test_a_large_correction_is_not_past_a_large_bound() -> None:
    price: list[tuple[str | None, str]] = [("9223372036.854775807", "0.000000000001"), (None, "0")]
    column = np.array([3 - 2**62, 2**62 - 3])
    priced = price_lines(column, np.zeros(2, np.int64), np.full(2, 3), tiers_of(price))
    assert priced.unrounded.tolist() == column.tolist()
