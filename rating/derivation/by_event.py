"""The steps to what single events cost: the first of them one by one, and of all others what they add up to."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from rating.derivation.numbers import exactly
from rating.derivation.steps import Steps, Unit, Value, given
from rating.pricing.parts import Percentage

EVENTS_LISTED = 20
EVENTS = Unit("events")
NOTHING = Fraction(0)


class Event(NamedTuple):
    """One event, and what of it is paid for."""

    amount: Fraction
    paid: Fraction
    uses_allowance: bool
    """The free amount took something of it, or could have."""
    owes: bool


def by_event(steps: Steps, charge: Percentage, amounts: Sequence[Fraction]) -> list[Value]:
    """What the events cost."""
    listed, rest = amounts[:EVENTS_LISTED], amounts[EVENTS_LISTED:]
    measured = [*listed, sum(rest, NOTHING)] if rest else listed
    total = steps.take("sum", f"measured in {len(amounts):,} events", [given(one) for one in measured], steps.measured)
    steps.say(f"{len(amounts):,} events of {exactly(total.number)} {steps.measured.name}")
    steps.unlisted = len(rest)
    events = _events(charge, amounts)
    found = [_one(steps, charge, place, amounts[:place], next(events)) for place in range(len(listed))]
    return [*found, *_others(steps, charge, list(events))]


def _events(charge: Percentage, amounts: Sequence[Fraction]) -> Iterator[Event]:
    """An event is free as a whole or in part while there are free events left, and of the free amount."""
    before = NOTHING
    for number, amount in enumerate(amounts, start=1):
        paid = max(amount, NOTHING)
        may_be_free = charge.free_events is None or number <= charge.free_events
        uses_allowance = may_be_free and charge.free_amount is not None
        if charge.free_amount is not None and uses_allowance:
            paid = max(amount - max(charge.free_amount - before, NOTHING), NOTHING)
        elif may_be_free and charge.free_events is not None:
            paid = NOTHING
        before += amount
        owes = amount >= 0 if charge.charges_zero else paid > 0
        yield Event(amount, paid, uses_allowance, owes)


def _one(steps: Steps, charge: Percentage, place: int, earlier: Sequence[Fraction], event: Event) -> Value:
    name = f"event {place + 1}"
    paid = given(event.paid)
    if event.uses_allowance and charge.free_amount is not None:
        operands = [given(one) for one in (event.amount, charge.free_amount, *earlier)]
        paid = steps.take("beyond_allowance", f"{name}, less what is free", operands, steps.measured)
    if not event.owes:
        return steps.owed("times", f"{name} is free", given(event.amount), given(0))
    bounds = [given(charge.least), *([] if charge.most is None else [given(charge.most)])]
    return steps.owed("event_fee", name, paid, given(charge.percent), given(charge.fee), *bounds)


def _others(steps: Steps, charge: Percentage, events: Sequence[Event]) -> Iterator[Value]:
    """Events at the least and at the most are counted; a rate and a fee cost as much of a sum as of its summands."""
    owing = [event.paid for event in events if event.owes]
    at_most = [
        paid for paid in owing if charge.most is not None and max(_fee(charge, paid), charge.least) >= charge.most
    ]
    rest = (
        owing
        if charge.most is None
        else [paid for paid in owing if max(_fee(charge, paid), charge.least) < charge.most]
    )
    at_least = [paid for paid in rest if _fee(charge, paid) < charge.least]
    between = [paid for paid in rest if _fee(charge, paid) >= charge.least]
    for bound, those, word in ((charge.least, at_least, "least"), (charge.most, at_most, "most")):
        if those and bound is not None:
            yield steps.owed("times", f"{len(those):,} more events at the {word}", given(len(those)), given(bound))
    if between:
        paid = given(sum(between, NOTHING))
        name = f"{len(between):,} more events"
        yield steps.owed("percent", f"{name} at {exactly(charge.percent)} % of their sum", paid, given(charge.percent))
        if charge.fee:
            yield steps.owed("times", f"{name} at {exactly(charge.fee)} each", given(len(between)), given(charge.fee))


def _fee(charge: Percentage, paid: Fraction) -> Fraction:
    return paid * charge.percent / 100 + charge.fee
