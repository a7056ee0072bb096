"""Whatever number stands in a JSON text, it is read exactly or refused with the reason: against Decimal."""

import json
import re
from decimal import Context, Decimal

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.scale import QUANTITY_ONE, UNITS_MAX
from metering.errors import MISSING_VALUE, OUT_OF_BOUNDS_VALUE, UNREADABLE_VALUE
from metering.quantity import quantities, quantity

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
EXACT = Context(prec=2_000, Emax=999_999, Emin=-999_999)


def meaning(token: bytes) -> int | str:
    """What `token` says, the slow way."""
    value = json.loads(token, parse_int=str, parse_float=str) if token else None
    if value is None:
        return MISSING_VALUE
    if not isinstance(value, str) or not JSON_NUMBER.fullmatch(value) or not value.isascii():
        return UNREADABLE_VALUE
    units = Decimal(value)
    scaled = EXACT.multiply(units, QUANTITY_ONE)
    if abs(units) > UNITS_MAX or scaled != EXACT.to_integral_value(scaled):
        return OUT_OF_BOUNDS_VALUE
    return int(scaled)


digits = st.text("0123456789", min_size=1, max_size=18)
grammatical = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "-"]),
        st.one_of(st.just("0"), st.integers(1, 10**18).map(str), st.sampled_from(["1", "9"]).map(lambda d: d * 16)),
        st.one_of(st.just(""), digits.map(lambda d: "." + d), st.just(".000000000"), st.just(".0000000010")),
        st.one_of(
            st.just(""),
            st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), st.integers(0, 500)),
        ),
    ),
)
plain = st.builds(
    "{}{}.{}".format, st.sampled_from(["", "-"]), st.integers(0, 10**16), st.text("0123456789", min_size=1, max_size=9)
)
anything = st.text('0123456789.eE+-_ \t\n"\\NaInfx٣１ ', max_size=12)
quoted = st.one_of(grammatical, plain, anything, st.builds("0{}".format, grammatical)).map(
    lambda text: json.dumps(text).encode()
)
others = st.sampled_from([b"", b"null", b"true", b"false", b"{}", b"[1]", b'""', b'"\\u0031"', b'"1\\u0030.5"'])
tokens = st.one_of(grammatical.map(str.encode), plain.map(str.encode), quoted, others)


def check(token_list: list[bytes]) -> None:
    for token, read in zip(token_list, read_at_once(token_list), strict=True):
        assert read in (None, meaning(token)), token


def read_at_once(token_list: list[bytes]) -> list[int | None]:
    """What the compiled reader makes of tokens in one text; None for those it leaves to `quantity`."""
    ends = np.cumsum([0, *map(len, token_list)])
    tokens = np.stack([ends[:-1], np.diff(ends)], axis=1).astype(np.int32)
    found, unread = quantities(np.frombuffer(b"".join(token_list) + b"9", np.uint8), tokens)
    assert not found[unread].any()
    words = [pair.tobytes() for pair in found]
    return [None if row in unread else int.from_bytes(word, "little", signed=True) for row, word in enumerate(words)]


@given(tokens)
@example(b"1e-12")
@example(b"1e-9")
@example(b"0.1234567891")
@example(b"1.0000000000")
@example(b"1e400")
@example(b"1e-400")
@example(b"0e99999")
@example(b"1e00002")
@example(b"1e-99999")
@example(b"1e99999")
@example(b"-0")
@example(b"-0.0e-0")
@example(b'"NaN"')
@example(b'"Infinity"')
@example(b'"1_0"')
@example('"١٠"'.encode())
@example('"１"'.encode())
@example(b'" 1"')
@example(b'"1 "')
@example(b'"1\\n"')
@example(b'"+1"')
@example(b'"01"')
@example(b'".5"')
@example(b'"5."')
@example(b'"0x10"')
@example(b'"\\"1\\""')
@example(b"1000000000000000")
@example(b"-1000000000000000")
@example(b"1000000000000000.000000001")
@example(b"1000000000000001")
@example(b"999999999999999.999999999")
@example(b"1e15")
@example(b"9007199254740993.1")
@example(b"10000000000000000")
def test_a_token_is_read_as_decimal_reads_it(token: bytes) -> None:
    assert quantity(token) == meaning(token)
    check([token])


@given(st.lists(tokens, max_size=12))
def test_a_mixed_batch_reads_each_token_as_if_it_were_alone(token_list: list[bytes]) -> None:
    check(token_list)


@given(st.lists(plain, min_size=1, max_size=30), st.sampled_from(["numbers", "strings", "both"]))
@example(["1000000000000000.0", "1000000000000000.000000001"], "numbers")
@example(["-1000000000000000.0"], "strings")
@example(["9999999999999999.9", "1.0"], "both")
@example(["-0.000000001", "9223372036.854775807", "9223372036.854775808"], "numbers")
@example(["-9223372036.854775808", "-9223372036.854775809"], "both")
def test_a_batch_of_plain_numbers_reads_each_as_if_it_were_alone(texts: list[str], written_as: str) -> None:
    quotes = {"numbers": ("", ""), "strings": ('"', '"'), "both": ("", '"')}[written_as]
    check([f"{quotes[place % 2]}{text}{quotes[place % 2]}".encode() for place, text in enumerate(texts)])


@given(st.lists(st.integers(-(10**24), 10**24), min_size=1, max_size=20))
def test_every_quantity_that_can_be_written_is_read_back(scaled: list[int]) -> None:
    texts = [f"{'-' * (value < 0)}{abs(value) // QUANTITY_ONE}.{abs(value) % QUANTITY_ONE:09}" for value in scaled]
    assert [quantity(text.encode()) for text in texts] == scaled
    for read, value in zip(read_at_once([text.encode() for text in texts]), scaled, strict=True):
        assert read == (value if abs(value) < 10**24 else None)
