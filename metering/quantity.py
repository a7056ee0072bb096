"""Read quantities exactly: a JSON number, or a string that holds one, becomes an integer of 10^-9 units.

No float is touched on the way. What does not fit (too large, more than nine decimals, not a number) is said, never
cut or rounded.
"""

import re

import msgspec
import numpy as np
from numpy.typing import NDArray

from ledger.compiled import Bytes, borrowed, compiled
from ledger.scale import QUANTITY_ONE, QUANTITY_SCALE, UNITS_MAX
from metering.errors import MISSING_VALUE, OUT_OF_BOUNDS_VALUE, UNREADABLE_VALUE
from metering.fields import Spans
from metering.grammar import MINUS, POINT, QUOTE, ZERO, digits_end

QUANTITY_MAX = UNITS_MAX * QUANTITY_ONE
NUMBER = re.compile(rb"(-?)(0|[1-9][0-9]{0,400})(?:\.([0-9]{1,400}))?(?:[eE]([+-]?[0-9]{1,400}))?")
PLAIN_DIGITS_MAX = len(str(UNITS_MAX)) - 1
"""As many digits before the point as no bound forbids."""

LOW, HIGH = 0, 1
NOTHING = np.uint64(0)
ONE = np.uint64(QUANTITY_ONE)
HALF = np.uint64(2**32 - 1)
HALF_BITS = np.uint64(32)

Pairs = NDArray[np.uint64]
"""The low and the high word of each 128-bit integer."""


def quantities(text: Bytes, tokens: Spans) -> tuple[Pairs, list[int]]:
    """The quantities at `tokens`, and the rows that need a closer look, whose quantity is 0.

    A token is a JSON value as it was written: where it begins, and how many bytes it has.
    """
    found = np.zeros((len(tokens), 2), np.uint64)
    is_plain = np.empty(len(tokens), np.bool_)
    read_rows(text, tokens, found, is_plain)
    return found, np.flatnonzero(~is_plain).tolist()


@compiled
def read_rows(text: Bytes, tokens: Spans, found: Pairs, is_plain: NDArray[np.bool_]) -> None:
    """Read every plain number, quoted or not."""
    text = borrowed(text)
    for row in range(len(tokens)):
        at, end = tokens[row, 0], tokens[row, 0] + tokens[row, 1]
        if at < end and text[at] == QUOTE:
            at, end = at + 1, end - 1
        is_plain[row], found[row, LOW], found[row, HIGH] = plain_quantity(text, at, end)


@compiled
def plain_quantity(text: Bytes, at: int, end: int) -> tuple[bool, np.uint64, np.uint64]:
    """Whether the number up to `end` is plain, and the two words it is stored as."""
    is_negative = at < end and text[at] == MINUS
    at += is_negative
    whole_end = digits_end(text, at, end)
    digits = whole_end - at
    if not 0 < digits <= PLAIN_DIGITS_MAX or (text[at] == ZERO and digits > 1):
        return False, NOTHING, NOTHING
    whole = np.int64(0)
    for place in range(at, whole_end):
        whole = whole * 10 + (text[place] - ZERO)
    fraction = np.int64(0)
    if whole_end < end:
        decimals_end = digits_end(text, whole_end + 1, end)
        decimals = decimals_end - whole_end - 1
        if text[whole_end] != POINT or decimals_end != end or not 0 < decimals <= QUANTITY_SCALE:
            return False, NOTHING, NOTHING
        for place in range(QUANTITY_SCALE):
            fraction = fraction * 10 + (text[whole_end + 1 + place] - ZERO if place < decimals else 0)
    low, high = scaled(np.uint64(whole), np.uint64(fraction))
    if is_negative:
        low = ~low + np.uint64(1)
        high = ~high + np.uint64(low == NOTHING)
    return True, low, high


@compiled
def scaled(whole: np.uint64, fraction: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Whole * 10^9 + fraction in two words; half words are what can be multiplied without loss."""
    lower = (whole & HALF) * ONE + fraction
    upper = (whole >> HALF_BITS) * ONE
    low = lower + (upper << HALF_BITS)
    return low, (upper >> HALF_BITS) + np.uint64(low < lower)


def quantity(token: bytes) -> int | str:
    """The quantity one token holds, or the reason why it holds none."""
    if token in (b"", b"null"):
        return MISSING_VALUE
    if token[:1] == b'"':
        # A digit may be written as an escape; a plain string needs no decoding.
        token = msgspec.json.decode(token, type=str).encode() if b"\\" in token else token[1:-1]
    match = NUMBER.fullmatch(token)
    if match is None:
        return UNREADABLE_VALUE
    sign, whole, fraction, exponent = match.groups()
    digits = int(whole + (fraction or b""))
    if not digits:
        return 0
    shift = QUANTITY_SCALE - len(fraction or b"") + int(exponent or b"0")
    # Far out of bounds either way: neither power of ten below is ever larger than the token it is made from.
    if shift > 2 * len(str(QUANTITY_MAX)) or -shift > len(whole) + len(fraction or b""):
        return OUT_OF_BOUNDS_VALUE
    scaled: int
    scaled, lost = divmod(digits, 10**-shift) if shift < 0 else (digits * 10**shift, 0)
    if lost or scaled > QUANTITY_MAX:
        return OUT_OF_BOUNDS_VALUE
    return -scaled if sign else scaled
