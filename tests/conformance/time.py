"""Maps cases about parts of periods, and several meters onto the engine's columns of one line."""

from typing import Any

import numpy as np

from rating import capacity
from rating.groups import highest
from rating.invoicing.taxes import taxes_on
from rating.pricing.shapes import price_list
from rating.pricing.usage import Ragged
from rating.proration.changes import Changes, billing_cycles, changed, credit_within_paid, prorated
from rating.proration.recurring import Events, recurring_amounts
from rating.ratios import Ratios, constant, over, plus, where
from tests.conformance.columns import (
    column,
    currency_rule,
    fraction,
    fractions,
    integers,
    one,
    one_group,
    optional,
    rule,
)
from tests.conformance.figures import Calculation, Case, Figures
from tests.conformance.price_parts import parameters, price_of


def _proration(case: Case) -> Figures:
    price = case["price"]
    if "cap" in price:
        paid = ("potential_credit", "original_paid", "previously_credited")
        return {"amount": fraction(credit_within_paid(*(one(price["cap"][name]) for name in paid)))}
    if price.get("unit") == "billing_cycles":
        stubs = price["fractions"]
        parts = column([stub["numerator"] for stub in stubs]), column([stub["denominator"] for stub in stubs])
        whole, offset = one(price["whole_cycles"]), one_group(len(stubs))
        return {"cycles": fraction(billing_cycles(whole, over(*parts), offset, rule(price.get("rounding"))))}
    if "changes" in price:
        return _changed(price)
    amount = prorated(one(price["amount"]), _share([price]), rule(price.get("rounding")))
    tax_rule = rule(price.get("rounding")) or currency_rule(case)
    tax = taxes_on(amount, one_group(1), optional(price, "tax_percent"), tax_rule)
    return {"amount": fraction(amount), "tax": fraction(tax), "total": fraction(plus(amount, tax))}


def _changed(price: Case) -> Figures:
    changes = price["changes"]
    shares = _share([change if "numerator" in change else price for change in changes])
    is_returned = np.array([change["sign"] == "-" for change in changes])
    amounts = column([change["amount"] for change in changes])
    found = changed(Changes(one_group(len(changes)), amounts, shares, is_returned), rule(price.get("rounding"), "line"))
    return {"amount": fraction(found.net), "lines": [{"amount": amount} for amount in fractions(found.amount)]}


def _share(parts: list[Any]) -> Ratios:
    return over(column([part["numerator"] for part in parts]), column([part["denominator"] for part in parts]))


def _prorated_graduated(case: Case) -> Figures:
    events = case["usage"]
    full = column([event["full"] for event in events])
    if all("prorated" in event for event in events):
        is_still = full.numerator == 0
        share = over(column([event["prorated"] for event in events]), where(is_still, constant(1), full))
    else:
        share = over(column([event["days"] for event in events]), column([event["period_days"] for event in events]))
    units = Ragged(one_group(len(events)), full)
    prices = price_list([price_of(parameters(case))])
    return {"amount": fraction(recurring_amounts(prices, integers(0), Events(units, share)).rounded)}


def _capacity(case: Case) -> Figures:
    price = case["price"]
    entries: dict[str, list[str]] = {}
    for entry in case["usage"]:
        entries.setdefault(entry["unit"], []).append(entry["quantity"])
    peaks = {unit: highest(column(values), one_group(len(values))) for unit, values in entries.items()}
    tiers = [
        capacity.CapacityTier(
            {unit: one(limit) for unit, limit in (tier["limits"] or {}).items()},
            one(tier["price"]),
        )
        for tier in price["tiers"]
    ]
    found = capacity.capacity_prices(peaks, 1, tiers, optional(price, "previously_billed"))
    return {"amount": fraction(found.amount)} if found.is_held[0] else {}


MODELS: dict[str, Calculation] = {
    "proration": _proration,
    "prorated_graduated": _prorated_graduated,
    "capacity": _capacity,
}
