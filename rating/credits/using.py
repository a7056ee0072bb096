"""Decide what becomes of usage: what grants pay, and by the rule of its pool what they don't."""

from ledger.compiled import compilable
from rating.credits.accounts import OWED, REFUSED, UNCOVERED, USED
from rating.credits.grants import NONE
from rating.credits.owing import owe
from rating.credits.paying import burn, gives, may_pay, price
from rating.credits.rules import CARRIES, OVERDRAWS, REFUSES
from rating.credits.work import Pool, Work, enter


@compilable
def use(work: Work, pool: Pool, usage: int, amount: int) -> None:
    """Draw a usage down."""
    if work.rules.shortfall == REFUSES and not _can_be_paid(work, pool, usage, amount):
        work.state.refused[usage] = True
        enter(work, pool, REFUSED, USED, usage, amount, amount)
        return
    left = burn(work, pool, usage, amount, USED)
    if left == 0:
        return
    slot = _overdrawn(work, pool, usage)
    if slot != NONE:
        taken, _ = price(work.grants, slot, left)
        enter(work, pool, slot, USED, usage, taken, left)
    elif work.rules.shortfall == CARRIES:
        enter(work, pool, OWED, USED, usage, left, left)
        owe(work, pool, usage, left)
    else:
        enter(work, pool, UNCOVERED, USED, usage, left, left)


@compilable
def _can_be_paid(work: Work, pool: Pool, usage: int, wanted: int) -> bool:
    left = wanted
    for slot in range(pool.first, pool.end):
        if may_pay(work, slot, usage):
            _, paid = gives(work, slot, left)
            left -= min(paid, left)
    return left == 0


@compilable
def _overdrawn(work: Work, pool: Pool, usage: int) -> int:
    """The grant that takes what none could pay: the last one asked, or the first one that may go below zero."""
    found = NONE
    for slot in range(pool.first, pool.end):
        if may_pay(work, slot, usage):
            if work.rules.shortfall == OVERDRAWS:
                found = slot
            elif work.grants.may_go_below_zero[slot]:
                return slot
    return found
