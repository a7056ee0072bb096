"""The steps from what was measured to the units that are charged: the negative rule, conversion, free units."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from rating.derivation.numbers import exactly
from rating.derivation.steps import NO_UNIT, ROUNDED, Steps, Unit, Value, given
from rating.derivation.used import Quantity, Share, Summed
from rating.pricing.parts import Conversion, PerUnit, Price, Weighted


class Units(NamedTuple):
    """What is charged."""

    value: Value
    unit: Unit
    is_returned: bool
    """Its price is given back."""


def charged_units(steps: Steps, price: Price, used: Quantity | Share | Summed) -> Units:
    """The units of a charge."""
    if isinstance(used, Share):
        share = steps.take("prorated", f"{used.of} of the {used.interval}", [given(used.part), given(used.whole)])
        if isinstance(price.charge, PerUnit):
            steps.say(
                f"{exactly(price.charge.unit_price, steps.money.decimals)} {steps.money.name} a {used.interval} x"
            )
        steps.say(f"{exactly(used.part)} of {exactly(used.whole)} {used.of}")
        return Units(share, NO_UNIT, is_returned=False)
    if isinstance(used, Summed):
        measured = _summed(steps, price.summed, dict(used.quantities))
    else:
        measured = steps.take("given", "measured", [given(used.units)], steps.measured)
    steps.say(f"{exactly(measured.number)} {steps.measured.name}")
    above_zero, is_returned = _above_zero(steps, price, measured)
    converted, unit = _converted(steps, price.conversion, above_zero)
    return Units(_beyond_free(steps, price, converted, unit), unit, is_returned)


def _summed(steps: Steps, weighted: Sequence[Weighted], quantities: dict[str, Fraction]) -> Value:
    found = []
    for one in weighted:
        units = given(quantities.get(one.meter, Fraction(0)))
        measured = steps.take("given", f"measured {one.meter}", [units], Unit(one.meter))
        weighed = [measured, given(one.weight)]
        found.append(measured if one.weight == 1 else steps.take("times", "by weight", weighed, steps.measured))
    return steps.take("sum", "measured", found, steps.measured)


def _above_zero(steps: Steps, price: Price, measured: Value) -> tuple[Value, bool]:
    if measured.number >= 0:
        return measured, False
    if price.is_mirrored:
        turned = [measured, given(-1)]
        return steps.take("times", "below zero: what it costs is given back", turned, steps.measured), True
    return steps.take("at_least", "below zero: costs what nothing costs", [measured, given(0)], steps.measured), False


def _converted(steps: Steps, rule: Conversion | None, units: Value) -> tuple[Value, Unit]:
    if rule is None:
        return units, steps.measured
    unit = steps.measured if rule.factor == rule.per else Unit("units")
    for operation, number in (("times", rule.factor), ("divided", rule.per)):
        if number != 1:
            units = steps.take(operation, "converted", [units, given(number)], unit)
    if rule.rounding is not None:
        units = steps.take(ROUNDED[rule.rounding], "in whole multiples", [units, given(rule.multiple)], unit)
    steps.say(f"= {exactly(units.number)} {unit.name}")
    return units, unit


def _beyond_free(steps: Steps, price: Price, units: Value, unit: Unit) -> Value:
    if price.all_units_free:
        steps.say("- all free")
        return steps.take("times", "all of it is free", [units, given(0)], unit)
    if price.free_units is None:
        return units
    steps.say(f"- {exactly(price.free_units)} included")
    return _free(steps, price.free_units, units, unit)


def _free(steps: Steps, free: Fraction, units: Value, unit: Unit) -> Value:
    return steps.take("beyond", f"the first {exactly(free)} are included", [units, given(free)], unit)
