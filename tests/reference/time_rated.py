"""A call or session priced along its own clock: slots with a rate, paid in whole increments."""

from fractions import Fraction
from math import ceil
from typing import Any

from tests.reference.exactness import ZERO, Parameters, number, optional, rounded
from tests.reference.lines import Line, Usage


def calls(price: Parameters, usage: Usage) -> list[Line]:
    """Each event is a call; together they are one line, whose total is rounded and theirs are not."""
    unrounded = {**price, "total_rounding": None}
    amount = sum((time_rated(unrounded, duration)["amount"] for duration in usage.events), ZERO)
    return [Line("usage", "feature: usage in period", usage.quantity, ZERO, amount)] if usage.events else []


def time_rated(price: Parameters, duration: Fraction) -> dict[str, Any]:
    """Connect fee once, then each slot's increments; increment and total are rounded by their own rules.

    A call without duration was not answered, and costs nothing (CGRateS: "failed call").
    """
    if duration <= 0:
        return {"amount": ZERO, "lines": []}
    costs = slot_costs(price, duration)
    fee = optional(price, "connect_fee") if price.get("connect_fee_charged", True) else ZERO
    amount = fee + sum(costs, ZERO)
    if price.get("max_cost_strategy") == "free":
        amount = min(amount, number(price["max_cost"]))
    return {"amount": rounded(amount, price.get("total_rounding")), "lines": [{"amount": cost} for cost in costs]}


def slot_costs(price: Parameters, duration: Fraction) -> list[Fraction]:
    """What each slot costs; the time that a slot's last increment paid for is not paid again in the next one."""
    slots = price["slots"]
    ends = [min(number(slot["start"]), duration) for slot in slots[1:]] + [duration]
    costs, paid_until = [], ZERO
    for slot, end in zip(slots, ends, strict=True):
        begin = max(number(slot["start"]), paid_until)
        if begin >= end:
            continue
        increment = number(slot["increment"])
        increments = ceil((end - begin) / increment)
        cost = number(slot["rate"]) * increment / number(slot["rate_unit"])
        costs.append(increments * rounded(cost, price.get("increment_rounding")))
        paid_until = begin + increments * increment
    return costs
