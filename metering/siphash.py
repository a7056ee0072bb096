"""SipHash-2-4 with 128 bits over parts of a text: keyed, so nobody outside can choose texts that collide.

What is hashed of a row is one message: a number of eight bytes, then each part as its length in eight bytes and its
bytes, filled up with zeros to the next multiple of eight. So no two different rows make the same message.
"""

import numpy as np
from numpy.typing import NDArray

from ledger.compiled import Bytes, borrowed, compiled
from metering.fields import Fields, Spans

UInt64 = np.uint64
UInt64s = NDArray[np.uint64]
Int64s = NDArray[np.int64]
State = tuple[UInt64, UInt64, UInt64, UInt64]

START = tuple(
    np.uint64(word) for word in (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
)
WIDE = np.uint64(0xEE)
SECOND = np.uint64(0xDD)
BYTE = np.uint64(8)
WORD = np.uint64(64)
LAST_BYTE = np.uint64(56)


def hashed(events: Fields, fields: tuple[int, ...], numbers: NDArray[np.int64], key: UInt64s) -> UInt64s:
    """The hash of a number and some fields of each event, as two words."""
    found = np.empty((events.size, 2), np.uint64)
    hash_rows(events.text, events.spans, fields, numbers, key, found)
    return found


@compiled
def rotated(word: UInt64, bits: int) -> UInt64:
    """`word`, its bits moved round to the left."""
    return (word << np.uint64(bits)) | (word >> (WORD - np.uint64(bits)))


@compiled
def mixed(a: UInt64, b: UInt64, c: UInt64, d: UInt64) -> State:
    """One round."""
    a, c = a + b, c + d
    b, d = rotated(b, 13) ^ a, rotated(d, 16) ^ c
    a = rotated(a, 32)
    c, a = c + b, a + d
    b, d = rotated(b, 17) ^ c, rotated(d, 21) ^ a
    c = rotated(c, 32)
    return a, b, c, d


@compiled
def taken(state: State, word: UInt64) -> State:
    """The state after a word of the message."""
    a, b, c, d = state
    a, b, c, d = mixed(a, b, c, d ^ word)
    a, b, c, d = mixed(a, b, c, d)
    return a ^ word, b, c, d


@compiled
def word_at(text: Bytes, at: int, many: int) -> UInt64:
    """`many` bytes, up to eight, as a word: the first is the lowest."""
    word = np.uint64(0)
    for place in range(many):
        word |= np.uint64(text[at + place]) << (np.uint64(place) * BYTE)
    return word


@compiled
def whole_word_at(text: Bytes, at: int) -> UInt64:
    """Eight bytes as a word: written out, because the compiler then makes one load of them."""
    return (
        np.uint64(text[at])
        | np.uint64(text[at + 1]) << np.uint64(8)
        | np.uint64(text[at + 2]) << np.uint64(16)
        | np.uint64(text[at + 3]) << np.uint64(24)
        | np.uint64(text[at + 4]) << np.uint64(32)
        | np.uint64(text[at + 5]) << np.uint64(40)
        | np.uint64(text[at + 6]) << np.uint64(48)
        | np.uint64(text[at + 7]) << np.uint64(56)
    )


@compiled
def text_taken(state: State, text: Bytes, at: int, length: int) -> State:
    """The state after a part of the text: its length, then its bytes."""
    state = taken(state, np.uint64(length))
    whole = length // 8
    for word in range(whole):
        state = taken(state, whole_word_at(text, at + word * 8))
    left = length - whole * 8
    if left:
        state = taken(state, word_at(text, at + whole * 8, left))
    return state


@compiled
def started(key: UInt64s) -> State:
    """The state before any word."""
    return START[0] ^ key[0], START[1] ^ key[1] ^ WIDE, START[2] ^ key[0], START[3] ^ key[1]


@compiled
def finished(state: State, words: int) -> tuple[UInt64, UInt64]:
    """The two halves of the hash of a message of so many words."""
    a, b, c, d = taken(state, np.uint64(words * 8) << LAST_BYTE)
    c ^= WIDE
    for _ in range(4):
        a, b, c, d = mixed(a, b, c, d)
    low = a ^ b ^ c ^ d
    b ^= SECOND
    for _ in range(4):
        a, b, c, d = mixed(a, b, c, d)
    return low, a ^ b ^ c ^ d


@compiled
def hash_rows(text: Bytes, spans: Spans, parts: tuple[int, ...], numbers: Int64s, key: UInt64s, out: UInt64s) -> None:
    """Put the hash of each row's number and `parts` (pairs of columns of `spans`: where and how long) into `out`."""
    text, spans = borrowed(text), borrowed(spans)
    for row in range(len(spans)):
        state = taken(started(key), np.uint64(numbers[row]))
        words = 1
        for part in parts:
            length = spans[row, part + 1]
            state = text_taken(state, text, spans[row, part], length)
            words += 1 + (length + 7) // 8
        out[row, 0], out[row, 1] = finished(state, words)
