"""Between a case's texts and the engine's columns."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from rating.exact import Int64s, narrowed
from rating.ratios import DOWN, HALF_UP, UP, Ratios
from rating.rounding import Rounding
from tests.conformance.figures import Case

MODES = {"half_up": HALF_UP, "up": UP, "ceiling": UP, "down": DOWN, "floor": DOWN}
MINOR_DIGITS = {"BIF": 0, "CLP": 0, "JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "KWD": 3, "TND": 3, "CLF": 4}


def column(texts: Iterable[Any]) -> Ratios:
    """Numbers as they are written, row by row."""
    values = [Fraction(text) for text in texts]
    halves = ([value.numerator for value in values], [value.denominator for value in values])
    return Ratios(*(narrowed(np.array(half, dtype=np.object_)) for half in halves))


def one(text: Any) -> Ratios:
    """One number, for a line on its own."""
    return column([text])


def optional(parameters: Case, name: str, default: str = "0") -> Ratios:
    """The number under `name`, or `default` where it is absent or null."""
    return one(default if parameters.get(name) is None else parameters[name])


def fractions(found: Ratios) -> list[Fraction]:
    """The engine's numbers."""
    rows = np.broadcast(found.numerator, found.denominator)
    return [Fraction(int(numerator), int(denominator)) for numerator, denominator in rows]


def fraction(found: Ratios) -> Fraction:
    """The engine's one number."""
    (value,) = fractions(found)
    return value


def integers(*values: int) -> Int64s:
    """Codes, counts and days."""
    return np.array(values, dtype=np.int64)


def one_group(rows: int) -> Int64s:
    """Where the one group of `rows` begins and ends."""
    return integers(0, rows)


def rule(rounding: Case | None, *whens: str | None) -> Rounding | None:
    """A case's rounding rule, where it has one that is applied at one of `whens`; at any if there are none."""
    if rounding is None or (whens and rounding.get("when") not in whens):
        return None
    return Rounding(int(rounding["scale"]), MODES[rounding["mode"]])


def currency_rule(case: Case) -> Rounding:
    """Half up to the currency's minor unit, which is the unit itself where the price is in cents."""
    in_cents = case["price"].get("unit") == "cents"
    return Rounding(0 if in_cents else MINOR_DIGITS.get(case["currency"], 2), HALF_UP)
