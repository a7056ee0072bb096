"""One line's price from beginning to end: convert, take off free units, price, round, discount, cap, lift to minimum.

Only a period's last line is lifted to the minimum, by what the period's lines are short of it together.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Any

from tests.reference import tiers, untiered
from tests.reference.exactness import ZERO, Parameters, line_rule, number, optional, rounded, total_rule, whole
from tests.reference.lines import Line, Usage, split_of, total_of
from tests.reference.several_meters import blocks
from tests.reference.time_rated import calls

BY_EVENT = {"percentage", "time_rated"}
MODELS: dict[str, Callable[[Parameters, Usage], list[Line]]] = {
    "flat": untiered.flat,
    "per_unit": untiered.per_unit,
    "package": untiered.package,
    "dynamic": untiered.dynamic,
    "percentage": untiered.percentage,
    "time_rated": calls,
    "graduated": tiers.graduated,
    "graduated_percentage": tiers.graduated_percentage,
    "volume": tiers.volume,
    "stairstep": tiers.stairstep,
    "tiered_blocks": blocks,
}


def whole_price(model: str, price: Parameters) -> dict[str, Any]:
    """`price` with its base's parameters beside its own, and the model that prices quantities under `model`."""
    base = price.get("base", {"model": model})
    return {**base, **{name: value for name, value in price.items() if name != "base"}}


def read_usage(case: Parameters, price: Parameters) -> Usage:
    """The case's usage: a total, or events, of which those outside a given period are left out."""
    before, position = split_of(price)
    if "quantity" in case:
        quantity = number(case["quantity"])
        return Usage(quantity, before, position, (quantity,))
    entries = list(case["usage"])
    if price.get("dedupe") == "last value per event id":
        entries = list({entry["id"]: entry for entry in entries}.values())
    events = tuple(_entry_quantity(entry) for entry in entries if _in_period(entry, price))
    return Usage(sum(events, ZERO), before, position, events)


def rated_lines(price: Parameters, usage: Usage) -> list[Line]:
    """The detailed lines of `usage`; usage below zero gives money back only where the price mirrors it."""
    if usage.quantity < 0 and price["model"] not in BY_EVENT:
        if price.get("negative") == "mirror":
            mirrored = replace(usage, quantity=-usage.quantity, events=tuple(-event for event in usage.events))
            return [line.negated() for line in rated_lines(price, mirrored)]
        usage = replace(usage, quantity=ZERO, events=())
    billable = after_free_units(price, converted(price, usage))
    lines = [_rounded_line(price, line) for line in MODELS[price["model"]](price, billable)]
    lines = _within_maximum(price, [_discounted(price, line) for line in lines])
    if billable.closes_period:
        lines += minimum_line(price, optional(price, "previously_billed") + total_of(lines))
    return lines


def amount_of(price: Parameters, lines: list[Line]) -> Fraction:
    """What `lines` cost together."""
    return rounded(total_of(lines), total_rule(price))


def converted(price: Parameters, usage: Usage) -> Usage:
    """`usage` in the units that are priced; rounding sees the period's running total, so that splits add up."""
    before = converted_quantity(price, usage.before)
    return replace(usage, before=before, quantity=converted_quantity(price, usage.after) - before)


def converted_quantity(price: Parameters, quantity: Fraction) -> Fraction:
    """One total in the units that are priced."""
    rule = price.get("unit_conversion")
    if rule is None:
        step = optional(price, "round_up_to")
        return _multiple(quantity, step) if step else quantity
    factor = number(rule["factor"])
    if rule["operation"] == "round_up_to_multiple":
        return _multiple(quantity, factor)
    assert rule["operation"] in {"multiply", "divide"}, rule
    value = quantity * factor if rule["operation"] == "multiply" else quantity / factor
    return whole(value, rule.get("rounding", "none"))


def after_free_units(price: Parameters, usage: Usage) -> Usage:
    """`usage` without its free units, which are the first of the period: earlier lines use them first."""
    free = price.get("usage_discount")
    if free is None:
        return usage
    if free == "unlimited":
        return replace(usage, quantity=ZERO, before=ZERO)
    before = max(usage.before - number(free), ZERO)
    return replace(usage, before=before, quantity=max(usage.after - number(free), ZERO) - before)


def minimum_line(price: Parameters, billed: Fraction) -> list[Line]:
    """A line for what `billed` is short of the minimum."""
    if price.get("minimum") is None:
        return []
    shortfall = rounded(number(price["minimum"]) - billed, line_rule(price))
    if shortfall <= 0:
        return []
    return [Line("minimum", "feature: minimum spend", Fraction(1), shortfall, shortfall)]


def _entry_quantity(entry: Any) -> Fraction:
    return number(entry["quantity"] if isinstance(entry, dict) else entry)


def _in_period(entry: Any, price: Parameters) -> bool:
    """Instants are ISO 8601 in UTC and compare as text."""
    if "period_start" not in price or not isinstance(entry, dict):
        return True
    within: bool = price["period_start"] <= entry["at"] < price["period_end"]
    return within


def _multiple(quantity: Fraction, step: Fraction) -> Fraction:
    return ceil(quantity / step) * step


def _rounded_line(price: Parameters, line: Line) -> Line:
    return replace(line, amount=rounded(line.amount, line_rule(price)))


def _discounted(price: Parameters, line: Line) -> Line:
    percent = optional(price, "discount_percent")
    return replace(line, discount=rounded(line.amount * percent / 100, line_rule(price)))


def _within_maximum(price: Parameters, lines: list[Line]) -> list[Line]:
    """The lines in order, each with what lies above the maximum as a discount, but never more than the line itself."""
    if price.get("maximum") is None:
        return lines
    billed, kept = optional(price, "previously_billed"), []
    for line in lines:
        above = max(rounded(billed + line.total - number(price["maximum"]), line_rule(price)), ZERO)
        kept.append(replace(line, discount=line.discount + min(above, line.total)))
        billed += line.total
    return kept
