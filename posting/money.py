"""Read and write exact integers of a smallest unit as decimal text: money in minor units, quantities in 10^-9 units."""

import re
from functools import cache

import pyarrow as pa
from babel.numbers import get_currency_precision

PLAIN = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")


@cache
def decimals(currency: str) -> int:
    """How many decimals the minor unit of `currency` has."""
    return int(get_currency_precision(currency))


def money_text(minor: int, currency: str) -> str:
    """`minor` units as an amount with all the decimals of its currency."""
    places = decimals(currency)
    sign = "-" if minor < 0 else ""
    digits = str(abs(minor)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def money_texts(minor: pa.Array, currency: str) -> pa.Array:
    """`money_text` of a column of whole decimals."""
    places = decimals(currency)
    kind = pa.decimal128(minor.type.precision, places)
    amounts = pa.Array.from_buffers(kind, len(minor), minor.buffers(), offset=minor.offset)
    return amounts.cast(pa.string())


def minor_units(text: str, currency: str) -> int:
    """What `money_text` wrote."""
    return exact_integer(text, decimals(currency))


def exact_integer(text: str, places: int) -> int:
    """`text` in integers of 10^-`places`; a `ValueError` if it is no plain decimal of as many places."""
    found = PLAIN.fullmatch(text)
    if found is None or len(found[3] or "") > places:
        raise ValueError(f"{text!r} is not a number of at most {places} decimals")
    size = int(found[2] + (found[3] or "").ljust(places, "0"))
    return -size if found[1] else size
