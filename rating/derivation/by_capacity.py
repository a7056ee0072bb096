"""The steps to what a month costs by the highest values of several meters: tier after tier, until one holds them."""

from collections.abc import Sequence
from fractions import Fraction

from rating.derivation.measuring import charged_units
from rating.derivation.numbers import exactly
from rating.derivation.steps import Steps, Unit, Value, given
from rating.derivation.used import Highest
from rating.pricing.parts import Capacity, CapacityTier, Price


def by_capacity(steps: Steps, price: Price, charge: Capacity, used: Highest) -> Value:
    """What the share of the month costs."""
    values = dict(used.values)
    highest = [
        steps.take("given", f"highest {meter}", [given(values.get(meter, Fraction(0)))], Unit(meter))
        for meter in charge.meters
    ]
    named = zip(highest, charge.meters, strict=True)
    steps.say(f"at most {' and '.join(f'{exactly(one.number)} {meter}' for one, meter in named)}")
    looked_at: list[Value] = []
    for place, tier in enumerate(charge.tiers, start=1):
        held = _held(steps, tier, place, highest)
        looked_at += [held, given(tier.price)]
        if held.number:
            break
    amount = steps.owed("first_held", f"the first tier that holds, {place}", *looked_at)
    steps.say(f"-> tier {place}: {exactly(amount.number, steps.money.decimals)} {steps.money.name} a month x")
    share = charged_units(steps, price, used.share)
    return steps.owed("times", "for this part of the month", share.value, amount)


def _held(steps: Steps, tier: CapacityTier, place: int, highest: Sequence[Value]) -> Value:
    """1 where no limit is exceeded, and 0 where one is."""
    limited = [(one, limit) for one, limit in zip(highest, tier.limits, strict=True) if limit is not None]
    operands = [operand for one, limit in limited for operand in (one, given(limit))]
    return steps.take("within", f"tier {place} holds", operands) if operands else given(1)
