"""Name the accounts that credit moves between: the balance of a grant is nothing but the sum of its movements.

An entry takes an amount out of one account and puts it into another, so all accounts of a pool together are always
zero. Grants are accounts by their row; the others are below zero.
"""

from typing import Final, NamedTuple

from rating.exact import Exact, Int64s

ISSUED: Final = -1
"""Where credit comes from."""
USED: Final = -2
"""What usage consumed, whoever paid for it."""
OWED: Final = -3
"""Usage beyond the grants that a later grant or refill pays for."""
UNCOVERED: Final = -4
"""Usage that no credit pays for, and corrections that found no room in any grant."""
REFUSED: Final = -5
"""Usage that was turned away whole, because the grants could not pay for all of it."""
EXPIRED: Final = -6
VOIDED: Final = -7
FORFEITED: Final = -8
"""What a reset or a refill took away."""
WAIVED: Final = -9
"""What was owed and a reset dropped."""
EARLIER: Final = -10
"""Usage of an earlier drawdown that is still owed, or that has overdrawn a grant."""


class Entries(NamedTuple):
    """The movements of all pools, each pool's in the order they happened."""

    pool: Int64s
    at: Int64s
    step: Int64s
    """The position in the timeline: entries of one step happened together."""
    source: Int64s
    """The account the amount is taken out of."""
    target: Int64s
    usage: Int64s
    """The usage it was for, -1 where it was for none."""
    amount: Exact
    """In the units of the grant, where one takes part; never below zero, and zero where it pays at no cost."""
    covered: Exact
    """The usage that the movement is for, in its units; below zero where a correction takes it back."""
