"""Numbers without error: every quantity and every amount is a Fraction from its text to its last rounding."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor
from typing import Any

Parameters = Mapping[str, Any]

ZERO = Fraction(0)
MINOR_UNITS = {"BIF": 0, "CLP": 0, "JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "KWD": 3, "TND": 3, "CLF": 4}


def number(text: Any) -> Fraction:
    """The number that `text` writes; a Fraction or an int is itself."""
    assert not isinstance(text, float)
    return Fraction(text)


def optional(parameters: Parameters, name: str, default: Fraction = ZERO) -> Fraction:
    """The number under `name`, or `default` where it is absent or null."""
    return default if parameters.get(name) is None else number(parameters[name])


def round_to(value: Fraction, scale: int, mode: str) -> Fraction:
    """`value` at `scale` decimals (negative scales are tens and hundreds)."""
    unit = Fraction(10) ** -scale
    return whole(value / unit, mode) * unit


def whole(value: Fraction, mode: str) -> Fraction:
    """`value` as a whole number; half_up moves halves away from zero, up and down are ceiling and floor."""
    if mode == "none":
        return value
    if mode in {"up", "ceiling"}:
        return Fraction(ceil(value))
    if mode in {"down", "floor"}:
        return Fraction(floor(value))
    assert mode == "half_up", mode
    magnitude = Fraction(floor(abs(value) + Fraction(1, 2)))
    return magnitude if value >= 0 else -magnitude


def rounded(value: Fraction, rounding: Parameters | None) -> Fraction:
    """`value` by a rule `{"scale", "mode"}`; without a rule it stays exact."""
    return value if rounding is None else round_to(value, int(rounding["scale"]), rounding["mode"])


def line_rule(price: Parameters) -> Parameters | None:
    """The rounding rule of one line, where the price rounds its lines."""
    rule: Parameters | None = price.get("rounding")
    return rule if rule is not None and rule.get("when") == "line" else None


def total_rule(price: Parameters) -> Parameters | None:
    """The rounding rule of the total, where the price does not round its lines."""
    rule: Parameters | None = price.get("rounding")
    return rule if rule is not None and rule.get("when", "total") == "total" else None


def currency_rule(currency: str, price: Parameters) -> Parameters:
    """Half up to the currency's minor unit, which is the unit itself where the price is in cents."""
    scale = 0 if price.get("unit") == "cents" else MINOR_UNITS.get(currency, 2)
    return {"scale": scale, "mode": "half_up"}
