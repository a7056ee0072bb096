"""The steps of what a price takes off or adds: discounts, the most and the least, in the order it declares them."""

from collections.abc import Sequence

from rating.derivation.numbers import exactly
from rating.derivation.steps import ROUNDED, Steps, Value, given
from rating.pricing.parts import AmountOff, Maximum, Minimum, PercentOff, Price, Rounding


def adjusted(steps: Steps, price: Price, parts: Sequence[Value]) -> list[Value]:
    """What is owed for each part after every adjustment."""
    owed, rounding = list(parts), price.rounding
    for adjustment in price.adjustments:
        match adjustment:
            case PercentOff():
                steps.say(f"-> {exactly(adjustment.percent)} % off")
                owed = [_percent_off(steps, adjustment, rounding, one) for one in owed]
            case AmountOff():
                owed = _amount_off(steps, adjustment, owed)
            case Maximum():
                owed = _within_maximum(steps, adjustment, rounding, owed)
            case Minimum():
                owed += _missing(steps, adjustment, rounding, owed)
    return owed


def detail_rounded(steps: Steps, rounding: Rounding | None, amount: Value) -> Value:
    """An amount as parts are rounded, where the price rounds them."""
    return rounded(steps, rounding, amount) if rounding is not None and rounding.of_details else amount


def rounded(steps: Steps, rounding: Rounding, amount: Value) -> Value:
    """An amount rounded by its rule."""
    unit = given(10**-rounding.scale) if rounding.scale < 0 else Value(1 / given(10**rounding.scale).number)
    return steps.owed(ROUNDED[rounding.mode], "rounded", amount, unit)


def _percent_off(steps: Steps, off: PercentOff, rounding: Rounding | None, one: Value) -> Value:
    discount = steps.owed("percent", f"discount of {exactly(off.percent)} %", one, given(off.percent))

    return steps.owed("minus", "less the discount", one, detail_rounded(steps, rounding, discount))


def _amount_off(steps: Steps, off: AmountOff, parts: Sequence[Value]) -> list[Value]:
    """From one part after the other, until it is used up."""
    left, found = given(off.amount), []
    for one in parts:
        if one.number <= 0 or left.number == 0:
            found.append(one)
            continue
        discount = steps.owed("at_most", f"of {exactly(off.amount)} off", left, one)
        found.append(steps.owed("minus", "less the discount", one, discount))
        left = steps.owed("minus", "left to take off", left, discount)
    steps.say(f"-> {exactly(off.amount)} off")
    return found


def _within_maximum(steps: Steps, most: Maximum, rounding: Rounding | None, parts: Sequence[Value]) -> list[Value]:
    """What the sum so far exceeds the most by is taken off the part, up to what it costs; what is given back stays."""
    found: list[Value] = []
    for place, one in enumerate(parts):
        so_far = steps.together("so far", parts[: place + 1])
        above = steps.owed("beyond", f"above the most of {exactly(most.amount)}", so_far, given(most.amount))
        above = detail_rounded(steps, rounding, above)
        owed = steps.owed("minus", "less what is above", one, above) if above.number and one.number > 0 else one
        is_kept = owed.number >= 0 or one.number < 0
        found.append(owed if is_kept else steps.owed("at_least", "at least nothing", owed, given(0)))
    steps.say(f"-> at most {exactly(most.amount)}")
    return found


def _missing(steps: Steps, least: Minimum, rounding: Rounding | None, parts: Sequence[Value]) -> list[Value]:
    """A part more for what is missing."""
    billed = steps.together("so far", parts)
    short = steps.owed("beyond", f"missing to the least of {exactly(least.amount)}", given(least.amount), billed)
    steps.say(f"-> at least {exactly(least.amount)}")
    short = detail_rounded(steps, rounding, short)
    return [short] if short.number else []
