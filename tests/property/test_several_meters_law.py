"""Time, blocks and capacity cost what the reference says, line for line, whatever else is priced with them."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.blocks import Blocks, BlockTier, block_amounts, tier_blocks
from rating.capacity import CapacityTier, capacity_prices
from tests.conformance.__main__ import failure
from tests.property.exact_columns import (
    amounts,
    column,
    decimals,
    fractions,
    quantities,
    rounding,
    rules,
    signed,
    unit_prices,
)
from tests.reference import evaluate

Case = dict[str, Any]
MODES = {"ALL_TIERS": Blocks.OF_ALL_TIERS, "TOP_TIER": Blocks.OF_TOP_TIER}
UNITS = ("seats", "stones")

durations = decimals(10**6, 3)
steps = decimals(600, 3).filter(bool)


def figures(model: str, price: Case, *keys: str, **given_: Any) -> Case:
    """What the reference says of one line."""
    return evaluate({"model": model, "currency": "EUR", "price": price, "expected": dict.fromkeys(keys), **given_})


@st.composite
def calls(draw: st.DrawFn) -> tuple[Case, Fraction]:
    """A price of slots, and a call that ends dense around their bounds."""
    starts = sorted(draw(st.lists(durations.filter(bool), max_size=2, unique=True)))
    slots = [
        {"start": start, "increment": draw(steps), "rate": draw(unit_prices), "rate_unit": draw(steps)}
        for start in [Fraction(0), *starts]
    ]
    price: Case = {
        "slots": slots,
        "connect_fee": draw(amounts),
        "increment_rounding": draw(rules),
        "total_rounding": draw(rules),
    }
    if draw(st.booleans()):
        price |= {"max_cost": draw(amounts), "max_cost_strategy": "free"}
    return price, draw(durations | st.sampled_from([Fraction(0), *starts]))


@given(calls())
def test_a_call_costs_its_increments_slot_by_slot(call: tuple[Case, Fraction]) -> None:
    price, duration = call
    case = {"model": "time_rated", "currency": "EUR", "price": price, "quantity": duration}
    expected = figures("time_rated", price, "amount", "lines", quantity=duration)
    assert failure({**case, "expected": expected}) is None


@st.composite
def block_prices(draw: st.DrawFn) -> list[tuple[list[Case], Fraction, Fraction, Case]]:
    """Prices of as many tiers each, quantities dense around what they hold, what was billed, and the rule."""
    height, is_open, found = draw(st.integers(1, 3)), draw(st.booleans()), []
    for _ in range(draw(st.integers(1, 4))):
        sizes = draw(st.lists(decimals(10**6, 3).filter(bool), min_size=height, max_size=height))
        most = draw(st.lists(st.integers(1, 10**6), min_size=height, max_size=height))
        tiers = [
            {"block_size": size, "max_blocks": Fraction(count), "price": draw(unit_prices)}
            for size, count in zip(sizes, most, strict=True)
        ]
        held = sum((tier["block_size"] * tier["max_blocks"] for tier in tiers), Fraction(0))
        if is_open:
            tiers[-1]["max_blocks"] = Fraction(-1)
        near = st.sampled_from([tiers[0]["block_size"] * most[0], held, held + 1, Fraction(0)])
        found.append((tiers, draw(signed(quantities) | near), draw(amounts), draw(rules)))
    return found


@given(block_prices(), st.sampled_from(sorted(MODES)))
def test_tiers_take_blocks_of_their_own(batch: list[tuple[list[Case], Fraction, Fraction, Case]], mode: str) -> None:
    tiers = [
        BlockTier(
            column([own["block_size"] for own in tier]),
            None if tier[0]["max_blocks"] < 0 else column([own["max_blocks"] for own in tier]),
            column([own["price"] for own in tier]),
        )
        for tier in zip(*(own for own, _, _, _ in batch), strict=True)
    ]
    found = tier_blocks(column([quantity for _, quantity, _, _ in batch]), tiers, MODES[mode])
    billed, rule = column([billed for _, _, billed, _ in batch]), rounding([rule for _, _, _, rule in batch])
    expected = [
        figures(
            "tiered_blocks",
            {"mode": mode, "tiers": own, "previously_billed": billed, "rounding": rule},
            "amount",
            "lines",
            quantity=quantity,
        )
        for own, quantity, billed, rule in batch
    ]
    assert fractions(block_amounts([found], billed, rule)) == [bill["amount"] for bill in expected]
    of_tiers = [fractions(tier.amount) for tier in found]
    lines = [
        [of_tiers[ordinal][line] for ordinal, tier in enumerate(found) if tier.is_billed[line]]
        for line in range(len(batch))
    ]
    assert lines == [[line["amount"] for line in bill["lines"]] for bill in expected]


def test_blocks_of_several_units_are_rounded_together() -> None:
    tier = BlockTier(column([1]), None, column([Fraction("0.004")]))
    units = [tier_blocks(column([1]), [tier], Blocks.OF_ALL_TIERS) for _ in range(2)]
    assert fractions(block_amounts(units, column([0]), rounding([{"scale": 2, "mode": "half_up"}]))) == [
        Fraction("0.01")
    ]


@given(st.data())
def test_the_first_tier_that_holds_every_unit_sets_the_price(data: st.DataObject) -> None:
    named = data.draw(st.lists(st.sets(st.sampled_from(UNITS)), min_size=1, max_size=3))
    lines = data.draw(st.integers(1, 4))
    prices: list[list[Case]] = [
        [{"limits": {unit: data.draw(quantities) for unit in units}, "price": data.draw(amounts)} for units in named]
        for _ in range(lines)
    ]
    edges = [limit for own in prices for tier in own for limit in tier["limits"].values()] or [Fraction(0)]
    peaks = [{unit: data.draw(quantities | st.sampled_from(edges)) for unit in UNITS} for _ in range(lines)]
    billed = data.draw(st.lists(amounts, min_size=lines, max_size=lines))
    tiers = [
        CapacityTier(
            {unit: column([own["limits"][unit] for own in tier]) for unit in units},
            column([own["price"] for own in tier]),
        )
        for units, tier in zip(named, zip(*prices, strict=True), strict=True)
    ]
    by_unit = {unit: column([peak[unit] for peak in peaks]) for unit in UNITS}
    found = capacity_prices(by_unit, lines, tiers, column(billed))
    for line, own in enumerate(prices):
        usage = [{"unit": unit, "quantity": quantity} for unit, quantity in peaks[line].items()]
        price = {"tiers": own, "previously_billed": billed[line]}
        if found.is_held[line]:
            expected = figures("capacity", price, "amount", usage=usage)["amount"]
            assert fractions(found.amount)[line] == expected
        else:
            with pytest.raises(ValueError, match="no tier holds"):
                figures("capacity", price, "amount", usage=usage)
