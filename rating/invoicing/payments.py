"""Let credits pay lines: credit after credit, each line after line, of the kinds that the credit may pay.

What a line gives back (an amount below zero) is not paid and pays nothing.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from rating.exact import Int64s
from rating.gathered import joined
from rating.groups import above, group_of, having, offsets, totals
from rating.ragged import expand
from rating.ratios import Ratios, constant, greater, lesser, minus, taken, where, zeros

EVERY_KIND: Final = -1
"""A credit that pays any line."""


class Credits(NamedTuple):
    """What customers have, invoice by invoice and in the order in which it is used."""

    offset: Int64s
    balance: Ratios
    pays: Int64s
    """The kinds of lines it may pay: bit k is kind k, up to 62 kinds."""


class Payments(NamedTuple):
    """Who paid what."""

    credit: Int64s
    line: Int64s
    amount: Ratios
    """Above zero."""


def only_kinds(kinds: Iterable[int]) -> int:
    """What a credit pays that may pay lines of these kinds alone."""
    return sum(1 << kind for kind in set(kinds))


def payments(lines: Ratios, kind: Int64s, offset: Int64s, credits_: Credits) -> Payments:
    """What each credit pays of each line."""
    parts: list[Ratios] = []
    pairs: list[tuple[Int64s, Int64s]] = []
    invoice = having(credits_.offset, 0)
    own, line = expand(offset[invoice], offset[invoice + 1])
    left = greater(taken(lines, line), constant(0))
    for ordinal in range(int(np.max(np.diff(credits_.offset), initial=0))):
        credit = (credits_.offset[invoice] + ordinal)[own]
        eligible = where((credits_.pays[credit] >> kind[line]) & 1 == 1, left, constant(0))
        earlier = above(eligible, offsets(np.diff(offset)[invoice]))
        paid = greater(lesser(minus(taken(credits_.balance, credit), earlier), eligible), constant(0))
        paying = np.flatnonzero(paid.numerator)
        parts.append(taken(paid, paying))
        pairs.append((credit[paying], line[paying]))
        goes_on = np.diff(credits_.offset)[invoice] > ordinal + 1
        left, line = taken(minus(left, paid), goes_on[own]), line[goes_on[own]]
        invoice = invoice[goes_on]
        own = group_of(offsets(np.diff(offset)[invoice]))
    nobody = [np.zeros(0, dtype=np.int64)]
    credit, line = (np.concatenate([*nobody, *(pair[side] for pair in pairs)]) for side in (0, 1))
    return Payments(credit, line, joined([zeros(0), *parts]))


def paid_by_row(found: Payments, row: Int64s, rows: int) -> Ratios:
    """What was paid of each line, or by each credit: `row` is one of the two columns of `found`."""
    order = np.argsort(row, kind="stable")
    return totals(taken(found.amount, order), offsets(np.bincount(row, minlength=rows)))
