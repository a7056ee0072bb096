"""Return credit against the burn order, when usage is corrected: it goes back the way it came."""

from ledger.compiled import compilable
from rating.credits.accounts import OWED, UNCOVERED, USED
from rating.credits.owing import is_owed
from rating.credits.paying import may_pay
from rating.credits.work import Pool, Work, enter


@compilable
def give_back(work: Work, pool: Pool, usage: int, amount: int) -> None:
    """Lower what is owed first, the latest first; then heal what is below zero; then fill grants to their maximum.

    Grants are taken against the burn order: credit goes back the way it came.
    """
    left = amount - _forgive(work, pool, usage, amount)
    for heals in (True, False):
        for back in range(pool.end - pool.first):
            slot = pool.end - 1 - back
            if left > 0 and may_pay(work, slot, usage):
                top = 0 if heals else work.grants.maximum[slot]
                returned, uncovered = _takes_back(work, slot, left, top)
                if returned > 0:
                    enter(work, pool, USED, slot, usage, returned, -uncovered)
                    left -= uncovered
    if left > 0:
        enter(work, pool, USED, UNCOVERED, usage, left, -left)


@compilable
def _forgive(work: Work, pool: Pool, usage: int, amount: int) -> int:
    """Take a correction off what is owed for usage of its scope, and return how much of it that was."""
    left = amount
    for back in range(pool.step - work.state.owing_since[pool.number]):
        step = pool.step - 1 - back
        if left == 0 or work.state.owing[pool.number] == 0:
            break
        if is_owed(work, step):
            earlier = work.steps.subject[step]
            if work.demand.scope[earlier] == work.demand.scope[usage]:
                part = min(left, work.state.owed[earlier])
                enter(work, pool, USED, OWED, usage, part, -part)
                work.state.owed[earlier] -= part
                work.state.owing[pool.number] -= part
                left -= part
    return amount - left


@compilable
def _takes_back(work: Work, slot: int, wanted: int, top: int) -> tuple[int, int]:
    """What the grant has room for below `top`, and the usage that was: no part of an increment is returned."""
    room = max(top - work.state.balance[slot], 0)
    increment, cost = work.grants.increment[slot], work.grants.cost[slot]
    if increment == 0:
        part = min(room, wanted)
        return part, part
    count = wanted // increment
    if cost > 0:
        count = min(count, room // cost)
    return count * cost, count * increment
