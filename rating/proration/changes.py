"""Price parts of periods: one amount's share, what a change of plan returns and charges, and billing cycles.

A change makes a line for every price that it returns or charges. Lines are rounded one by one and then netted, so that
what is printed adds up; where nothing of the period is left there are no lines.
"""

from typing import NamedTuple

import numpy as np

from rating.exact import Int64s
from rating.groups import group_of, totals
from rating.ratios import Bools, Ratios, constant, greater, lesser, minus, negative, plus, taken, times, where
from rating.rounding import Rounding, rounded, rule_of


class Changes(NamedTuple):
    """Prices that begin or end inside of their period, subscription by subscription."""

    offset: Int64s
    amount: Ratios
    """Of a whole period."""
    share: Ratios
    is_returned: Bools
    """Whether the price ends: what is left of it goes back."""


class ChangeLines(NamedTuple):
    """What changes come to."""

    change: Int64s
    """The changes that make a line."""
    amount: Ratios
    net: Ratios
    """Per subscription."""


def prorated(amount: Ratios, share: Ratios, rule: Rounding | None) -> Ratios:
    """A share of an amount."""
    return rounded(times(amount, share), rule)


def changed(changes: Changes, rule: Rounding | None) -> ChangeLines:
    """The lines of every change and what they come to; the rule's rows are the changes."""
    amount = prorated(changes.amount, changes.share, rule)
    signed = where(changes.is_returned, negative(amount), amount)
    has_line = np.broadcast_to(changes.share.numerator != 0, changes.is_returned.shape)
    change = np.flatnonzero(has_line)
    return ChangeLines(change, taken(signed, change), totals(signed, changes.offset))


def credit_within_paid(potential: Ratios, paid: Ratios, credited: Ratios) -> Ratios:
    """A credit for time not used: never more than what was paid and not credited yet, never less than nothing."""
    return greater(lesser(potential, minus(paid, credited)), constant(0))


def billing_cycles(whole: Ratios, stubs: Ratios, offset: Int64s, rule: Rounding | None) -> Ratios:
    """Whole cycles and the stubs beside them, each rounded before they are added."""
    return plus(whole, totals(rounded(stubs, rule_of(rule, group_of(offset))), offset))
