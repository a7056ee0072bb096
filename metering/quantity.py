"""Read quantities exactly: a JSON number, or a string that holds one, becomes an integer of 10^-9 units.

No float is touched on the way. What does not fit (too large, more than nine decimals, not a number) is said, never
cut or rounded.
"""

import re
from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ledger.scale import QUANTITY_ONE, QUANTITY_SCALE, UNITS_MAX, decimal_integers, integers
from metering.errors import MISSING_VALUE, OUT_OF_BOUNDS_VALUE, UNREADABLE_VALUE

QUANTITY_MAX = UNITS_MAX * QUANTITY_ONE
NUMBER = re.compile(rb"(-?)(0|[1-9][0-9]{0,400})(?:\.([0-9]{1,400}))?(?:[eE]([+-]?[0-9]{1,400}))?")
PLAIN_NUMBER = r"^-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,9})?$"
PLAIN_TYPE = pa.decimal128(38, QUANTITY_SCALE)
QUOTE = ord('"')

Buffer = bytes | msgspec.Raw
Integers = NDArray[np.int64] | NDArray[np.object_]


def quantities(tokens: Sequence[Buffer]) -> tuple[Integers, dict[int, str]]:
    """The quantities `tokens` hold, and for those that hold none the reason by index (their quantity is 0).

    A token is a JSON value as it was written, or empty where there was none.
    """
    plain = _plain(tokens)
    if plain is not None:
        return plain, {}
    values: list[int] = []
    reasons: dict[int, str] = {}
    for index, token in enumerate(tokens):
        value = quantity(bytes(token))
        if isinstance(value, str):
            reasons[index] = value
            value = 0
        values.append(value)
    return integers(values), reasons


def _plain(tokens: Sequence[Buffer]) -> Integers | None:
    """All of `tokens` at once where every one is a plain number, quoted or not; None where one needs a closer look."""
    text = _unquoted(tokens)
    if text is None or not pc.all(pc.match_substring_regex(text, PLAIN_NUMBER), min_count=0).as_py():
        return None
    column = text.cast(PLAIN_TYPE)
    if not len(column):
        return np.array([], dtype=np.int64)
    found = decimal_integers(column.buffers()[1].slice(column.offset * 16, len(column) * 16))
    return found if np.abs(found).max() <= QUANTITY_MAX else None


def _unquoted(tokens: Sequence[Buffer]) -> pa.Array | None:
    """`tokens` as a text column, without the quotes if all of them are quoted; None if there is nothing to read."""
    lengths = np.fromiter(map(len, tokens), dtype=np.int32, count=len(tokens))
    if not len(tokens) or lengths.min() == 0:
        return None
    joined = b"".join(tokens)
    offsets = np.zeros(len(tokens) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    text = pa.Array.from_buffers(pa.string(), len(tokens), [None, pa.py_buffer(offsets), pa.py_buffer(joined)])
    first = np.frombuffer(joined, dtype=np.uint8)[offsets[:-1]]
    if (first != QUOTE).all():
        return text
    if (first == QUOTE).all():
        return pc.utf8_slice_codeunits(text, 1, -1)
    return pc.utf8_trim(text, '"')


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
