"""Hold what the loop over steps reads and writes, and write down each movement.

Everything is in columns, so that the loop can be compiled: of int64, or of Python's integers where that is too narrow.
"""

from typing import NamedTuple

from ledger.compiled import compilable
from rating.credits.grants import Grants
from rating.credits.rules import Rules
from rating.credits.steps import Steps
from rating.exact import Exact, Int64s
from rating.ratios import Bools


class Demand(NamedTuple):
    """What usage says beside its amount, row by row."""

    scope: Int64s
    named: Int64s
    """The one grant that it is to be taken from, NONE where any may pay."""


class State(NamedTuple):
    """What the steps so far have left."""

    balance: Exact
    is_active: Bools
    owed: Exact
    """By usage."""
    owing: Exact
    """By pool: the sum of what is owed."""
    owing_since: Int64s
    """By pool: no step before this one is owed for."""
    refused: Bools
    """By usage, and by request to void."""


class Journal(NamedTuple):
    """Entries while there is room for them; beyond that they are counted alone."""

    made: Int64s
    """One number: how many there are."""
    step: Int64s
    source: Int64s
    target: Int64s
    usage: Int64s
    amount: Exact
    covered: Exact


class Pool(NamedTuple):
    """One pool at one step."""

    number: int
    first: int
    end: int
    """Its grants are [first, end), in burn order."""
    step: int


class Work(NamedTuple):
    """All that the loop reads and writes."""

    first: Int64s
    """Where each pool's grants begin, and where the last pool's end."""
    grants: Grants
    demand: Demand
    allowed: Bools
    """Limits by scopes: which usage a limit lets through."""
    steps: Steps
    rules: Rules
    state: State
    journal: Journal


@compilable
def enter(work: Work, pool: Pool, source: int, target: int, usage: int, amount: int, covered: int) -> None:
    """Write an entry down, and move what it says out of a grant and into one."""
    if source >= 0:
        work.state.balance[source] -= amount
    if target >= 0:
        work.state.balance[target] += amount
    row = work.journal.made[0]
    work.journal.made[0] = row + 1
    if row < len(work.journal.step):
        work.journal.step[row] = pool.step
        work.journal.source[row] = source
        work.journal.target[row] = target
        work.journal.usage[row] = usage
        work.journal.amount[row] = amount
        work.journal.covered[row] = covered
