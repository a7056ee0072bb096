"""Hold where each field of each event stands in one text: what every way of reading events ends in.

The compiled scanner finds the places in a body as it was sent; events that a decoder had to read, and events that are
read back from the ledger, are laid out behind each other in a text of their own. From here on all are the same.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ledger.compiled import Bytes, compiled

Spans = NDArray[np.int32]

ID: Final = 0
SOURCE: Final = 2
TYPE: Final = 4
SUBJECT: Final = 6
DATA: Final = 8
SPAN_COLUMNS: Final = 10
"""Of each field: where it begins, and in the column after that how many bytes it has."""

NO_DATA = b"null"
ABSENT: Final = -1
"""Where data begins that an event does not have: joined texts begin with what stands for it."""


class Fields(NamedTuple):
    """Events; their times are instants in milliseconds."""

    text: Bytes
    spans: Spans
    time: NDArray[np.int64]

    @property
    def size(self) -> int:
        """How many events there are."""
        return len(self.spans)


def joined(several: Sequence[Fields]) -> Fields:
    """Several as one."""
    lengths = [len(NO_DATA), *(len(one.text) for one in several)]
    begins = np.cumsum(lengths, dtype=np.int32)[:-1]
    spans = np.concatenate([np.zeros((0, SPAN_COLUMNS), np.int32), *(one.spans for one in several)])
    has_none = spans[:, DATA] == ABSENT
    spans[:, ::2] += np.repeat(begins, [one.size for one in several])[:, np.newaxis]
    spans[has_none, DATA] = 0
    return Fields(
        np.frombuffer(b"".join([NO_DATA, *(one.text.data for one in several)]), np.uint8),
        spans,
        np.concatenate([np.zeros(0, np.int64), *(one.time for one in several)]),
    )


def laid_out(columns: Sequence[pa.Array], time: NDArray[np.int64]) -> Fields:
    """Events whose id, source, type, subject and data are text columns."""
    spans = np.zeros((len(time), SPAN_COLUMNS), np.int32)
    texts: list[Any] = []
    base = 0
    for field, column in zip((ID, SOURCE, TYPE, SUBJECT, DATA), columns, strict=True):
        offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
        if not len(column):
            continue
        spans[:, field] = offsets[:-1] - offsets[0] + base
        spans[:, field + 1] = np.diff(offsets)
        nbytes = int(offsets[-1] - offsets[0])
        if nbytes:
            texts.append(column.buffers()[2].slice(int(offsets[0]), nbytes))
        base += nbytes
    return Fields(np.frombuffer(b"".join(texts), np.uint8), spans, np.array(time))


def text_column(text: Bytes, begins: Spans, lengths: Spans) -> pa.Array:
    """What stands at some places, as a text column."""
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    begins = np.ascontiguousarray(begins)  # of one layout, whatever it was cut from: each is compiled for
    copied = np.empty(int(offsets[-1]), np.uint8)
    copy_rows(text, begins, offsets, copied)
    return pa.Array.from_buffers(pa.string(), len(lengths), [None, pa.py_buffer(offsets), pa.py_buffer(copied)])


@compiled
def copy_rows(text: Bytes, begins: Spans, offsets: Spans, out: Bytes) -> None:
    """Copy what begins at `begins` to `offsets`."""
    for row in range(len(begins)):
        begin = begins[row] - offsets[row]
        for at in range(offsets[row], offsets[row + 1]):
            out[at] = text[begin + at]


def word_column(text: Bytes, begins: Spans, lengths: Spans, hashes: NDArray[np.uint64]) -> pa.DictionaryArray:
    """What stands at some places, as a column of codes and the different words they stand for."""
    begins, lengths, hashes = map(np.ascontiguousarray, (begins, lengths, hashes))  # as above
    slots = np.full(1 << max(4, int(2 * len(begins) - 1).bit_length()), -1, np.int32)
    codes, firsts = np.empty(len(begins), np.int32), np.empty(len(begins), np.int32)
    words = code_rows(text, begins, lengths, hashes, slots, codes, firsts)
    first = firsts[:words]
    return pa.DictionaryArray.from_arrays(pa.array(codes), text_column(text, begins[first], lengths[first]))


@compiled
def code_rows(
    text: Bytes, begins: Spans, lengths: Spans, hashes: NDArray[np.uint64], slots: Spans, codes: Spans, firsts: Spans
) -> int:
    """Number the different words in the order they come in; return how many there are."""
    words = 0
    mask = len(slots) - 1
    for row in range(len(begins)):
        if row > 0 and is_same(text, begins, lengths, row, row - 1):
            codes[row] = codes[row - 1]
            continue
        slot = np.int64(hashes[row] & np.uint64(mask))
        while slots[slot] >= 0 and not is_same(text, begins, lengths, row, firsts[slots[slot]]):
            slot = (slot + 1) & mask
        if slots[slot] < 0:
            slots[slot] = words
            firsts[words] = row
            words += 1
        codes[row] = slots[slot]
    return words


@compiled
def is_same(text: Bytes, begins: Spans, lengths: Spans, one: int, other: int) -> bool:
    """Whether two rows hold the same word."""
    if lengths[one] != lengths[other]:
        return False
    begin, other_begin = begins[one], begins[other]
    for place in range(lengths[one]):
        if text[begin + place] != text[other_begin + place]:
            return False
    return True
