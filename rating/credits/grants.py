"""Say what a grant may do: how much it holds, what it pays for, what it keeps at a reset, how far it may go.

Amounts are integers of the units that the whole batch counts in.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from rating.exact import Exact, Int64s
from rating.ratios import Bools

NONE: Final = -1
"""No grant, no bound."""


class Grants(NamedTuple):
    """One row a grant, of many pools; a pool's grants pay for the usage of that pool."""

    pool: Int64s
    amount: Exact
    """What it holds when it begins, and again after each refill."""
    opening: Exact
    """What is left of it when the timeline starts, for a grant that began before; below zero where it is overdrawn."""
    maximum: Exact
    """How far corrections fill it."""
    rollover_min: Exact
    """A reset leaves at least this much."""
    rollover_max: Exact
    """A reset leaves at most this much; NONE for no bound."""
    carries: Exact
    """A refill leaves at most this much beside what it fills up; NONE for no bound."""
    carries_least: Exact
    """And at least this much, whatever is left; below the bound above it."""
    rolls_into: Int64s
    """The row of the grant that takes over what a reset finds here; NONE where it stays, within its own bounds."""
    increment: Exact
    """It pays for usage by whole increments of this size; 0 where it pays for any part."""
    cost: Exact
    """What one increment costs, in units of the grant."""
    limit: Int64s
    """Which usage it is limited to: a row of the table of limits and scopes."""
    takes_part: Bools
    refills_at_reset: Bools
    takes_all: Bools
    """It pays for all that is left when its turn comes, below zero if need be."""
    may_go_below_zero: Bools
    """It takes what all grants together could not pay."""
    is_money: Bools
    also_charges_money: Bools
    """What it pays for is charged to the pool's grants of money too."""


def plain(pool: Int64s, amount: Exact) -> Grants:
    """Grants that pay for any usage down to zero, and keep nothing at a reset."""
    rows = len(pool)
    nothing: Exact = np.zeros(rows, dtype=np.int64)
    no_row = np.full(rows, NONE, dtype=np.int64)
    never = np.zeros(rows, dtype=np.bool_)
    return Grants(
        pool=pool,
        amount=amount,
        opening=amount,
        maximum=amount,
        rollover_min=nothing,
        rollover_max=nothing,
        carries=nothing,
        carries_least=nothing,
        rolls_into=no_row,
        increment=nothing,
        cost=nothing,
        limit=np.zeros(rows, dtype=np.int64),
        takes_part=~never,
        refills_at_reset=never,
        takes_all=never,
        may_go_below_zero=never,
        is_money=never,
        also_charges_money=never,
    )


def taken(grants: Grants, rows: Any) -> Grants:
    """Some of the grants, or all of them in another order; `rolls_into` goes on naming the rows as they were."""
    return Grants(*(column[rows] for column in grants))
