"""What a derivation is: steps, each an operation on exact numbers, given or come from a step before.

The operations are a closed set, and all that somebody needs to know who evaluates the steps again:
`rating/derivation_check.py` says what each is, and shares nothing with this module.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil
from typing import Final, NamedTuple

from msgspec import Struct

from rating.derivation.numbers import exactly, shown
from rating.pricing.written import number_text
from rating.ratios import DOWN, HALF_UP, UP

TERMS_SHOWN = 6


class Operand(Struct, frozen=True, omit_defaults=True):
    """An exact number as text, a decimal or n/d, and the step that it is the result of; 0 where it is given."""

    value: str
    step: int = 0


class Step(Struct, frozen=True):
    """One operation, in words and as numbers; steps are numbered from 1."""

    number: int
    what: str
    operation: str
    operands: tuple[Operand, ...]
    result: str
    unit: str
    text: str
    """The operation as people write it, with its result."""


class Derivation(Struct, frozen=True):
    """Every step to an amount."""

    steps: tuple[Step, ...]
    summary: str
    """All of it in one line."""
    exact_step: int
    """The step whose result is the amount before its rounding."""
    amount_step: int
    exact: Fraction
    amount: Fraction
    unlisted: int
    """How many events are in sums and not listed one by one."""

    @property
    def residual(self) -> Fraction:
        """What the rounding added."""
        return self.amount - self.exact


class Value(NamedTuple):
    """An operand while the steps are made."""

    number: Fraction
    step: int = 0


def given(number: Fraction | int) -> Value:
    """A number that no step made."""
    return Value(Fraction(number))


ROUNDED: Final = {HALF_UP: "rounded_half_up", UP: "rounded_up", DOWN: "rounded_down"}


class Unit(NamedTuple):
    """What a step's result counts, and how many decimals it is shown with at least."""

    name: str
    decimals: int = 0


NO_UNIT = Unit("")


class Steps:
    """The steps made so far."""

    def __init__(self, measured: Unit, money: Unit) -> None:
        """In which unit usage is measured, and money is owed."""
        self.measured = measured
        self.money = money
        self.made: list[Step] = []
        self.said: list[str] = []
        self.unlisted = 0
        self.about = ""
        """What the steps are made for, where it is a part of all: it is said before what each is."""

    def take(self, operation: str, what: str, operands: Sequence[Value], unit: Unit = NO_UNIT) -> Value:
        """One step more; its result."""
        numbers = [operand.number for operand in operands]
        result = _OPERATIONS[operation].of(*numbers)
        written = tuple(Operand(number_text(operand.number), operand.step) for operand in operands)
        number = len(self.made) + 1
        text = _text(operation, numbers, result, unit)
        what = f"{self.about}: {what}" if self.about else what
        self.made.append(Step(number, what, operation, written, number_text(result), unit.name, text))
        return Value(result, number)

    def owed(self, operation: str, what: str, *operands: Value) -> Value:
        """One step more, whose result is money."""
        return self.take(operation, what, operands, self.money)

    def together(self, what: str, summands: Sequence[Value]) -> Value:
        """What all of them add up to; of one alone that is itself."""
        return summands[0] if len(summands) == 1 else self.owed("sum", what, *summands)

    def say(self, words: str) -> None:
        """Add to the summary."""
        self.said.append(words)


def _text(operation: str, numbers: Sequence[Fraction], result: Fraction, unit: Unit) -> str:
    operands = _OPERATIONS[operation].text(numbers)
    found = f"{shown(result, unit.decimals)} {unit.name}".rstrip()
    return f"{operands} = {found}" if operands else found


class _Operation(NamedTuple):
    of: Callable[..., Fraction]
    text: Callable[[Sequence[Fraction]], str]


def _event_fee(
    paid: Fraction, percent: Fraction, fee: Fraction, least: Fraction, most: Fraction | None = None
) -> Fraction:
    found = max(paid * percent / 100 + fee, least)
    return found if most is None else min(found, most)


def _event_fee_text(numbers: Sequence[Fraction]) -> str:
    paid, percent, fee, least, *most = numbers
    said = [f"{exactly(paid)} x {exactly(percent)} %{f' + {exactly(fee)}' if fee else ''}"]
    said += [f"at least {exactly(least)}"] if least else []
    return ", ".join([*said, *(f"at most {exactly(one)}" for one in most)])


def _held(quantity: Fraction, lower: Fraction, upper: Fraction | None = None) -> Fraction:
    return max((quantity if upper is None else min(quantity, upper)) - lower, Fraction(0))


def _held_text(numbers: Sequence[Fraction]) -> str:
    quantity, lower, *upper = numbers
    return f"{exactly(min(quantity, *upper) if upper else quantity)} - {exactly(lower)}" if lower else ""


def _beyond_text(numbers: Sequence[Fraction]) -> str:
    number, bound = numbers
    return f"{exactly(number)} {'-' if number >= bound else 'beyond'} {exactly(bound)}"


def _pairs(numbers: Sequence[Fraction]) -> list[tuple[Fraction, Fraction]]:
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _within(*numbers: Fraction) -> Fraction:
    return Fraction(all(number <= limit for number, limit in _pairs(numbers)))


def _within_text(numbers: Sequence[Fraction]) -> str:
    return ", ".join(f"{exactly(number)} within {exactly(limit)}" for number, limit in _pairs(numbers))


def _first_held(*numbers: Fraction) -> Fraction:
    return next((amount for is_held, amount in _pairs(numbers) if is_held), Fraction(0))


def _first_held_text(numbers: Sequence[Fraction]) -> str:
    return ", ".join(f"{exactly(amount)} if {exactly(is_held)}" for is_held, amount in _pairs(numbers))


def _left(allowance: Fraction, earlier: Sequence[Fraction]) -> Fraction:
    return max(allowance - sum(earlier, Fraction(0)), Fraction(0))


def _beyond_allowance(amount: Fraction, allowance: Fraction, *earlier: Fraction) -> Fraction:
    return max(amount - _left(allowance, earlier), Fraction(0))


def _beyond_allowance_text(numbers: Sequence[Fraction]) -> str:
    amount, allowance, *earlier = numbers
    return f"{exactly(amount)} beyond {exactly(_left(allowance, earlier))} that is left of {exactly(allowance)}"


def _nearest(number: Fraction) -> int:
    nearest = (2 * abs(number).numerator + number.denominator) // (2 * number.denominator)
    return nearest if number >= 0 else -nearest


def _rounding(whole: Callable[[Fraction], int], words: str) -> _Operation:
    return _Operation(lambda number, unit: whole(number / unit) * unit, _as(f"{{}} {words} {{}}"))


def _as(form: str) -> Callable[[Sequence[Fraction]], str]:
    return lambda numbers: form.format(*map(exactly, numbers))


def _sum_text(summands: Sequence[Fraction]) -> str:
    hidden = len(summands) - TERMS_SHOWN
    said = [exactly(one) for one in (summands[:TERMS_SHOWN] if hidden > 0 else summands)]
    return " + ".join([*said, *([f"{hidden} more"] if hidden > 0 else [])])


_OPERATIONS: Final = {
    "given": _Operation(lambda number: number, lambda _: ""),
    "sum": _Operation(lambda *summands: sum(summands, Fraction(0)), _sum_text),
    "minus": _Operation(lambda left, right: left - right, _as("{} - {}")),
    "times": _Operation(lambda left, right: left * right, _as("{} x {}")),
    "divided": _Operation(lambda left, right: left / right, _as("{} / {}")),
    "percent": _Operation(lambda number, percent: number * percent / 100, _as("{} x {} %")),
    "prorated": _Operation(lambda part, whole: part / whole, _as("{} of {}")),
    "beyond": _Operation(lambda number, bound: max(number - bound, Fraction(0)), _beyond_text),
    "beyond_allowance": _Operation(_beyond_allowance, _beyond_allowance_text),
    "held_by_tier": _Operation(_held, _held_text),
    "at_least": _Operation(max, _as("{}, at least {}")),
    "at_most": _Operation(min, _as("{}, at most {}")),
    "event_fee": _Operation(_event_fee, _event_fee_text),
    "within": _Operation(_within, _within_text),
    "first_held": _Operation(_first_held, _first_held_text),
    "started": _Operation(lambda number, unit: Fraction(ceil(number / unit)), _as("{} in started {}")),
    "rounded_half_up": _rounding(_nearest, "to the nearest"),
    "rounded_up": _rounding(lambda number: -(-number.numerator // number.denominator), "up to a multiple of"),
    "rounded_down": _rounding(lambda number: number.numerator // number.denominator, "down to a multiple of"),
}
