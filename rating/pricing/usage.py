"""What lines are rated on: the quantity of each, and where it stands in its period."""

from typing import NamedTuple

import numpy as np

from rating.exact import Int64s
from rating.ragged import expand
from rating.ratios import Bools, Ratios, taken


class Splits(NamedTuple):
    """Where lines that share a period with others stand in it."""

    before: Ratios
    """Metered by earlier lines of the period."""
    opens: Bools
    """Whether the line bills what a period owes once, at its start."""
    closes: Bools
    """The same at its end."""
    billed: Ratios
    """What the period's earlier lines were billed."""


class Fees(NamedTuple):
    """What a line's events, cells or buckets cost, where each has a price of its own."""

    amount: Ratios
    parts: Int64s
    """How many there are."""


class Usage(NamedTuple):
    """The lines; without splits each is its period's only one."""

    quantity: Ratios
    splits: Splits | None = None
    fees: Fees | None = None


class Ragged(NamedTuple):
    """Several quantities a line, lines in order and the quantities of each in theirs."""

    start: Int64s
    """Per line, and one more: where its quantities begin."""
    quantity: Ratios

    @property
    def line(self) -> Int64s:
        """The line of each quantity."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))


def taken_usage(usage: Usage, lines: Int64s | slice) -> Usage:
    """Some of the lines."""
    splits = usage.splits
    if splits is not None:
        before, billed = taken(splits.before, lines), taken(splits.billed, lines)
        splits = Splits(before, splits.opens[lines], splits.closes[lines], billed)
    fees = None if usage.fees is None else Fees(taken(usage.fees.amount, lines), usage.fees.parts[lines])
    return Usage(taken(usage.quantity, lines), splits, fees)


def chosen(parts: Ragged, lines: Int64s | slice) -> tuple[Int64s | slice, Ragged]:
    """The quantities of some of the lines: their rows, and themselves."""
    if isinstance(lines, slice):
        start = parts.start[lines.start : lines.stop + 1]
        between = slice(int(start[0]), int(start[-1]))
        return between, Ragged(start - start[0], taken(parts.quantity, between))
    _, rows = expand(parts.start[lines], parts.start[lines + 1])
    counts = parts.start[lines + 1] - parts.start[lines]
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    return rows, Ragged(start, taken(parts.quantity, rows))
