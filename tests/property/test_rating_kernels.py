"""The kernels give what a calculation by hand gives, line for line, whatever their width and scale."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rating import book as books
from rating import catalog_store
from rating.catalog import Tier
from rating.exact import narrowed
from rating.kernels import Tiers, price_lines

CASES = 100_000
EXAMPLES = 300
QUANTITY_MAX = 10**24
"""10^15 units, scaled."""
CENTRES = 14
NEAR = (0, 1, -1, 10**9, -(10**9), 5 * 10**8, 123_456_789)
"""What is priced around each centre: itself, the smallest step either way, a unit, half of one."""


class Ladder(NamedTuple):
    """A price: (upper bound or None, unit price) by tier."""

    tiers: list[tuple[Decimal | None, Decimal]]


def unit_prices() -> st.SearchStrategy[Decimal]:
    whole = st.integers(0, 10**15 - 1) | st.integers(0, 100)
    fine = st.integers(0, 10**12).map(lambda parts: Decimal(parts).scaleb(-12))
    usual = st.integers(0, 10**5).map(lambda parts: Decimal(parts).scaleb(-4))
    return st.one_of(usual, usual, fine, whole.map(Decimal), st.just(Decimal(0)))


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    scaled = st.integers(1, 10**15) | st.integers(1, 10**15 - 1).map(lambda unit: unit * 10**9)
    bounds = sorted(draw(st.sets(scaled, max_size=5)))
    prices = draw(st.lists(unit_prices(), min_size=len(bounds) + 1, max_size=len(bounds) + 1))
    return Ladder(list(zip([*(Decimal(bound).scaleb(-9) for bound in bounds), None], prices, strict=True)))


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Ladder], list[tuple[int, int, int]]]:
    """Prices, and lines of (scaled quantity, price, digits of the currency), dense around every edge."""
    prices = draw(st.lists(ladders(), min_size=1, max_size=4))
    bounds = [int(bound.scaleb(9)) for price in prices for bound, _ in price.tiers if bound is not None]
    small = st.integers(0, 10**6).map(lambda units: units * 10**9)
    anywhere = st.one_of(small, st.integers(0, 10**12), st.integers(0, QUANTITY_MAX), st.just(QUANTITY_MAX))
    centres = bounds[:CENTRES] + draw(st.lists(anywhere, min_size=CENTRES, max_size=CENTRES))
    digits = draw(st.sampled_from([[2], [2], [0], [3], [0, 2, 3]]))
    whole_only = draw(st.booleans())
    lines: list[tuple[int, int, int]] = []
    for centre in centres:
        spread = draw(st.integers(1, 10**10))
        near = [centre + step for step in NEAR] + [centre + spread * nth for nth in range(10)]
        for quantity in near:
            kept = quantity // 10**9 * 10**9 if whole_only else quantity
            for signed in (kept, -kept):
                lines.append((signed, len(lines) % len(prices), digits[len(lines) % len(digits)]))
    return prices, lines


def cost(quantity: Decimal, ladder: Ladder) -> Decimal:
    """Tier by tier, as one would on paper."""
    if quantity < 0:
        return quantity * ladder.tiers[0][1]
    amount, floor = Decimal(0), Decimal(0)
    for bound, unit_price in ladder.tiers:
        ceiling = quantity if bound is None else min(quantity, bound)
        amount += max(ceiling - floor, Decimal(0)) * unit_price
        floor = quantity if bound is None else bound
    return amount


def tiers_of(prices: Sequence[Ladder]) -> Tiers:
    """The prices as a book holds them."""
    texts = [catalog_store._tiers_text([Tier(*tier) for tier in price.tiers]) for price in prices]
    return books._tiers(texts)


cases_checked: list[int] = []


@settings(max_examples=EXAMPLES)
@given(batches())
def check_a_batch(batch: tuple[list[Ladder], list[tuple[int, int, int]]]) -> None:
    prices, lines = batch
    quantity = narrowed(np.array([line[0] for line in lines], dtype=np.object_))
    of_line, digits = np.array([line[1] for line in lines]), np.array([line[2] for line in lines])
    priced = price_lines(quantity, of_line, digits, tiers_of(prices))
    with localcontext(prec=120):
        for line, exact, amount in zip(lines, priced.unrounded.tolist(), priced.amount.tolist(), strict=True):
            expected = cost(Decimal(line[0]).scaleb(-9), prices[line[1]])
            assert Decimal(exact).scaleb(-priced.scale) == expected
            minor = expected.scaleb(line[2]).quantize(Decimal(1), rounding=ROUND_HALF_UP)
            assert amount == minor
    cases_checked.append(len(lines))


def test_one_hundred_thousand_lines_cost_what_a_calculation_by_hand_says() -> None:
    check_a_batch()
    assert sum(cases_checked) >= CASES
