"""Parts of a period's price: as a ratio, as changes in its middle, in billing cycles, and per recurring unit."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tests.reference.exactness import ZERO, Parameters, line_rule, number, optional, rounded
from tests.reference.lines import Usage, total_of
from tests.reference.tiers import flat_fee, graduated, portions


def prorated(price: Parameters, fallback: Parameters) -> dict[str, Any]:
    """Whichever of the four forms the price has."""
    if "cap" in price:
        return {"amount": capped_credit(price["cap"])}
    if price.get("unit") == "billing_cycles":
        return {"cycles": billing_cycles(price)}
    if "changes" in price:
        return changed(price)
    amount = rounded(number(price["amount"]) * ratio(price), price.get("rounding"))
    tax = rounded(amount * optional(price, "tax_percent") / 100, price.get("rounding", fallback))
    return {"amount": amount, "tax": tax, "total": amount + tax}


def ratio(share: Parameters) -> Fraction:
    """The part of the period, exact."""
    return number(share["numerator"]) / number(share["denominator"])


def changed(price: Parameters) -> dict[str, Any]:
    """A line for what each change returns or charges, over its own ratio or the price's; nothing left, no lines."""
    lines = []
    for change in price["changes"]:
        part = ratio(change if "numerator" in change else price)
        amount = rounded(number(change["amount"]) * part, line_rule(price))
        if part:
            lines.append(-amount if change["sign"] == "-" else amount)
    return {"amount": sum(lines, ZERO), "lines": [{"amount": amount} for amount in lines]}


def capped_credit(cap: Parameters) -> Fraction:
    """A credit, never more than what was paid and not credited yet."""
    left = number(cap["original_paid"]) - number(cap["previously_credited"])
    return max(min(number(cap["potential_credit"]), left), ZERO)


def billing_cycles(price: Parameters) -> Fraction:
    """Whole cycles and each stub's part of the cycle it belongs to, every part rounded before they are added."""
    parts = [rounded(ratio(fraction), price.get("rounding")) for fraction in price["fractions"]]
    return number(price["whole_cycles"]) + sum(parts, ZERO)


def prorated_graduated(price: Parameters, events: Sequence[Parameters]) -> Fraction:
    """Recurring units: full ones choose the tiers, prorated ones are priced, flat fees go by the highest level.

    An event runs from the level before it to the level after it; each unit on the way is worth the same part of the
    event's prorated quantity. An event below zero gives back the units on top.
    """
    level = highest = amount = ZERO
    for event in events:
        full = number(event["full"])
        low, high = sorted((level, level + full))
        part = _prorated_quantity(event, full) / abs(full) if full else ZERO
        amount += part * units_amount(price, low, high)
        level += full
        highest = max(highest, level)
    fees = [flat_fee(held.tier) for held in portions(price, Usage(highest)) if held.entered]
    return max(amount + sum(fees, ZERO), ZERO)


def units_amount(price: Parameters, low: Fraction, high: Fraction) -> Fraction:
    """What the units between two levels cost without flat fees."""
    lines = graduated(price, Usage(high - low, before=low, position="mid"))
    return total_of(line for line in lines if line.key.startswith("units"))


def _prorated_quantity(event: Parameters, full: Fraction) -> Fraction:
    if "prorated" in event:
        return number(event["prorated"])
    return full * number(event["days"]) / number(event["period_days"])
