"""The steps to what single events cost: the first of them one by one, and of all others what they add up to.

There may be millions of others. They are looked at as whole numbers of the smallest part that any of them has, and
what they cost together is counted at the bounds and a rate of a sum between them: the same as one by one.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from math import lcm
from typing import NamedTuple

from rating.derivation.numbers import exactly
from rating.derivation.steps import Steps, Value, given
from rating.pricing.parts import Percentage

EVENTS_LISTED = 20


class Event(NamedTuple):
    """What of one event is paid for, in parts of a unit."""

    paid: int
    uses_allowance: bool
    """There was something left of the free amount."""
    owes: bool


def by_event(steps: Steps, charge: Percentage, amounts: Sequence[Fraction]) -> list[Value]:
    """What the events cost."""
    free = Fraction(0) if charge.free_amount is None else charge.free_amount
    parts = lcm(free.denominator, *{amount.denominator for amount in amounts})
    in_parts = [amount.numerator * (parts // amount.denominator) for amount in amounts]
    singles, _ = listed(steps, amounts)
    events = _events(charge, in_parts, parts)
    found = [
        _one(steps, charge, amounts[: place + 1], event, parts)
        for place, event in enumerate(islice(events, len(singles)))
    ]
    owing = [event.paid for event in events if event.owes]
    return [*found, *_others(steps, charge, owing, parts)]


def listed(steps: Steps, amounts: Sequence[Fraction]) -> tuple[Sequence[Fraction], Sequence[Fraction]]:
    """The events that are told one by one and those that are not, once all of them are measured."""
    singles, others = amounts[:EVENTS_LISTED], amounts[EVENTS_LISTED:]
    measured = [*singles, sum(others, Fraction(0))] if others else singles
    total = steps.take("sum", f"measured in {len(amounts):,} events", [given(one) for one in measured], steps.measured)
    steps.say(f"{len(amounts):,} events of {exactly(total.number)} {steps.measured.name}")
    steps.unlisted = len(others)
    return singles, others


def _events(charge: Percentage, amounts: Sequence[int], parts: int) -> Iterator[Event]:
    """An event is free as a whole or in part while there are free events left, and of the free amount."""
    free_events = len(amounts) if charge.free_events is None else charge.free_events
    free_amount = None if charge.free_amount is None else int(charge.free_amount * parts)
    has_allowance = charge.free_events is not None or free_amount is not None
    before = 0
    for number, amount in enumerate(amounts, start=1):
        paid, uses_allowance = max(amount, 0), False
        if has_allowance and number <= free_events:
            left = paid if free_amount is None else max(free_amount - before, 0)
            paid, uses_allowance = max(amount - left, 0), free_amount is not None and left > 0
        before += amount
        yield Event(paid, uses_allowance, amount >= 0 if charge.charges_zero else paid > 0)


def _one(steps: Steps, charge: Percentage, amounts: Sequence[Fraction], event: Event, parts: int) -> Value:
    """The last of some events."""
    *earlier, amount = amounts
    name, paid = f"event {len(amounts)}", given(Fraction(event.paid, parts))
    if event.uses_allowance and charge.free_amount is not None:
        operands = [given(one) for one in (amount, charge.free_amount, *earlier)]
        paid = steps.take("beyond_allowance", f"{name}, less what is free", operands, steps.measured)
        if not event.owes:
            return paid
    if not event.owes:
        return steps.owed("times", f"{name} owes nothing", given(amount), given(0))
    bounds = [given(charge.least), *([] if charge.most is None else [given(charge.most)])]
    return steps.owed("event_fee", name, paid, given(charge.percent), given(charge.fee), *bounds)


def _others(steps: Steps, charge: Percentage, owing: Sequence[int], parts: int) -> Iterator[Value]:
    """Events at the least and at the most are counted; a rate and a fee cost as much of a sum as of its summands."""
    at_least, at_most, between = _sorted_by_bound(charge, owing, parts)
    for bound, count, word in ((charge.least, at_least, "least"), (charge.most, at_most, "most")):
        if count and bound is not None:
            yield steps.owed("times", f"{more(count)} at the {word}", given(count), given(bound))
    if between:
        paid, percent = given(Fraction(sum(between), parts)), given(charge.percent)
        name = more(len(between))
        yield steps.owed("percent", f"{name} at {exactly(charge.percent)} % of what is paid of them", paid, percent)
        if charge.fee:
            yield steps.owed("times", f"{name} at {exactly(charge.fee)} each", given(len(between)), given(charge.fee))


def _sorted_by_bound(charge: Percentage, owing: Sequence[int], parts: int) -> tuple[int, int, list[int]]:
    """How many cost the least and the most, and what is paid of the others."""
    rate = charge.percent / (100 * parts)
    numbers = (rate, charge.fee, charge.least, *([] if charge.most is None else [charge.most]))
    one = lcm(*(number.denominator for number in numbers))
    by, fee, least, *most = (int(number * one) for number in numbers)
    if most and most[0] <= least:
        return 0, len(owing), []
    under_most = [paid for paid in owing if paid * by + fee < most[0]] if most else owing
    between = [paid for paid in under_most if paid * by + fee >= least]
    return len(under_most) - len(between), len(owing) - len(under_most), between


def more(count: int) -> str:
    """So many events that are not told one by one."""
    return f"{count:,} more event{'' if count == 1 else 's'}"
