"""Time, blocks and capacity cost what the reference says, line for line, whatever else is priced with them."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.capacity import CapacityTier, capacity_prices
from tests.conformance.__main__ import failure
from tests.property.exact_columns import (
    amounts,
    column,
    decimals,
    fractions,
    quantities,
    rules,
    signed,
    unit_prices,
)
from tests.reference import evaluate

Case = dict[str, Any]
UNITS = ("seats", "stones")

durations = decimals(10**6, 3)
steps = decimals(600, 3).filter(bool)


def figures(model: str, price: Case, *keys: str, **given_: Any) -> Case:
    """What the reference says of one line."""
    return evaluate({"model": model, "currency": "EUR", "price": price, "expected": dict.fromkeys(keys), **given_})


def check(model: str, price: Case, *keys: str, **given_: Any) -> None:
    """The engine's figures under these keys are the reference's."""
    case = {"model": model, "currency": "EUR", "price": price, **given_}
    assert failure({**case, "expected": figures(model, price, *keys, **given_)}) is None


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
    check("time_rated", price, "amount", "lines", quantity=duration)


@st.composite
def block_prices(draw: st.DrawFn) -> tuple[list[Case], Fraction, Fraction, Case]:
    """A price of tiers, a quantity dense around what they hold, what was billed, and the rule."""
    tiers: list[Case] = [
        {
            "block_size": draw(decimals(10**6, 3).filter(bool)),
            "max_blocks": Fraction(draw(st.integers(1, 10**6))),
            "price": draw(unit_prices),
        }
        for _ in range(draw(st.integers(1, 3)))
    ]
    parts = [tier["block_size"] * tier["max_blocks"] for tier in tiers]
    held = sum(parts, Fraction(0))
    if draw(st.booleans()):
        tiers[-1]["max_blocks"] = Fraction(-1)
    near = st.sampled_from([parts[0], held, held + 1, Fraction(0)])
    return tiers, draw(signed(quantities) | near), draw(amounts), draw(rules)


@given(block_prices(), st.sampled_from(["ALL_TIERS", "TOP_TIER"]))
def test_tiers_take_blocks_of_their_own(drawn: tuple[list[Case], Fraction, Fraction, Case], mode: str) -> None:
    tiers, quantity, billed, rule = drawn
    price = {"mode": mode, "tiers": tiers, "previously_billed": billed, "rounding": rule}
    check("tiered_blocks", price, "amount", "lines", quantity=quantity)


def test_blocks_of_several_units_are_rounded_together() -> None:
    tier = {"block_size": "1", "max_blocks": "-1", "price": "0.004"}
    price = {
        "mode": "ALL_TIERS",
        "units": {unit: [tier] for unit in UNITS},
        "rounding": {"scale": 2, "mode": "half_up"},
    }
    usage = [{"unit": unit, "quantity": "1"} for unit in UNITS]
    case = {"model": "tiered_blocks", "currency": "EUR", "price": price, "usage": usage}
    assert failure({**case, "expected": {"amount": "0.01"}}) is None


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
