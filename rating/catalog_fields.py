"""Say how each single value of a catalog is written; what is not written so is a ValueError with what was expected.

Numbers are read as they stand in the file, digit for digit: none passes through a float.
"""

import re
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from itertools import islice
from zoneinfo import available_timezones

from babel.numbers import list_currencies

from ledger.scale import QUANTITY_SCALE
from rating.periods import ANCHOR_MAX, YEAR_MAX, YEAR_MIN

TEXT_MAX = 256
PRODUCT_MAX = 64
PATH_MAX = 256
PRICE_DECIMALS_MAX = 12
WHOLE_DIGITS_MAX = 15
"""A price or a tier's bound has at most this many digits before the point, like the usage it is applied to."""
MONTHS_MAX = 60
HUNDRED = 100
ONE = Fraction(1)
COMPARED_MAX = 5_000
"""A suggestion is looked for among so many words; more would take seconds for every mistake."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PATH = re.compile(r"[^.\x00-\x1f\x7f]+(?:\.[^.\x00-\x1f\x7f]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def identifier(text: str) -> str:
    """The id of a customer or a contract."""
    return _matching(_ID, text, "1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or a digit")


def name(text: str) -> str:
    """The name of a meter, plan, entity or dimension."""
    return _matching(_NAME, text, "1 to 64 letters, digits, '_' or '-', beginning with a letter or a digit")


def path(text: str) -> str:
    """Where a value stands in an event's data."""
    if len(text) > PATH_MAX:
        raise ValueError(f"expected a path of at most {PATH_MAX} characters, found {len(text)}")
    return _matching(_PATH, text, "the names down to a value in the event's data, joined by '.', as in usage.bytes")


def _matching(pattern: re.Pattern[str], text: str, expected: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError(f"expected {expected}, found {_shown(text)}")
    return text


def plain(text: str) -> str:
    """Free text on one line: a customer's name, an event type, a unit."""
    return _bounded(text, TEXT_MAX)


def text(given: str) -> str:
    """The value of a dimension."""
    return _bounded(given, TEXT_MAX)


def product(text: str) -> str:
    """What an invoice's line is called."""
    return _bounded(text, PRODUCT_MAX)


def subject(text: str) -> str:
    """A subject as events name it; only NUL is left out, which a database's text can't hold."""
    if "\0" in text:
        raise ValueError("expected a subject without NUL characters: remove them here and where events are made")
    if not 0 < len(text) <= TEXT_MAX:
        raise ValueError(f"expected 1 to {TEXT_MAX} characters, found {len(text)}")
    return text


def _bounded(text: str, most: int) -> str:
    if not text.strip() or len(text) > most or _CONTROL.search(text):
        raise ValueError(f"expected 1 to {most} characters without control characters, found {_shown(text)}")
    return text


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def unit_price(text: str) -> Fraction:
    """What a unit costs."""
    return _number(text, PRICE_DECIMALS_MAX, "a price")


def amount(text: str) -> Fraction:
    """Money, in whole units of the plan's currency."""
    return _number(text, PRICE_DECIMALS_MAX, "an amount")


def percent(text: str) -> Fraction:
    """A part of a hundred."""
    return _number(text, PRICE_DECIMALS_MAX, "a percentage")


def part(text: str) -> Fraction:
    """A percentage that can be taken off: not more than all."""
    found = percent(text)
    if found > HUNDRED:
        raise ValueError(f"expected at most 100 percent, found {_shown(text)}")
    return found


def units(text: str) -> Fraction:
    """A quantity, or none."""
    return _number(text, QUANTITY_SCALE, "a quantity")


def quantity(text: str) -> Fraction:
    """A quantity that there is something of: the bound of a tier, the size of a package."""
    found = units(text)
    if found == 0:
        raise ValueError("expected a quantity above 0, found 0")
    return found


def factor(text: str) -> Fraction:
    """What something is multiplied with or divided by."""
    found = _number(text, PRICE_DECIMALS_MAX, "a number")
    if found == 0:
        raise ValueError("expected a number above 0, found 0")
    return found


def count(text: str) -> Fraction:
    """A whole number."""
    return _number(text, 0, "a whole number")


def several(text: str) -> Fraction:
    """How many of something there are, where there are some."""
    found = count(text)
    if found == 0:
        raise ValueError("expected a whole number above 0, found 0")
    return found


def months(text: str) -> int:
    """How long something is."""
    return int(one_of(text, [str(one) for one in range(1, MONTHS_MAX + 1)], f"a whole number from 1 to {MONTHS_MAX}"))


def yes_or_no(text: str) -> bool:
    """What holds or does not."""
    return one_of(text, ("true", "false"), "true or false") == "true"


def decimals(text: str) -> int:
    """How many decimals an amount is rounded to; below zero are tens and hundreds."""
    return int(one_of(text, [str(one) for one in range(-6, 5)], "a whole number from -6 to 4"))


def fine_decimals(text: str) -> int:
    """How many decimals the price of a part is rounded to, which is not what is billed."""
    expected = f"a whole number from 0 to {PRICE_DECIMALS_MAX}"
    return int(one_of(text, [str(one) for one in range(PRICE_DECIMALS_MAX + 1)], expected))


def _number(text: str, decimals_max: int, what: str) -> Fraction:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"expected {what} in plain digits, as in 0.05, found {_shown(text)}")
    sign, whole, fraction = found[1], found[2].lstrip("0"), (found[3] or "").rstrip("0")
    if sign == "-" and (whole or fraction):
        raise ValueError(f"expected {what} that is not negative, found {_shown(text)}")
    if len(fraction) > decimals_max:
        raise ValueError(f"expected {what} of at most {decimals_max} decimals, found {len(fraction)}: round it here")
    if len(whole) > WHOLE_DIGITS_MAX:
        raise ValueError(f"expected {what} below 10^{WHOLE_DIGITS_MAX}, found {_shown(text)}")
    return Fraction(f"{whole or '0'}.{fraction}" if fraction else whole or "0")


def day(text: str) -> date:
    """The first day on which something holds, or no longer holds."""
    try:
        if _DATE.fullmatch(text) is None:
            raise ValueError(text)  # noqa: TRY301 - the same answer as for a day that does not exist
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected a date as in 2026-11-01, found {_shown(text)}") from None
    if not YEAR_MIN <= found.year <= YEAR_MAX:
        raise ValueError(f"expected a date in the years {YEAR_MIN} to {YEAR_MAX}, found {text}")
    return found


def currency(text: str) -> str:
    """An ISO 4217 code."""
    return one_of(text, _currencies(), "a currency's ISO 4217 code, as in EUR")


def zone(text: str) -> str:
    """A zone of the IANA time zone database."""
    return one_of(text, _zones(), "a time zone, as in Europe/Berlin")


def anchor(text: str) -> int:
    """The day of the month on which periods begin."""
    return int(one_of(text, [str(day) for day in range(1, ANCHOR_MAX + 1)], "a day of the month from 1 to 31"))


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


@cache
def _zones() -> frozenset[str]:
    # What these two mean depends on the machine.
    return frozenset(available_timezones() - {"localtime", "posixrules"})


def one_of(text: str, known: Iterable[str], expected: str) -> str:
    """`text` if it is one of `known`."""
    if text not in known:
        raise ValueError(f"expected {expected}, found {_shown(text)}{did_you_mean(text, known)}")
    return text


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """A question about the nearest of `known`, or nothing."""
    by_folded = {word.casefold(): word for word in islice(known, COMPARED_MAX)}
    near = get_close_matches(text.casefold(), by_folded, n=1)
    return f"; did you mean {by_folded[near[0]]}?" if near else ""
