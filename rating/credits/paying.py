"""Decide what grants pay: those that may, in burn order, each what it has and by its increments."""

from ledger.compiled import compilable
from rating.credits.accounts import USED
from rating.credits.grants import NONE, Grants
from rating.credits.work import Pool, Work, enter


@compilable
def burn(work: Work, pool: Pool, usage: int, wanted: int, target: int) -> int:
    """Let the grants pay in their order, and return what none of them did; `target` says who consumed it, and when."""
    left = wanted
    for slot in range(pool.first, pool.end):
        if left == 0:
            break
        if not may_pay(work, slot, usage):
            continue
        if work.grants.takes_all[slot] and target == USED:
            taken, paid = price(work.grants, slot, left)
        else:
            taken, paid = gives(work, slot, left)
        if paid == 0:
            continue
        if work.grants.also_charges_money[slot]:
            paid -= _charge_money(work, pool, usage, paid)
        covered = min(paid, left)
        enter(work, pool, slot, target, usage, taken, covered)
        left -= covered
    return left


@compilable
def may_pay(work: Work, slot: int, usage: int) -> bool:
    """Whether a grant is usable now, and for this usage."""
    if not work.state.is_active[slot]:
        return False
    if work.demand.named[usage] != NONE:
        return bool(work.demand.named[usage] == slot)
    return bool(work.allowed[work.grants.limit[slot], work.demand.scope[usage]])


@compilable
def price(grants: Grants, slot: int, wanted: int) -> tuple[int, int]:
    """What `wanted` costs of the grant, and the usage that pays for: whole increments may be more than is wanted."""
    increment = grants.increment[slot]
    if increment == 0:
        return wanted, wanted
    count = -(-wanted // increment)
    return count * grants.cost[slot], count * increment


@compilable
def gives(work: Work, slot: int, wanted: int) -> tuple[int, int]:
    """The same, with what the grant has."""
    usable = max(work.state.balance[slot], 0) // work.rules.dust * work.rules.dust
    increment, cost = work.grants.increment[slot], work.grants.cost[slot]
    if increment == 0:
        part = min(usable, wanted)
        return part, part
    count = -(-wanted // increment)
    if cost > 0:
        count = min(count, usable // cost)
    return count * cost, count * increment


@compilable
def _charge_money(work: Work, pool: Pool, usage: int, wanted: int) -> int:
    """Charge the grants of money for what another grant pays for, and return what they could not pay."""
    left = wanted
    for slot in range(pool.first, pool.end):
        if work.grants.is_money[slot] and work.state.is_active[slot]:
            taken, paid = gives(work, slot, left)
            if paid > 0:
                enter(work, pool, slot, USED, usage, taken, 0)
                left -= min(paid, left)
    return left
