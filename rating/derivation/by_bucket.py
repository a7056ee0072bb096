"""The steps to what buckets of usage cost: the first of them step by step, and of all others what they add up to."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

from rating.derivation.numbers import exactly
from rating.derivation.steps import Steps, Value, given

BUCKETS_LISTED: Final = 31
"""The days of a month."""

Alone = Callable[[Steps, Fraction], Value]
"""Makes the steps to what a quantity costs that is alone in its period."""


def by_bucket(steps: Steps, every: str, buckets: Sequence[tuple[str, Fraction]], alone: Alone) -> list[Value]:
    """What the buckets cost."""
    listed, rest = buckets[:BUCKETS_LISTED], [quantity for _, quantity in buckets[BUCKETS_LISTED:]]
    measured = [*(quantity for _, quantity in listed), *([sum(rest, Fraction(0))] if rest else [])]
    what = f"{len(buckets):,} {every}{'' if len(buckets) == 1 else 's'}"
    total = steps.take("sum", f"measured in {what}", [given(one) for one in measured], steps.measured)
    steps.say(f"{exactly(total.number)} {steps.measured.name} in {what}, each alone")
    found = [_one(steps, name, quantity, alone) for name, quantity in listed]
    return [*found, *([_others(steps, rest, alone)] if rest else [])]


def _one(steps: Steps, name: str, quantity: Fraction, alone: Alone) -> Value:
    """Its steps say what they are made for, and the summary has room for none of them."""
    said, steps.about = list(steps.said), name
    cost = alone(steps, quantity)
    steps.said, steps.about = said, ""
    return cost


def _others(steps: Steps, quantities: Sequence[Fraction], alone: Alone) -> Value:
    costs = [alone(Steps(steps.measured, steps.money), quantity).number for quantity in quantities]
    return steps.owed("sum", f"{len(quantities):,} more", *map(given, costs))
