"""Exact integers, their bytes and their text."""

from decimal import Context, Decimal
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.scale import add_digests, decimal_integers, digest_sums, digests, quantity_text

EXACT = Context(prec=60)
DIGESTS = st.sampled_from([0, 1, 2**32 - 1, 2**64 - 1, 2**96 - 1, 2**127, 2**128 - 1]) | st.integers(0, 2**128 - 1)
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


@given(st.lists(st.lists(DIGESTS, min_size=1, max_size=9), max_size=9))
def test_digests_add_up_modulo_their_width_group_by_group(groups: list[list[int]]) -> None:
    summands = digests(b"".join(digest.to_bytes(16, "little") for group in groups for digest in group))
    starts = np.array([0, *accumulate(map(len, groups))][: len(groups)], dtype=np.int64)
    sums = digest_sums(summands, starts)
    assert sums.tobytes() == b"".join((sum(group) % 2**128).to_bytes(16, "little") for group in groups)
    assert add_digests(summands) == add_digests(sums) == sum(map(sum, groups)) % 2**128


def test_a_carry_passes_through_every_part_of_a_digest() -> None:
    summands = digests((2**128 - 1).to_bytes(16, "little") * 5 + (7).to_bytes(16, "little"))
    assert add_digests(summands) == 2
