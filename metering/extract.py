"""Read from an event's data what the meters of its type ask for: values, exactly, and dimensions, as text.

One extractor serves one event type at one catalog version; it takes all events of the type in a batch at once.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from ledger.meters import Layout
from metering.errors import UNREADABLE_DATA, UNREADABLE_DIMENSION
from metering.quantity import Buffer, Integers, quantities

ABSENT = msgspec.Raw(b"")


class Extracted(NamedTuple):
    """Columns of what was read, one entry an event, and the reasons of those that can't be counted."""

    values: list[Integers]
    dimensions: list[pa.Array]
    reasons: dict[int, str]


class Extractor:
    """Reads the paths of one `layout`."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        leaves = dict.fromkeys(layout.values, "value") | dict.fromkeys(layout.dimensions, "dimension")
        # A path may be a value of one meter and a dimension of another: it is then read as a value.
        leaves |= dict.fromkeys(layout.values, "value")
        self._only_text = {path for path, kind in leaves.items() if kind == "dimension"}
        self._plain = msgspec.json.Decoder(list[_structure(_tree(leaves), plain=True)])  # type: ignore[misc]
        self._careful = msgspec.json.Decoder(_structure(_tree(leaves), plain=False))
        self._get: dict[str, Callable[[Any], Any]] = {path: attrgetter(_attributes(path)) for path in leaves}

    @property
    def reads_data(self) -> bool:
        """Whether any meter looks into the data at all."""
        return bool(self._get)

    def extract(self, data: Sequence[Buffer]) -> Extracted:
        """What `data`, the data of each event as it was written, holds."""
        if not self.reads_data:
            return Extracted([], [], {})
        reasons: dict[int, str] = {}
        only_text = self._only_text
        try:
            rows = self._plain.decode(b"[" + b",".join(data) + b"]")
        except msgspec.DecodeError:
            rows = [self._read(index, one, reasons) for index, one in enumerate(data)]
            only_text = set()
        values: list[Integers] = []
        for path in self.layout.values:
            found, wrong = quantities(list(map(self._get[path], rows)))
            values.append(found)
            reasons |= {index: f"{reason} ({path})" for index, reason in wrong.items() if index not in reasons}
        dimensions = [
            pa.array(map(self._get[path], rows), pa.string(), size=len(rows)).fill_null("")
            if path in only_text
            else self._texts(path, rows, reasons)
            for path in self.layout.dimensions
        ]
        return Extracted(values, dimensions, reasons)

    def _read(self, index: int, data: Buffer, reasons: dict[int, str]) -> Any:
        try:
            return self._careful.decode(b"{}" if bytes(data) == b"null" else data)
        except msgspec.DecodeError:
            reasons[index] = UNREADABLE_DATA
            return self._careful.decode(b"{}")

    def _texts(self, path: str, rows: list[Any], reasons: dict[int, str]) -> pa.Array:
        texts: list[str] = []
        for index, found in enumerate(map(self._get[path], rows)):
            text = _scalar_text(found)
            if text is None:
                reasons.setdefault(index, f"{UNREADABLE_DIMENSION} ({path})")
            texts.append(text or "")
        return pa.array(texts, pa.string())


def _scalar_text(found: msgspec.Raw) -> str | None:
    """A dimension's text: strings as they read, other scalars as they were written; None for what is no scalar."""
    token = bytes(found)
    if token in (b"", b"null"):
        return ""
    if token[:1] in (b"{", b"["):
        return None
    if token[:1] == b'"':
        return msgspec.json.decode(token, type=str)
    return token.decode()


def _tree(leaves: dict[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, kind in leaves.items():
        *above, name = path.split(".")
        branch = tree
        for part in above:
            branch = branch.setdefault(part, {})
        branch[name] = kind
    return tree


def _structure(tree: dict[str, Any], *, plain: bool) -> Any:
    """A struct type for `tree`; fields are numbered, because a name in someone's JSON may be no identifier."""
    fields: list[tuple[str, Any, Any]] = []
    names: dict[str, str] = {}
    for name, below in tree.items():
        field = _attribute(name)
        names[field] = name
        if isinstance(below, dict):
            inner = _structure(below, plain=plain)
            fields.append((field, inner, msgspec.field(default_factory=inner)))
        elif plain and below == "dimension":
            fields.append((field, str | None, None))
        else:
            fields.append((field, msgspec.Raw, ABSENT))
    return msgspec.defstruct("Data", fields, rename=names, gc=False)


def _attribute(name: str) -> str:
    return "f_" + name.encode().hex()


def _attributes(path: str) -> str:
    return ".".join(_attribute(part) for part in path.split("."))
