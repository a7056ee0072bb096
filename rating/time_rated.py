"""Price calls and sessions along their own clock: slots with a rate each, paid in whole increments.

The last increment of a slot is paid whole, also where it runs into the next one: that slot begins when it is over.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rating.ratios import (
    UP,
    Bools,
    Ratios,
    constant,
    greater,
    integers,
    is_above,
    lesser,
    minus,
    over,
    plus,
    times,
    where,
    whole,
)
from rating.rounding import Rounding, rounded


class Slot(NamedTuple):
    """One slot of every line's price; times are in one unit, usually seconds."""

    start: Ratios
    increment: Ratios
    rate: Ratios
    rate_unit: Ratios
    """For how much time the rate is."""


class TimePrice(NamedTuple):
    """Prices of as many slots each."""

    slots: Sequence[Slot]
    """In order; the first starts at zero."""
    connect_fee: Ratios
    """Zero where a call is continued that has paid it."""
    cost_max: Ratios | None = None
    """What a call costs at most, its connect fee included."""
    increment_rule: Rounding | None = None
    total_rule: Rounding | None = None


class SlotCost(NamedTuple):
    """What one slot of every line costs."""

    is_used: Bools
    amount: Ratios


class TimeCosts(NamedTuple):
    """What lines cost."""

    slots: list[SlotCost]
    amount: Ratios


def time_costs(duration: Ratios, price: TimePrice) -> TimeCosts:
    """What each duration costs, slot by slot and together with the connect fee."""
    found: list[SlotCost] = []
    amount, paid_until = price.connect_fee, constant(0)
    for ordinal, slot in enumerate(price.slots):
        is_last = ordinal + 1 == len(price.slots)
        end = duration if is_last else lesser(duration, price.slots[ordinal + 1].start)
        begin = greater(slot.start, paid_until)
        is_used = is_above(end, begin)
        increments = whole(integers(over(minus(end, begin), slot.increment), UP))
        each = rounded(over(times(slot.rate, slot.increment), slot.rate_unit), price.increment_rule)
        cost = where(is_used, times(increments, each), constant(0))
        found.append(SlotCost(is_used, cost))
        amount = plus(amount, cost)
        paid_until = where(is_used, plus(begin, times(increments, slot.increment)), paid_until)
    if price.cost_max is not None:
        amount = lesser(amount, price.cost_max)
    return TimeCosts(found, rounded(amount, price.total_rule))
