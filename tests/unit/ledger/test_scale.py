"""Exact integers, their bytes and their text."""

from decimal import Context, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.scale import decimal_integers, quantity_text

EXACT = Context(prec=60)
EDGES = [0, 1, -1, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 2**64, 10**24, -(10**24), 2**127 - 1, -(2**127)]


@given(st.lists(st.one_of(st.sampled_from(EDGES), st.integers(-(2**127), 2**127 - 1), st.integers(-9, 9)), max_size=9))
def test_integers_are_read_from_their_bytes_as_narrow_as_they_fit(values: list[int]) -> None:
    column = decimal_integers(b"".join(value.to_bytes(16, "little", signed=True) for value in values))
    assert column.tolist() == values
    assert (column.dtype == np.int64) == all(-(2**63) <= value < 2**63 for value in values)


@pytest.mark.parametrize(
    ("scaled", "text"),
    [(0, "0"), (1, "0.000000001"), (-1, "-0.000000001"), (10**9, "1"), (12_500_000_000, "12.5"), (-(10**10), "-10"),
     (10**24, "1000000000000000"), (100 * 10**9, "100"), (-1_500_000_000, "-1.5")],
)  # fmt: skip
def test_a_quantity_is_written_without_exponent_or_idle_zeros(scaled: int, text: str) -> None:
    assert quantity_text(scaled) == text


@given(st.integers(-(10**24), 10**24))
def test_a_quantitys_text_is_its_value(scaled: int) -> None:
    assert Decimal(quantity_text(scaled)).scaleb(9, EXACT) == scaled
