"""Maps cases about parts of periods, and several meters onto the engine's columns of one line."""

from typing import Any

import numpy as np

from rating import capacity
from rating.groups import highest
from rating.invoicing.taxes import taxes_on
from rating.proration.changes import Changes, billing_cycles, changed, credit_within_paid, prorated
from rating.proration.recurring import Events, LevelTier, in_days, recurring_amounts
from rating.ratios import Ratios, over, plus
from tests.conformance.columns import column, currency_rule, fraction, fractions, one, one_group, optional, rule
from tests.conformance.figures import Calculation, Case, Figures


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
    price, events = case["price"], case["usage"]
    full = column([event["full"] for event in events])
    if all("prorated" in event for event in events):
        prorated_units = column([event["prorated"] for event in events])
    else:
        share = over(column([event["days"] for event in events]), column([event["period_days"] for event in events]))
        prorated_units = in_days(full, share)
    tiers = [
        LevelTier(None if tier["up_to"] is None else one(tier["up_to"]), *_prices(tier)) for tier in price["tiers"]
    ]
    zero = bool(price.get("zero_quantity_bills_first_flat"))
    total_rule = rule(price.get("rounding"), None, "total")
    lines = Events(one_group(len(events)), full, prorated_units)
    return {"amount": fraction(recurring_amounts(lines, tiers, zero_bills_first_flat=zero, rule=total_rule))}


def _prices(tier: Case) -> tuple[Ratios, Ratios]:
    return optional(tier, "unit_price"), optional(tier, "flat_fee")


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
