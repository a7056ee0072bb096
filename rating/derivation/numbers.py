"""Say exact numbers to people: with thousands apart, and a ratio without end beside what it is about."""

from decimal import Decimal
from fractions import Fraction

from rating.pricing.written import number_text

ABOUT_DECIMALS = 4


def exactly(number: Fraction, decimals: int = 0) -> str:
    """All of its digits, `decimals` at least, or the ratio."""
    text = number_text(number)
    if "/" in text:
        return f"{number.numerator:,}/{number.denominator:,}"
    whole, _, digits = text.partition(".")
    digits = digits.ljust(decimals, "0")
    return f"{Decimal(whole):,f}.{digits}" if digits else f"{Decimal(whole):,f}"


def shown(number: Fraction, decimals: int = 0) -> str:
    """The same, and about how much it is where the digits do not end."""
    text = exactly(number, decimals)
    return f"{text} (about {exactly(round(number, ABOUT_DECIMALS))})" if "/" in text else text


def signed(number: Fraction, decimals: int = 0) -> str:
    """The same with its sign."""
    return f"{'-' if number < 0 else '+'}{shown(abs(number), decimals)}"
