"""Derive what a price bills for what was used: measured, charged, adjusted and rounded, each as steps."""

from fractions import Fraction
from typing import NamedTuple

from rating.derivation.adjusting import adjusted, detail_rounded, rounded
from rating.derivation.by_bucket import by_bucket
from rating.derivation.by_capacity import by_capacity
from rating.derivation.by_duration import by_duration
from rating.derivation.by_event import by_event
from rating.derivation.charging import by_cells, charged
from rating.derivation.measuring import charged_units
from rating.derivation.numbers import exactly, shown, signed
from rating.derivation.steps import Derivation, Steps, Unit, Value, given
from rating.derivation.used import Buckets, Cells, Events, Highest, Quantity, Used
from rating.pricing.parts import Bucketed, Capacity, Duration, Matrix, Percentage, Price


class Worth(NamedTuple):
    """What the unit of a price is worth in money, where its amounts are not money."""

    unit: str
    rate: Fraction


def derivation(price: Price, used: Used, measured: Unit, money: Unit, worth: Worth | None = None) -> Derivation:
    """Every step from what was used to what is billed for it alone in its period."""
    steps = Steps(measured, money if worth is None else Unit(worth.unit))
    exact, amount = _owed(steps, price, used, None if worth is None else (worth, money))
    steps.say(f"-> rounding {signed(amount.number - exact.number, money.decimals)}")
    steps.say(f"= {shown(amount.number, money.decimals)} {money.name}")
    return Derivation(
        tuple(steps.made),
        " ".join(steps.said),
        exact.step,
        amount.step,
        exact.number,
        amount.number,
        steps.unlisted,
    )


def _owed(steps: Steps, price: Price, used: Used, in_money: tuple[Worth, Unit] | None = None) -> tuple[Value, Value]:
    """What is owed before it is rounded, and after."""
    parts, is_returned = _parts(steps, price, used)
    rounding = price.rounding
    if rounding is not None and rounding.of_details:
        parts = [detail_rounded(steps, rounding, one) for one in parts]
    else:
        parts = [steps.together("together", parts)]
    exact = steps.together("together", adjusted(steps, price, parts))
    if is_returned:
        exact = steps.owed("times", "given back", exact, given(-1))
    if in_money is not None:
        worth, steps.money = in_money
        exact = steps.owed("times", f"{worth.unit} as {steps.money.name}", exact, given(worth.rate))
        steps.say(f"-> x {exactly(worth.rate)} {steps.money.name}")
    amount = exact if rounding is None or rounding.of_details else rounded(steps, rounding, exact)
    return exact, amount


def _parts(steps: Steps, price: Price, used: Used) -> tuple[list[Value], bool]:
    """What each part costs, and whether all of it is given back."""
    charge = price.charge
    if isinstance(charge, Percentage):
        assert isinstance(used, Events)
        return [steps.together("all events", by_event(steps, charge, used.amounts))], False
    if isinstance(charge, Duration):
        assert isinstance(used, Events)
        return [steps.together("all calls", by_duration(steps, charge, used.amounts))], False
    if isinstance(charge, Matrix):
        assert isinstance(used, Cells)
        return [steps.together("all cells", by_cells(steps, charge, used))], False
    if isinstance(charge, Bucketed):
        assert isinstance(used, Buckets)
        inside = charge.price
        costs = by_bucket(
            steps, charge.every.value, used.quantities, lambda own, units: _owed(own, inside, Quantity(units))[1]
        )
        return [steps.together("all buckets", list(costs))], False
    if isinstance(charge, Capacity):
        assert isinstance(used, Highest)
        return [by_capacity(steps, price, charge, used)], False
    assert not isinstance(used, Events | Cells | Buckets | Highest)
    units = charged_units(steps, price, used)
    return charged(steps, charge, units), units.is_returned
