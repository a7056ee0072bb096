"""Settle costs against what a customer committed to: inside at face value, the rest times the overage factor.

What is missing of the commitment is charged only where the contract trues up. A commitment for several invoices has
less left by what the earlier ones used, and one in windows is settled by each window alone.
"""

from typing import NamedTuple

import numpy as np

from rating.dated import in_force, values_at
from rating.exact import Int64s
from rating.groups import group_of, offsets, totals
from rating.ratios import Bools, Ratios, constant, greater, is_above, minus, plus, taken, times, where
from rating.rounding import Rounding, rounded


class Commitments(NamedTuple):
    """What customers committed to, row by row."""

    amount: Ratios
    overage_factor: Ratios
    used_before: Ratios
    """By earlier invoices of the same commitment."""
    trues_up: Bools


class Ramp(NamedTuple):
    """Commitments that change with time: steps of amounts, customer by customer."""

    offset: Int64s
    since: Int64s
    """The day from which a step holds, ascending within a customer."""
    amount: Ratios


class Settled(NamedTuple):
    """What is charged."""

    windows: Ratios
    """Per window; one per commitment where it has no windows."""
    offset: Int64s
    missing: Ratios
    """Per commitment: what of it is a true-up."""
    amount: Ratios


def settled(costs: Ratios, offset: Int64s, commitments: Commitments, rule: Rounding | None) -> Settled:
    """What `costs` become, each commitment over all of its group."""
    count = len(offset) - 1
    return settled_by_window(totals(costs, offset), offsets(np.ones(count, dtype=np.int64)), commitments, rule)


def settled_by_window(costs: Ratios, offset: Int64s, commitments: Commitments, rule: Rounding | None) -> Settled:
    """What `costs` become, each commitment over each cost of its group alone."""
    own = group_of(offset)
    left = taken(greater(minus(commitments.amount, commitments.used_before), constant(0)), own)
    short = greater(minus(left, costs), constant(0))
    over = greater(minus(costs, left), constant(0))
    missing = where(commitments.trues_up[own], short, constant(0))
    is_over = is_above(costs, left)
    inside = where(is_over, left, plus(costs, missing))
    windows = plus(inside, times(over, taken(commitments.overage_factor, own)))
    return Settled(windows, offset, totals(missing, offset), rounded(totals(windows, offset), rule))


def ramped(ramp: Ramp, customer: Int64s, day: Int64s) -> Ratios:
    """What each customer is committed to on a day: nothing before the first step."""
    return values_at(ramp.amount, in_force(ramp.since, ramp.offset, customer, day))
