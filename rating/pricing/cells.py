"""Price usage by dimensions: each key's quantity at the unit price of the first cell that takes the key.

A key is resolved once, however many lines have usage under it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rating import ratios
from rating.exact import Int64s
from rating.gathered import Gathered, joined
from rating.pricing.parts import Matrix
from rating.pricing.shapes import PriceList, Shape, stretches
from rating.pricing.usage import Ragged, chosen
from rating.ratios import Bools, Ratios

Key = tuple[str, ...]


class Keyed(NamedTuple):
    """Quantities of lines by key."""

    parts: Ragged
    key: Int64s
    """Per quantity: which of `keys`."""
    keys: Sequence[Key]


class CellFees(NamedTuple):
    """What each quantity costs."""

    fee: Ratios
    unpriced: Bools
    """No cell takes its key: it costs nothing, and says so."""


def cell_fees(prices: PriceList, of_line: Int64s, usage: Keyed) -> CellFees:
    """What each key's quantity costs; nothing where the line's price is no matrix."""
    fees = Gathered(len(usage.key))
    unpriced = np.zeros(len(usage.key), dtype=np.bool_)
    for lines, terms in stretches(prices, of_line):
        matrix = terms.price.charge
        if isinstance(matrix, Matrix):
            rows, own = chosen(usage.parts, lines)
            if not own.start[-1]:
                continue  # such prices may have keys of other dimensions
            cell = _cell_of_key(terms.shape, matrix, usage.keys)[usage.key[rows]]
            price = cell * terms.shape.prices + terms.row[own.line]
            fees.put(rows, ratios.times(own.quantity, ratios.taken(_unit_prices(terms.shape), price)))
            unpriced[rows] = cell == len(matrix.cells)
    return CellFees(fees.column(), unpriced)


def _cell_of_key(shape: Shape, matrix: Matrix, keys: Sequence[Key]) -> Int64s:
    """The place of the cell that takes each key; one more than there are where none does."""
    known: dict[Key, int] = shape.tables.setdefault("cell of key", {})
    known |= {key: _cell(matrix, key) for key in keys if key not in known}
    return np.array([known[key] for key in keys], dtype=np.int64)


def _cell(matrix: Matrix, key: Key) -> int:
    for place, cell in enumerate(matrix.cells):
        if all(wanted in (None, value) for wanted, value in zip(cell.key, key, strict=True)):
            return place
    return len(matrix.cells)


def _unit_prices(shape: Shape) -> Ratios:
    """Cell after cell, each with a row for every price, and nothing after the last."""
    if "cells" not in shape.tables:
        cells = [name for name in shape.numbers if name.startswith("charge.cells.")]
        shape.tables["cells"] = joined([*(shape.numbers[name] for name in cells), ratios.zeros(shape.prices)])
    unit_prices: Ratios = shape.tables["cells"]
    return unit_prices
