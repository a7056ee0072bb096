"""Take discounts off amounts: one after the other, each from what the one before left and never more than that.

An amount below zero (a correction) gives back its percentage, and no fixed discount makes it smaller still.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rating.exact import Int64s
from rating.gathered import joined
from rating.groups import above, group_of, having, totals
from rating.ratios import Ratios, constant, greater, is_above, lesser, minus, taken, times, where, zeros
from rating.rounding import Rounding, rounded, rule_of

PERCENT = 0
FIXED = 1

GIVEN_ORDER = ()
PERCENT_FIRST = (PERCENT, FIXED)
FIXED_FIRST = (FIXED, PERCENT)


class Discounts(NamedTuple):
    """Chains of discounts, amount by amount."""

    offset: Int64s
    kind: Int64s
    value: Ratios
    """Percent, or an amount of money."""


def in_order(discounts: Discounts, kinds: Sequence[int]) -> Discounts:
    """The chains kind after kind, and as they are given within a kind or where no kinds are named."""
    if not kinds:
        return discounts
    rank = np.zeros(max(kinds) + 1, dtype=np.int64)
    rank[list(kinds)] = np.arange(len(kinds))
    order = np.lexsort((rank[discounts.kind], group_of(discounts.offset)))
    return Discounts(discounts.offset, discounts.kind[order], taken(discounts.value, order))


def taken_off(amounts: Ratios, discounts: Discounts, rule: Rounding | None) -> Ratios:
    """What each discount takes off, row by row of `discounts`; the rule's rows are the amounts."""
    parts: list[Ratios] = []
    rows: list[Int64s] = []
    chain = having(discounts.offset, 0)
    left = taken(amounts, chain)
    for ordinal in range(int(np.max(np.diff(discounts.offset), initial=0))):
        row = discounts.offset[chain] + ordinal
        off = _off(left, discounts.kind[row], taken(discounts.value, row), rule_of(rule, chain))
        parts.append(off)
        rows.append(row)
        goes_on = np.diff(discounts.offset)[chain] > ordinal + 1
        chain, left = chain[goes_on], taken(minus(left, off), goes_on)
    order = np.argsort(np.concatenate(rows), kind="stable") if rows else np.zeros(0, dtype=np.int64)
    return taken(joined([zeros(0), *parts]), order)


def exactly_off(amounts: Ratios, discounts: Discounts, off: Ratios) -> Ratios:
    """What each discount would take off unrounded, of what `off` lets the ones before it leave."""
    left = minus(taken(amounts, group_of(discounts.offset)), above(off, discounts.offset))
    return _off(left, discounts.kind, discounts.value, None)


def discounted(amounts: Ratios, discounts: Discounts, rule: Rounding | None) -> tuple[Ratios, Ratios]:
    """What chains take off together, and what they leave: rounded again, as an amount may be finer than money."""
    discount = totals(taken_off(amounts, discounts, rule), discounts.offset)
    return discount, rounded(minus(amounts, discount), rule)


def _off(left: Ratios, kind: Int64s, value: Ratios, rule: Rounding | None) -> Ratios:
    share = times(times(left, value), constant(1, 100))
    wanted = rounded(where(kind == PERCENT, share, value), rule)
    within = greater(lesser(wanted, left), constant(0))
    back = where(kind == PERCENT, greater(wanted, left), constant(0))
    return where(is_above(constant(0), left), back, within)
