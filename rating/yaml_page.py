"""Read a YAML document by its nodes: every value as it is written, with the line and column it stands at.

What is wrong is collected as mistakes and reading goes on, so that a file is told all of them at once.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
import yaml

from rating.catalog_fields import did_you_mean

Value = TypeVar("Value")
Place = tuple[str | int, ...]
"""A path into the document: ("plans", 0, "prices", 2, "meter")."""

DEPTH_MAX = 16
"""A catalog is seven levels deep. The composer is recursive in C: 20,000 levels end the process."""
# Without libyaml the same language, read more slowly.
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq"))


class Mistake(msgspec.Struct, frozen=True, order=True):
    """Something that is wrong with a file, at a line and column counted from 1."""

    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.path}{': ' if self.path else ''}{self.message}"


def compose(text: str) -> yaml.Node | Mistake:
    """The nodes of the one document of `text`."""
    try:
        depth = 0
        for event in yaml.parse(text, Loader=LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH_MAX:
                return _at(event.start_mark, f"nested deeper than {DEPTH_MAX} levels, which no catalog is")
        root = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        doing = f"{error.context}, " if error.context else ""
        return _at(error.problem_mark or error.context_mark, f"not YAML: {doing}{error.problem}")
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        column = len(before) - before.rfind("\n")
        return Mistake(before.count("\n") + 1, column, "", f"not YAML: {error.reason}; remove it")
    except UnicodeEncodeError as error:
        return Mistake(text[: error.start].count("\n") + 1, 1, "", "not Unicode text: save the file as UTF-8")
    if root is None:
        return Mistake(1, 1, "", "the file is empty")
    return root


def _at(mark: Any, message: str) -> Mistake:
    return Mistake(mark.line + 1, mark.column + 1, "", message) if mark else Mistake(1, 1, "", message)


class Page:
    """A file while it is read: collects its mistakes, and knows where every value stands."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self._nodes: dict[Place, yaml.Node] = {}

    def mistake(self, node: yaml.Node, place: Place, message: str) -> None:
        """Tell that the value at `node` is wrong."""
        mark = node.start_mark
        self.mistakes.append(Mistake(mark.line + 1, mark.column + 1, _written(place), message))

    def node_at(self, place: Place, root: yaml.Node) -> yaml.Node:
        """The node at `place`, or the nearest one around it."""
        while place and place not in self._nodes:
            place = place[:-1]
        return self._nodes.get(place, root)

    def mapping(self, node: yaml.Node, place: Place, known: Sequence[str], required: Sequence[str]) -> dict[str, Any]:
        """The nodes of a mapping's fields; nulls are left out."""
        self._nodes[place] = node
        found: dict[str, Any] = {}
        if not isinstance(node, yaml.MappingNode):
            self.mistake(node, place, f"expected a mapping with {', '.join(known)}, found {_kind(node)}")
            return found
        keys: set[str] = set()
        for key, value in node.value:
            field = key.value if isinstance(key, yaml.ScalarNode) else _kind(key)
            if field in keys:
                self.mistake(key, (*place, field), f"{field} is written twice: keep one")
            elif known and field not in known:
                hint = did_you_mean(field, known) or f"; expected {', '.join(known)}"
                self.mistake(key, (*place, field), f"{field} is not known here{hint}")
            elif not _is_null(value):
                found[field] = value
                self._nodes[*place, field] = value
            keys.add(field)
        for field in required:
            if field not in found:
                self.mistake(node, (*place, field), f"{field} is missing: add it")
        return found

    def items(self, node: yaml.Node | None, place: Place) -> Iterator[tuple[yaml.Node, Place]]:
        """The nodes of a list."""
        if node is None:
            return
        if not isinstance(node, yaml.SequenceNode):
            self.mistake(node, place, f"expected a list, found {_kind(node)}")
            return
        for position, item in enumerate(node.value):
            self._nodes[*place, position] = item
            yield item, (*place, position)

    def scalar(self, node: yaml.Node | None, place: Place, read: Callable[[str], Value]) -> Value | None:
        """The value that `read` makes of a scalar, or None after a mistake or without a node."""
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode) or node.tag not in _TAGS:
            self.mistake(node, place, f"expected a single value, found {_kind(node)}")
            return None
        try:
            return read(node.value)
        except ValueError as error:
            self.mistake(node, place, str(error))
            return None


class Fields:
    """The fields of one mapping of a page, by name."""

    def __init__(
        self, page: Page, node: yaml.Node, place: Place, known: Sequence[str], required: Sequence[str] = ()
    ) -> None:
        self.page, self.node, self.place = page, node, place
        self.nodes = page.mapping(node, place, known, required)

    def __contains__(self, field: str) -> bool:
        return field in self.nodes

    def mistake(self, field: str, message: str) -> None:
        """Tell that a field is wrong, or that it is missing."""
        self.page.mistake(self.nodes.get(field, self.node), (*self.place, field), message)

    def scalar(self, field: str, read: Callable[[str], Value]) -> Value | None:
        """The value of a field, or None where it is not there, and after a mistake."""
        return self.page.scalar(self.nodes.get(field), (*self.place, field), read)

    def scalars(self, field: str, read: Callable[[str], Value]) -> tuple[Value, ...]:
        """The values of a list, without those that are wrong."""
        values = [self.page.scalar(node, place, read) for node, place in self.items(field)]
        return tuple(value for value in values if value is not None)

    def items(self, field: str) -> list[tuple[yaml.Node, Place]]:
        """The nodes of a list."""
        return list(self.page.items(self.nodes.get(field), (*self.place, field)))

    def mappings(self, field: str, known: Sequence[str], required: Sequence[str] = ()) -> "list[Fields]":
        """The mappings of a list."""
        return [Fields(self.page, node, place, known, required) for node, place in self.items(field)]

    def mapping(self, field: str, known: Sequence[str], required: Sequence[str] = ()) -> "Fields | None":
        """The mapping that a field is."""
        node = self.nodes.get(field)
        return None if node is None else Fields(self.page, node, (*self.place, field), known, required)


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style in {None, ""} and node.value in _NULLS


def _kind(node: yaml.Node) -> str:
    if node.tag not in _TAGS:
        return f"the tag {node.tag}"
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"


def _written(place: Place) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
