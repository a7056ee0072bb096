"""Say what a contract rules for all its grants together: what becomes of usage beyond them, above all."""

from typing import Final, NamedTuple

LEAVES_UNCOVERED: Final = 0
"""What the grants can't pay stays with the customer."""
CARRIES: Final = 1
"""It is owed, and paid by whatever fills a grant later."""
REFUSES: Final = 2
"""The whole usage is turned away, and nothing moves."""
OVERDRAWS: Final = 3
"""The last grant that may pay goes below zero."""


class Rules(NamedTuple):
    """What a pool's contract says of all its grants together."""

    shortfall: int
    keeps_overage: bool
    """A reset leaves what is owed."""
    dust: int
    """Balances are usable in whole multiples of this; what is less stays where it is."""


def dust(scale: int, decimals: int) -> int:
    """The least that is usable, in amounts of 10^-scale, where balances are usable to so many decimals."""
    return int(10 ** max(scale - decimals, 0))
