"""Exact integers, their bytes and their text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.scale import add_digests, decimal_bytes, decimal_integers, integers, quantity_decimal, quantity_text

EDGES = [0, 1, -1, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 2**64, 10**24, -(10**24), 2**127 - 1, -(2**127)]


@given(st.lists(st.one_of(st.sampled_from(EDGES), st.integers(-(2**127), 2**127 - 1), st.integers(-9, 9)), max_size=9))
def test_integers_survive_their_bytes(values: list[int]) -> None:
    column = integers(values)
    assert column.tolist() == values
    assert decimal_integers(decimal_bytes(column)).tolist() == values
    fits = all(-(2**63) <= value < 2**63 for value in values)
    assert (column.dtype == np.int64) == fits
    assert (decimal_integers(decimal_bytes(column)).dtype == np.int64) == fits


@pytest.mark.parametrize(
    ("scaled", "text"),
    [(0, "0"), (1, "0.000000001"), (-1, "-0.000000001"), (10**9, "1"), (12_500_000_000, "12.5"), (-(10**10), "-10"),
     (10**24, "1000000000000000"), (100 * 10**9, "100"), (-1_500_000_000, "-1.5")],
)  # fmt: skip
def test_a_quantity_is_written_without_exponent_or_idle_zeros(scaled: int, text: str) -> None:
    assert quantity_text(scaled) == text


@given(st.integers(-(10**24), 10**24))
def test_a_quantitys_text_is_its_value(scaled: int) -> None:
    assert quantity_decimal(scaled) * 10**9 == scaled
    assert f"{quantity_decimal(scaled):f}".rstrip("0").rstrip(".") in (quantity_text(scaled), "", "-")


def test_digests_add_up_modulo_their_width() -> None:
    assert add_digests(np.array([2**128 - 1, 2, 5], dtype=np.object_)) == 6
    assert add_digests(np.array([], dtype=np.object_)) == 0
