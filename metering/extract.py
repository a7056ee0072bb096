"""Read from an event's data what the meters of its type ask for: values, exactly, and dimensions, as text.

One extractor serves one event type at one catalog version; it takes all events of the type in a batch at once. Plain
data is looked through by compiled code; an event whose data is not plain goes through the decoder, alone.
"""

from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ledger.compiled import Bytes, borrowed, compiled
from ledger.meters import Layout
from metering.errors import UNREADABLE_DATA, UNREADABLE_DIMENSION
from metering.fields import DATA, Fields, Spans
from metering.grammar import (
    CLOSE_OBJECT,
    COMMA,
    LOWER_N,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    plain_string_end,
    space_end,
    value_end,
)
from metering.quantity import Pairs, quantities, quantity

ABSENT = msgspec.Raw(b"")
NOT_THERE, NOT_PLAIN = -1, -2


class Extracted(NamedTuple):
    """What was read, a row an event."""

    values: list[Pairs]
    """Of each value: columns of two words."""
    dimensions: list[Spans]
    """Of each dimension: where its text stands, and how long it is."""
    texts: list[dict[int, str]]
    """Of each dimension: the texts that stand nowhere as they are meant."""
    reasons: dict[int, str]
    """Why events can't be counted."""


class Extractor:
    """Reads the paths of one `layout`."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        paths = dict.fromkeys([*layout.values, *layout.dimensions])
        self._decoder = msgspec.json.Decoder(_structure(_tree(paths)) | None)
        self._keys = {path: _keys(path) for path in paths}

    @property
    def reads_data(self) -> bool:
        """Whether any meter looks into the data at all."""
        return bool(self._keys)

    def extract(self, events: Fields, rows: NDArray[np.int64]) -> Extracted:
        """What the data of the events at `rows` holds."""
        reasons: dict[int, str] = {}
        data = events.spans[rows, DATA : DATA + 2]
        tokens = {path: self._tokens(events.text, data, path) for path in self._keys}
        decoded: dict[int, Any] = {}
        for path_tokens in tokens.values():
            for row in np.flatnonzero(path_tokens[:, 0] == NOT_PLAIN).tolist():
                if row not in decoded:
                    decoded[row] = self._read(row, _token(events.text, data[row]), reasons)

        def token(path: str, row: int) -> bytes:
            return _value(decoded[row], path) if row in decoded else _token(events.text, tokens[path][row])

        values: list[Pairs] = []
        for path in self.layout.values:
            found, unread = quantities(events.text, tokens[path])
            for row in sorted({*unread, *decoded}):
                value = quantity(token(path, row))
                if isinstance(value, str):
                    reasons.setdefault(row, f"{value} ({path})")
                    value = 0
                found[row] = value % 2**64, (value >> 64) % 2**64
            values.append(found)
        dimensions: list[Spans] = []
        texts: list[dict[int, str]] = []
        for path in self.layout.dimensions:
            places, unread = _plain_texts(events.text, tokens[path])
            read = {row: _scalar_text(token(path, row)) for row in sorted({*unread, *decoded})}
            for row in (row for row, text in read.items() if text is None):
                reasons.setdefault(row, f"{UNREADABLE_DIMENSION} ({path})")
            dimensions.append(places)
            texts.append({row: text or "" for row, text in read.items()})
        return Extracted(values, dimensions, texts, reasons)

    def _tokens(self, text: Bytes, data: Spans, path: str) -> Spans:
        keys, ends = self._keys[path]
        tokens = np.empty((len(data), 2), np.int32)
        find_rows(text, data, keys, ends, tokens)
        return tokens

    def _read(self, row: int, data: bytes, reasons: dict[int, str]) -> Any:
        try:
            return self._decoder.decode(data)
        except msgspec.DecodeError:
            reasons[row] = UNREADABLE_DATA
            return None


@compiled
def find_rows(text: Bytes, data: Spans, keys: Bytes, ends: NDArray[np.int64], tokens: Spans) -> None:
    """Where the value of one path stands in the data of each event, and how long it is."""
    text, keys, ends = borrowed(text), borrowed(keys), borrowed(ends)
    for row in range(len(data)):
        at, end = data[row, 0], data[row, 0] + data[row, 1]
        key_at = 0
        for key_end in ends:
            at, end = member(text, at, end, keys, key_at, key_end)
            if at < 0:
                break
            key_at = key_end
        tokens[row, 0], tokens[row, 1] = at, end - at if at >= 0 else 0


@compiled
def member(text: Bytes, at: int, end: int, keys: Bytes, key_at: int, key_end: int) -> tuple[int, int]:
    """Where the value of one key of the object at `at` begins and ends."""
    found, found_end = NOT_THERE, NOT_THERE
    if text[at] == LOWER_N:
        return NOT_THERE, NOT_THERE
    if text[at] != OPEN_OBJECT:
        return NOT_PLAIN, NOT_PLAIN
    at = space_end(text, at + 1, end, True)
    if at < end and text[at] == CLOSE_OBJECT:
        return found, found_end
    while True:
        name_at = at + 1
        at = plain_string_end(text, name_at, end)
        if at < 0:
            return NOT_PLAIN, NOT_PLAIN
        is_wanted = at - 1 - name_at == key_end - key_at
        for place in range(key_end - key_at if is_wanted else 0):
            is_wanted = is_wanted and text[name_at + place] == keys[key_at + place]
        value_at = space_end(text, space_end(text, at, end, True) + 1, end, True)  # between them is the colon
        at = value_end(text, value_at, end, True)
        if at < 0 or (is_wanted and found >= 0):
            return NOT_PLAIN, NOT_PLAIN
        if is_wanted:
            found, found_end = value_at, at
        at = space_end(text, at, end, True)
        if at >= end or text[at] != COMMA:
            return found, found_end
        at = space_end(text, at + 1, end, True)


def _plain_texts(text: Bytes, tokens: Spans) -> tuple[Spans, list[int]]:
    """Where the texts of dimensions stand, and the rows that need a closer look, whose text is empty."""
    places = np.empty((len(tokens), 2), np.int32)
    is_plain = np.empty(len(tokens), np.bool_)
    place_texts(text, tokens, places, is_plain)
    return places, np.flatnonzero(~is_plain).tolist()


@compiled
def place_texts(text: Bytes, tokens: Spans, places: Spans, is_plain: NDArray[np.bool_]) -> None:
    """What a dimension says: a string without its quotes, other scalars as they are written, nothing for nothing."""
    text = borrowed(text)
    for row in range(len(tokens)):
        at, length = tokens[row, 0], tokens[row, 1]
        is_plain[row] = True
        if at < 0 or text[at] == LOWER_N:
            at, length = 0, 0
        elif text[at] == QUOTE:
            at, length = at + 1, length - 2
            is_plain[row] = plain_string_end(text, at, at + length + 1) == at + length + 1
        else:
            is_plain[row] = text[at] != OPEN_OBJECT and text[at] != OPEN_ARRAY
        places[row, 0], places[row, 1] = at, length if is_plain[row] else 0


def _token(text: Bytes, place: Spans) -> bytes:
    at, length = place.tolist()
    return text[at : at + length].tobytes() if at >= 0 else b""


def _value(data: Any, path: str) -> bytes:
    """What decoded data holds at `path`, as it was written; null on the way there is an object without anything."""
    for part in path.split("."):
        if data is None:
            return b""
        data = getattr(data, _attribute(part))
    return bytes(data)


def _scalar_text(token: bytes) -> str | None:
    """A dimension's text: strings as they read, other scalars as they were written; None for what is no scalar."""
    if token in (b"", b"null"):
        return ""
    if token[:1] in (b"{", b"["):
        return None
    if token[:1] == b'"':
        return msgspec.json.decode(token, type=str)
    return token.decode()


def _keys(path: str) -> tuple[Bytes, NDArray[np.int64]]:
    """The keys of a path behind each other, and where each ends."""
    keys = [part.encode() for part in path.split(".")]
    return np.frombuffer(b"".join(keys), np.uint8), np.cumsum([len(key) for key in keys])


def _tree(paths: dict[str, None]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in paths:
        *above, name = path.split(".")
        branch = tree
        for part in above:
            branch = branch.setdefault(part, {})
        branch[name] = None
    return tree


def _structure(tree: dict[str, Any]) -> Any:
    """A struct type for `tree`; fields are numbered, because a name in someone's JSON may be no identifier."""
    fields: list[tuple[str, Any, Any]] = []
    names: dict[str, str] = {}
    for name, below in tree.items():
        field = _attribute(name)
        names[field] = name
        if isinstance(below, dict):
            fields.append((field, _structure(below) | None, None))
        else:
            fields.append((field, msgspec.Raw, ABSENT))
    return msgspec.defstruct("Data", fields, rename=names, gc=False)


def _attribute(name: str) -> str:
    return "f_" + name.encode().hex()
