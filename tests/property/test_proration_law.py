"""Parts of periods cost what the reference says, line for line, whatever else is priced with them."""

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rating.pricing.parts import Beyond, Price, Rounding, Tier, Tiers
from rating.pricing.shapes import price_list
from rating.pricing.usage import Ragged
from rating.proration.changes import Changes, billing_cycles, changed, credit_within_paid, prorated
from rating.proration.recurring import Events, recurring_amounts
from tests.property.exact_columns import (
    MODES,
    amounts,
    column,
    flat,
    fractions,
    offset_of,
    quantities,
    rounding,
    rules,
    shares,
    signed,
    unit_prices,
)
from tests.reference import evaluate

Case = dict[str, Any]


def figures(model: str, price: Case, *keys: str, **given_: Any) -> Case:
    """What the reference says of one line."""
    return evaluate({"model": model, "currency": "EUR", "price": price, "expected": dict.fromkeys(keys), **given_})


def ratio(share: Fraction) -> Case:
    return {"numerator": share.numerator, "denominator": share.denominator}


@given(st.lists(st.tuples(signed(amounts), shares, rules), min_size=1, max_size=5))
def test_a_share_of_an_amount_is_rounded_once(rows: list[tuple[Fraction, Fraction, Case]]) -> None:
    amount, share, rule = zip(*rows, strict=True)
    expected = [
        figures("proration", {"amount": amount, **ratio(share), "rounding": rule}, "amount")["amount"]
        for amount, share, rule in rows
    ]
    assert fractions(prorated(column(amount), column(share), rounding(rule))) == expected


changes = st.tuples(st.sampled_from("+-"), amounts, shares)


@given(st.lists(st.tuples(st.lists(changes, max_size=4), rules), min_size=1, max_size=4))
def test_changes_are_rounded_line_by_line_and_then_netted(
    subscriptions: list[tuple[list[tuple[str, Fraction, Fraction]], Case]],
) -> None:
    own = [lines for lines, _ in subscriptions]
    every = flat(own)
    of_lines = rounding([rule for lines, rule in subscriptions for _ in lines])
    sign, amount, share = zip(*every, strict=True) if every else ((), (), ())
    is_returned = np.array([each == "-" for each in sign], dtype=np.bool_)
    found = changed(Changes(offset_of(own), column(amount), column(share), is_returned), of_lines)
    expected = [
        figures(
            "proration",
            {
                "changes": [{"sign": sign, "amount": amount, **ratio(share)} for sign, amount, share in lines],
                "rounding": {**rule, "when": "line"},
            },
            "amount",
            "lines",
        )
        for lines, rule in subscriptions
    ]
    assert fractions(found.net) == [bill["amount"] for bill in expected]
    assert fractions(found.amount) == [line["amount"] for bill in expected for line in bill["lines"]]
    assert [every[change][2] for change in found.change] == [share for _, _, share in every if share]


@given(st.lists(st.tuples(amounts, amounts, amounts), min_size=1, max_size=5))
def test_a_credit_stays_within_what_was_paid(rows: list[tuple[Fraction, Fraction, Fraction]]) -> None:
    names = ("potential_credit", "original_paid", "previously_credited")
    expected = [figures("proration", {"cap": dict(zip(names, row, strict=True))}, "amount")["amount"] for row in rows]
    assert fractions(credit_within_paid(*(column(side) for side in zip(*rows, strict=True)))) == expected


@given(st.lists(st.tuples(st.integers(0, 40), st.lists(shares, max_size=2), rules), min_size=1, max_size=4))
def test_stubs_of_cycles_are_rounded_each(rows: list[tuple[int, list[Fraction], Case]]) -> None:
    whole, stubs, rule = (list(side) for side in zip(*rows, strict=True))
    found = billing_cycles(column(whole), column(flat(stubs)), offset_of(stubs), rounding(rule))
    expected = [
        figures(
            "proration",
            {"unit": "billing_cycles", "whole_cycles": whole, "fractions": list(map(ratio, stubs)), "rounding": rule},
            "cycles",
        )["cycles"]
        for whole, stubs, rule in rows
    ]
    assert fractions(found) == expected


@st.composite
def recurring(draw: st.DrawFn) -> tuple[list[list[Case]], list[list[Case]], list[Case]]:
    """Prices of as many tiers each, events that end dense around their bounds, and how each total is rounded."""
    lines, height, is_open = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.booleans())
    prices, events = [], []
    for _ in range(lines):
        bounds = sorted(draw(st.lists(quantities.filter(bool), min_size=height, max_size=height, unique=True)))
        tiers: list[Case] = [
            {"up_to": up_to, "unit_price": draw(unit_prices), "flat_fee": draw(amounts)} for up_to in bounds
        ]
        if is_open:
            tiers[-1]["up_to"] = None
        prices.append(tiers)
        steps = signed(quantities) | st.sampled_from([sign * bound for bound in bounds for sign in (1, -1)])
        moves = draw(st.lists(st.tuples(steps, shares), max_size=4))
        events.append([{"full": full, "share": share, "prorated": full * share} for full, share in moves])
    return prices, events, draw(st.lists(rules, min_size=lines, max_size=lines))


@given(recurring(), st.booleans())
def test_recurring_units_are_walked_through_their_tiers(
    batch: tuple[list[list[Case]], list[list[Case]], list[Case]], zero_bills_first_flat: bool
) -> None:
    prices, events, rules_ = batch
    listed = price_list(
        [
            Price(
                charge=Tiers(
                    tuple(Tier(**tier) for tier in tiers), beyond=Beyond.DROPPED, charges_zero=zero_bills_first_flat
                ),
                rounding=Rounding(rule["scale"], MODES[rule["mode"]]),
            )
            for tiers, rule in zip(prices, rules_, strict=True)
        ]
    )
    units = Ragged(offset_of(events), column(event["full"] for event in flat(events)))
    share = column(event["share"] for event in flat(events))
    found = recurring_amounts(listed, np.arange(len(prices)), Events(units, share))
    switch = {"zero_quantity_bills_first_flat": zero_bills_first_flat}
    expected = [
        figures("prorated_graduated", {"tiers": own, "rounding": how, **switch}, "amount", usage=usage)["amount"]
        for own, usage, how in zip(prices, events, rules_, strict=True)
    ]
    assert fractions(found.rounded) == expected
