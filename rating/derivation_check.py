"""Evaluate the steps of a derivation again, from nothing but their JSON, and say which do not hold.

What each operation is stands here a second time, apart from what made the steps; `meterline explain --json` gives
everything that this takes, so that anybody can do the same with these lines or with others.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import ceil, floor
from typing import Any


def problems(derivation: dict[str, Any]) -> list[str]:
    """What does not hold of `steps`, and of `exact` and `amount`, which are the results of two of them."""
    results: dict[int, Fraction] = {}
    found: list[str] = []
    for step in derivation["steps"]:
        found += _step_problems(step, results)
        results[step["number"]] = Fraction(step["result"])
    for name, words in (("exact", "amount before rounding"), ("amount", "amount")):
        if results.get(derivation[f"{name}_step"]) != Fraction(derivation[name]):
            found.append(f"step {derivation[f'{name}_step']} is not the {words}, {derivation[name]}")
    return found


def _step_problems(step: dict[str, Any], earlier: dict[int, Fraction]) -> Iterator[str]:
    where, values = f"step {step['number']}", []
    if step["number"] in earlier:
        yield f"{where} is there twice"
    for operand in step["operands"]:
        values.append(Fraction(operand["value"]))
        if "step" in operand and earlier.get(operand["step"]) != values[-1]:
            yield f"{where} takes {operand['value']} from step {operand['step']}, whose result that is not"
    evaluate = OPERATIONS.get(step["operation"])
    if evaluate is None:
        yield f"{where} is of no known operation: {step['operation']}"
        return
    try:
        result = evaluate(*values)
    except (TypeError, IndexError, ZeroDivisionError):
        yield f"{where} has operands that {step['operation']} cannot take"
        return
    if result != Fraction(step["result"]):
        yield f"{where} gives {result}, and says {step['result']}"


def _held_by_tier(quantity: Fraction, lower: Fraction, *upper: Fraction) -> Fraction:
    """What of a quantity lies above a tier's lower bound, and not above its upper one."""
    return max(Fraction(0), min(quantity, *upper) - lower) if upper else max(Fraction(0), quantity - lower)


def _beyond_allowance(amount: Fraction, allowance: Fraction, *earlier: Fraction) -> Fraction:
    """What of an event's amount is left when it took what the earlier events left of an allowance."""
    left = allowance
    for one in earlier:
        left -= one
    return max(Fraction(0), amount - max(Fraction(0), left))


def _event_fee(paid: Fraction, percent: Fraction, fee: Fraction, least: Fraction, *most: Fraction) -> Fraction:
    """A rate and a fee, within bounds."""
    return min([max(least, fee + percent * paid / 100), *most])


def _within(*numbers: Fraction) -> Fraction:
    """1 where every number is at most the limit that follows it, else 0."""
    exceeded = [place for place in range(0, len(numbers), 2) if numbers[place] > numbers[place + 1]]
    return Fraction(0 if exceeded else 1)


def _first_held(*numbers: Fraction) -> Fraction:
    """The amount that follows the first number which is not 0."""
    for place in range(0, len(numbers), 2):
        if numbers[place] != 0:
            return numbers[place + 1]
    return Fraction(0)


def _half_up(number: Fraction, unit: Fraction) -> Fraction:
    """The nearest multiple of the unit, halves away from zero."""
    away = floor(abs(number) / unit + Fraction(1, 2)) * unit
    return away if number > 0 else -away


OPERATIONS: dict[str, Callable[..., Fraction]] = {
    "given": lambda number: number,
    "sum": lambda *numbers: sum(numbers, start=Fraction(0)),
    "minus": lambda number, less: number - less,
    "times": lambda number, factor: number * factor,
    "divided": lambda number, by: number / by,
    "percent": lambda number, percent: number * percent / 100,
    "prorated": lambda part, whole: part / whole,
    "beyond": lambda number, bound: max(Fraction(0), number - bound),
    "beyond_allowance": _beyond_allowance,
    "held_by_tier": _held_by_tier,
    "at_least": max,
    "at_most": min,
    "event_fee": _event_fee,
    "within": _within,
    "first_held": _first_held,
    "started": lambda number, unit: Fraction(ceil(number / unit)),
    "rounded_half_up": _half_up,
    "rounded_up": lambda number, unit: ceil(number / unit) * unit,
    "rounded_down": lambda number, unit: floor(number / unit) * unit,
}
