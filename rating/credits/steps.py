"""Name what happens to a pool of grants, in the order in which things of one instant happen.

A grant that ends gives nothing more, a reset finds what ends and begins have left it, and usage finds everything that
begins with it.
"""

from typing import Final, NamedTuple

from rating.exact import Exact, Int64s

BRINGS: Final = 0
"""Usage of earlier that is still owed."""
EXPIRES: Final = 1
VOIDS: Final = 2
RESETS: Final = 3
BEGINS: Final = 4
REFILLS: Final = 5
USES: Final = 6
"""Usage, or a correction of it where the amount is below zero."""
ASKS_TO_VOID: Final = 7
"""Void what is left of a grant; refused where nothing is."""

RANK: Final = (0, 1, 1, 2, 3, 3, 4, 4)
"""Which kind comes first at one instant: beginnings and refills take turns in burn order, usage and voids as given."""


class Steps(NamedTuple):
    """What happens, pool after pool, in order."""

    first: Int64s
    """Where each pool's steps begin, and where the last pool's end."""
    kind: Int64s
    at: Int64s
    subject: Int64s
    """The grant or the usage that it happens to, -1 for the whole pool."""
    amount: Exact
    """What a grant is set to, or what usage asks for."""
