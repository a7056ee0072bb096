"""Write a price down as JSON and read it back: the same price always as the same text, numbers digit for digit."""

from fractions import Fraction
from typing import Any

import msgspec

from rating.pricing.parts import Price


def written(price: Price) -> str:
    """The price as text."""
    return msgspec.json.encode(price, enc_hook=written_number).decode()


def read(text: str) -> Price:
    """The price that `text` is."""
    return msgspec.json.decode(text, type=Price, dec_hook=read_number)


def number_text(number: Fraction) -> str:
    """A number in plain digits, or as a ratio where it has no end."""
    twos, rest = _powers(number.denominator, 2)
    fives, rest = _powers(rest, 5)
    if rest != 1:
        return str(number)
    decimals = max(twos, fives)
    digits = f"{abs(number.numerator) * 10**decimals // number.denominator:0{decimals + 1}d}"
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return f"{'-' if number < 0 else ''}{whole}{'.' if fraction else ''}{fraction}"


def _powers(number: int, prime: int) -> tuple[int, int]:
    """How often `prime` divides, and what is left."""
    found = 0
    while number % prime == 0:
        number, found = number // prime, found + 1
    return found, number


def written_number(value: Any) -> Any:
    """What msgspec asks of a number that JSON has no exact form for."""
    if isinstance(value, Fraction):
        return number_text(value)
    raise NotImplementedError(type(value))


def read_number(kind: type, value: Any) -> Any:
    """What msgspec asks for a number that `written_number` wrote."""
    if kind is Fraction:
        return Fraction(value)
    raise NotImplementedError(kind)
