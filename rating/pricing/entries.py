"""Details as a list: an entry for each that is there, and the nets of entries that bill the same at the same price.

What a period booked and what it should have booked are compared entry by entry: the same thing at the same unit amount
is one difference, at another unit amount a reversal and a new entry.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rating import gathered, ratios
from rating.exact import Exact, Int64s, group_sums
from rating.pricing.details import Detail
from rating.pricing.measure import measured
from rating.pricing.rate import details_of
from rating.pricing.running import line_sums
from rating.pricing.shapes import PriceList, stretches
from rating.pricing.usage import Ragged, Usage, taken_usage
from rating.ratios import Ratios, over_one_denominator, spread, taken

COLUMNS = ("quantity", "unit_amount", "amount", "discount")


class Entries(NamedTuple):
    """Details of lines, by line and within it in the order they are billed in."""

    line: Int64s
    kind: Int64s
    tier: Int64s
    quantity: Ratios
    unit_amount: Ratios
    amount: Ratios
    discount: Ratios

    @property
    def total(self) -> Ratios:
        """What is owed for each."""
        return self.amount if not self.discount.numerator.any() else ratios.minus(self.amount, self.discount)


def entries(prices: PriceList, of_line: Int64s, usage: Usage) -> Entries:
    """Every detail that the lines have."""
    found = []
    for lines, terms in stretches(prices, of_line):
        own = taken_usage(usage, lines)
        found.append(from_details(np.arange(len(of_line))[lines], details_of(terms, measured(terms, own), own)))
    return by_line(found)


def by_line(parts: Sequence[Entries]) -> Entries:
    """All entries, in the order of lines; of one line they stay in theirs."""
    both = joined(parts) if parts else from_details(np.zeros(0, dtype=np.int64), [])
    if (both.line[1:] >= both.line[:-1]).all():
        return both
    return _chosen(both, np.argsort(both.line, kind="stable"))


def joined(parts: Sequence[Entries]) -> Entries:
    """All entries in one list."""
    line, kind, tier = (np.concatenate([part[place] for part in parts]) for place in range(3))
    quantity, unit_amount, amount, discount = (
        gathered.joined([getattr(part, name) for part in parts]) for name in COLUMNS
    )
    return Entries(line, kind, tier, quantity, unit_amount, amount, discount)


def negated(found: Entries) -> Entries:
    """The same with their money returned."""
    quantity, amount, discount = (ratios.negative(one) for one in (found.quantity, found.amount, found.discount))
    return found._replace(quantity=quantity, amount=amount, discount=discount)


def netted(found: Entries) -> Entries:
    """One entry for all that bill the same of one line at one unit amount."""
    _, unit_code = np.unique(over_one_denominator(found.unit_amount).numerator, return_inverse=True)
    order = np.lexsort((unit_code, found.tier, found.kind, found.line))
    keys = np.stack([found.line, found.kind, found.tier, unit_code], axis=1)[order]
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    starts = np.flatnonzero(is_first)
    return _chosen(found, order[starts])._replace(
        quantity=_sums(found.quantity, order, starts),
        amount=_sums(found.amount, order, starts),
        discount=_sums(found.discount, order, starts),
    )


def moving_money(found: Entries) -> Entries:
    """The entries that change what is owed, or what it is made of."""
    moves = (found.amount.numerator != 0) | (found.discount.numerator != 0)
    return found if moves.all() else _chosen(found, np.flatnonzero(moves))


def totals(found: Entries, lines: int) -> Ratios:
    """What is owed for the entries of each line; they are in the order of lines."""
    counts = np.bincount(found.line, minlength=lines)
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    return line_sums(Ragged(start, found.total))


def from_details(lines: Int64s, details: Sequence[Detail]) -> Entries:
    """The entries of `details`, whose rows are these lines, in the lines' order."""
    if not details:
        none, nothing = np.zeros(0, dtype=np.int64), ratios.zeros(0)
        return Entries(none, none, none, nothing, nothing, nothing, nothing)
    rows = len(lines)
    of_row, place = np.nonzero(np.stack([np.broadcast_to(one.present, lines.shape) for one in details], axis=1))
    listed = place * rows + of_row
    kind, tier = np.array([int(one.kind) for one in details]), [np.broadcast_to(one.tier, rows) for one in details]
    columns = (_listed([getattr(one, name) for one in details], rows, listed) for name in COLUMNS)
    return Entries(lines[of_row], kind[place], np.concatenate(tier)[listed], *columns)


def _listed(columns: Sequence[Ratios], rows: int, listed: Int64s) -> Ratios:
    """Of columns one after another the rows that are listed."""
    if all(len(column.numerator) == 1 and not column.numerator[0] for column in columns):
        return ratios.zeros(len(listed))
    return taken(gathered.joined([spread(column, rows) for column in columns]), listed)


def _chosen(found: Entries, rows: Int64s) -> Entries:
    quantity, unit_amount, amount, discount = (taken(getattr(found, name), rows) for name in COLUMNS)
    return Entries(found.line[rows], found.kind[rows], found.tier[rows], quantity, unit_amount, amount, discount)


def _sums(column: Ratios, order: Int64s, starts: Int64s) -> Ratios:
    numerator, denominator = over_one_denominator(column)
    ordered: Exact = numerator[order]
    return Ratios(group_sums(ordered, starts), denominator)
