"""Dividing by a product is dividing, up to the last dividend and next to every whole quotient."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rating.pricing.compiled_pieces import divided, reciprocal

DIVIDEND_MAX = 2**63 - 1
divisors = (
    st.integers(1, 2**62) | st.integers(0, 62).map(lambda bits: 2**bits) | st.integers(0, 18).map(lambda n: 10**n)
)


@given(divisors, st.integers(0, DIVIDEND_MAX), st.integers(-1, 1))
def test_a_product_divides_as_a_division_does(divisor: int, near: int, step: int) -> None:
    by_divisor = reciprocal(divisor)
    for dividend in (near, near // divisor * divisor + step, DIVIDEND_MAX, DIVIDEND_MAX // divisor * divisor - 1):
        if 0 <= dividend <= DIVIDEND_MAX:
            assert divided(np.uint64(dividend), by_divisor) == dividend // divisor
