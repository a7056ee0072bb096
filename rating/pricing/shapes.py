"""Sort prices by shape: those that differ in numbers alone are rated together, their numbers as columns.

A shape is an example of its prices: what is no number is read from it. A number is named by its place in the price,
`charge.tiers.2.unit_price`.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import fields

from rating.exact import Int64s
from rating.pricing.parts import Price
from rating.ratios import Ratios, of_fractions, taken

STRETCH_LINES = 2**15
"""As many lines as keep the columns of a calculation in the cache."""


class Shape(NamedTuple):
    """The prices of one shape."""

    example: Price
    prices: int
    numbers: Mapping[str, Ratios]
    """A row for each price of the shape."""
    tables: dict[str, Any]
    """What was made of the numbers before, by name; it is made once for all lines."""


class PriceList(NamedTuple):
    """Prices, sorted by shape."""

    shapes: tuple[Shape, ...]
    shape: Int64s
    """Per price."""
    row: Int64s
    """Per price: its row within the shape."""


class Terms(NamedTuple):
    """What lines of one shape are rated at."""

    shape: Shape
    row: Int64s
    """Per line."""

    @property
    def price(self) -> Price:
        """What is no number is the same in all of them."""
        return self.shape.example

    def of(self, name: str) -> Ratios:
        """The number of this name, for each line."""
        return taken(self.shape.numbers[name], self.row)


class Rows(NamedTuple):
    """Some of the lines, all of one shape."""

    lines: Int64s | slice
    terms: Terms


def price_list(prices: Sequence[Price]) -> PriceList:
    """The prices by shape, their numbers as columns."""
    alike: dict[tuple[tuple[str, Any], ...], list[int]] = {}
    numbers = []
    for index, price in enumerate(prices):
        leaves = list(_leaves("", price))
        alike.setdefault(tuple((name, _static(leaf)) for name, leaf in leaves), []).append(index)
        numbers.append({name: leaf for name, leaf in leaves if isinstance(leaf, Fraction)})
    shape, row = np.zeros(len(prices), dtype=np.int64), np.zeros(len(prices), dtype=np.int64)
    shapes = []
    for code, members in enumerate(alike.values()):
        shape[members], row[members] = code, np.arange(len(members))
        columns = {name: of_fractions([numbers[index][name] for index in members]) for name in numbers[members[0]]}
        shapes.append(Shape(prices[members[0]], len(members), columns, {}))
    return PriceList(tuple(shapes), shape, row)


def stretches(prices: PriceList, of_line: Int64s) -> list[Rows]:
    """The lines by shape, and not too many at once."""
    if len(prices.shapes) == 1:
        starts = range(0, len(of_line), STRETCH_LINES)
        slices = [slice(start, min(start + STRETCH_LINES, len(of_line))) for start in starts]
        return [Rows(lines, Terms(prices.shapes[0], of_line[lines])) for lines in slices]
    found, shape_of_line, row = [], prices.shape[of_line], prices.row[of_line]
    for code, shape in enumerate(prices.shapes):
        lines = np.flatnonzero(shape_of_line == code)
        for start in range(0, len(lines), STRETCH_LINES):
            own = lines[start : start + STRETCH_LINES]
            found.append(Rows(own, Terms(shape, row[own])))
    return found


def _leaves(name: str, part: Any) -> Iterator[tuple[str, Any]]:
    """Every number and every switch of a part, named by its place; parts are told apart by their type."""
    if isinstance(part, Struct):
        yield name, type(part)
        for field in fields(part):
            yield from _leaves(f"{name}.{field.name}" if name else field.name, getattr(part, field.name))
    elif isinstance(part, tuple):
        yield name, len(part)
        for index, one in enumerate(part):
            yield from _leaves(f"{name}.{index}", one)
    else:
        yield name, part


def _static(leaf: Any) -> Any:
    return Fraction if isinstance(leaf, Fraction) else leaf
