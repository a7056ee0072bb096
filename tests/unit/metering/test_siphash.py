"""The compiled SipHash is SipHash-2-4-128: its authors' vectors for the scalar one here, and that one for ours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.siphash import hash_rows

MASK = 2**64 - 1
KEY = bytes(range(16))
VECTORS = {
    0: "a3817f04ba25a8e66df67214c7550293",
    1: "da87c1d86b99af44347659119b22fc45",
}


def siphash(key: bytes, message: bytes) -> bytes:
    """SipHash-2-4 with 128 bits, as its paper describes it, one word after the other."""
    k0, k1 = (int.from_bytes(key[at : at + 8], "little") for at in (0, 8))
    v = [0x736F6D6570736575 ^ k0, 0x646F72616E646F6D ^ k1 ^ 0xEE, 0x6C7967656E657261 ^ k0, 0x7465646279746573 ^ k1]

    def rotate(word: int, bits: int) -> int:
        return (word << bits | word >> (64 - bits)) & MASK

    def rounds(many: int) -> None:
        for _ in range(many):
            v[0] = (v[0] + v[1]) & MASK
            v[2] = (v[2] + v[3]) & MASK
            v[1] = rotate(v[1], 13) ^ v[0]
            v[3] = rotate(v[3], 16) ^ v[2]
            v[0] = rotate(v[0], 32)
            v[2] = (v[2] + v[1]) & MASK
            v[0] = (v[0] + v[3]) & MASK
            v[1] = rotate(v[1], 17) ^ v[2]
            v[3] = rotate(v[3], 21) ^ v[0]
            v[2] = rotate(v[2], 32)

    whole = len(message) // 8 * 8
    last = message[whole:].ljust(7, b"\0") + bytes([len(message) % 256])
    for at in range(0, whole + 8, 8):
        word = int.from_bytes((message[:whole] + last)[at : at + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xEE
    rounds(4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    rounds(4)
    return b"".join(half.to_bytes(8, "little") for half in (first, v[0] ^ v[1] ^ v[2] ^ v[3]))


@pytest.mark.parametrize("length", VECTORS)
def test_the_scalar_one_gives_the_published_vectors(length: int) -> None:
    assert siphash(KEY, bytes(range(length))).hex() == VECTORS[length]


parts = st.lists(st.binary(max_size=40), min_size=1, max_size=3)


@given(st.binary(min_size=16, max_size=16), parts, st.integers(-(2**63), 2**63 - 1))
def test_a_row_is_hashed_as_its_number_and_its_parts_with_their_lengths(
    key: bytes, row: list[bytes], number: int
) -> None:
    text = np.frombuffer(b"".join(row) + b"beyond", np.uint8)
    spans, at = [], 0
    for part in row:
        spans += [at, len(part)]
        at += len(part)
    found = np.empty((1, 2), np.uint64)
    columns = tuple(range(0, len(spans), 2))
    numbers = np.array([number], np.int64)
    hash_rows(text, np.array([spans], np.int32), columns, numbers, np.frombuffer(key, np.uint64), found)
    message = number.to_bytes(8, "little", signed=True)
    for part in row:
        message += len(part).to_bytes(8, "little") + part + bytes(-len(part) % 8)
    assert found.tobytes() == siphash(key, message)


def test_rows_that_say_the_same_in_other_parts_have_other_hashes() -> None:
    text = np.frombuffer(b"abcd", np.uint8)
    spans = np.array([[0, 1, 1, 3], [0, 2, 2, 2], [0, 0, 0, 4], [0, 4, 4, 0]], np.int32)
    found = np.empty((4, 2), np.uint64)
    hash_rows(text, spans, (0, 2), np.zeros(4, np.int64), np.frombuffer(KEY, np.uint64), found)
    assert len({pair.tobytes() for pair in found}) == 4
