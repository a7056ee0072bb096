"""Burn a pool's grants step by step: what is usable when, who pays, and what becomes of usage that nobody pays for.

Each step depends on what the one before left, so this is a loop. It is compiled for int64 whose range is proven, and is
the same Python for integers of any size.
"""

from typing import Final, NamedTuple

from ledger.compiled import borrowed, compilable, compiled
from rating.credits.accounts import (
    EARLIER,
    EXPIRED,
    FORFEITED,
    ISSUED,
    OWED,
    REFUSED,
    UNCOVERED,
    USED,
    VOIDED,
    WAIVED,
)
from rating.credits.grants import NONE, Grants
from rating.credits.steps import ASKS_TO_VOID, BEGINS, BRINGS, EXPIRES, REFILLS, RESETS, USES, VOIDS, Steps
from rating.exact import Exact, Int64s
from rating.ratios import Bools

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
def live(work: Work) -> None:
    """Bring every pool from its first step to its last."""
    for number in range(len(work.first) - 1):
        for step in range(work.steps.first[number], work.steps.first[number + 1]):
            pool = Pool(number, work.first[number], work.first[number + 1], step)
            _happen(work, pool, work.steps.kind[step], work.steps.subject[step], work.steps.amount[step])


@compilable
def _happen(work: Work, pool: Pool, kind: int, subject: int, amount: int) -> None:
    if kind == USES and amount >= 0:
        _use(work, pool, subject, amount)
    elif kind == USES:
        _give_back(work, pool, subject, -amount)
    elif kind in (BEGINS, REFILLS, RESETS):
        _fill(work, pool, kind, subject, amount)
        _settle(work, pool)
    elif kind in (EXPIRES, VOIDS):
        _end(work, pool, subject, EXPIRED if kind == EXPIRES else VOIDED)
    elif kind == ASKS_TO_VOID:
        _void(work, pool, subject)
    elif kind == BRINGS:
        _enter(work, pool, OWED, EARLIER, subject, amount, 0)
        _owe(work, pool, subject, amount)


@compilable
def _fill(work: Work, pool: Pool, kind: int, slot: int, amount: int) -> None:
    if kind == RESETS:
        _reset(work, pool)
        return
    if kind == BEGINS:
        work.state.is_active[slot] = work.grants.takes_part[slot]
    elif not work.state.is_active[slot]:
        return
    _set_to(work, pool, slot, amount)


@compilable
def _enter(work: Work, pool: Pool, source: int, target: int, usage: int, amount: int, covered: int) -> None:
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


@compilable
def _use(work: Work, pool: Pool, usage: int, amount: int) -> None:
    if work.rules.shortfall == REFUSES and not _can_be_paid(work, pool, usage, amount):
        work.state.refused[usage] = True
        _enter(work, pool, REFUSED, USED, usage, amount, amount)
        return
    left = _burn(work, pool, usage, amount, USED)
    if left == 0:
        return
    slot = _overdrawn(work, pool, usage)
    if slot != NONE:
        taken, _ = _price(work.grants, slot, left)
        _enter(work, pool, slot, USED, usage, taken, left)
    elif work.rules.shortfall == CARRIES:
        _enter(work, pool, OWED, USED, usage, left, left)
        _owe(work, pool, usage, left)
    else:
        _enter(work, pool, UNCOVERED, USED, usage, left, left)


@compilable
def _burn(work: Work, pool: Pool, usage: int, wanted: int, target: int) -> int:
    """Let the grants pay in their order, and return what none of them did; `target` says who consumed it, and when."""
    left = wanted
    for slot in range(pool.first, pool.end):
        if left == 0:
            break
        if not _may_pay(work, slot, usage):
            continue
        if work.grants.takes_all[slot] and target == USED:
            taken, paid = _price(work.grants, slot, left)
        else:
            taken, paid = _gives(work, slot, left)
        if paid == 0:
            continue
        if work.grants.also_charges_money[slot]:
            paid -= _charge_money(work, pool, usage, paid)
        covered = min(paid, left)
        _enter(work, pool, slot, target, usage, taken, covered)
        left -= covered
    return left


@compilable
def _may_pay(work: Work, slot: int, usage: int) -> bool:
    if not work.state.is_active[slot]:
        return False
    if work.demand.named[usage] != NONE:
        return bool(work.demand.named[usage] == slot)
    return bool(work.allowed[work.grants.limit[slot], work.demand.scope[usage]])


@compilable
def _price(grants: Grants, slot: int, wanted: int) -> tuple[int, int]:
    """What `wanted` costs of the grant, and the usage that pays for: whole increments may be more than is wanted."""
    increment = grants.increment[slot]
    if increment == 0:
        return wanted, wanted
    count = -(-wanted // increment)
    return count * grants.cost[slot], count * increment


@compilable
def _gives(work: Work, slot: int, wanted: int) -> tuple[int, int]:
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
def _can_be_paid(work: Work, pool: Pool, usage: int, wanted: int) -> bool:
    left = wanted
    for slot in range(pool.first, pool.end):
        if _may_pay(work, slot, usage):
            _, paid = _gives(work, slot, left)
            left -= min(paid, left)
    return left == 0


@compilable
def _charge_money(work: Work, pool: Pool, usage: int, wanted: int) -> int:
    """Charge the grants of money for what another grant pays for, and return what they could not pay."""
    left = wanted
    for slot in range(pool.first, pool.end):
        if work.grants.is_money[slot] and work.state.is_active[slot]:
            taken, paid = _gives(work, slot, left)
            if paid > 0:
                _enter(work, pool, slot, USED, usage, taken, 0)
                left -= min(paid, left)
    return left


@compilable
def _overdrawn(work: Work, pool: Pool, usage: int) -> int:
    """The grant that takes what none could pay: the last one asked, or the first one that may go below zero."""
    found = NONE
    for slot in range(pool.first, pool.end):
        if _may_pay(work, slot, usage):
            if work.rules.shortfall == OVERDRAWS:
                found = slot
            elif work.grants.may_go_below_zero[slot]:
                return slot
    return found


@compilable
def _owe(work: Work, pool: Pool, usage: int, amount: int) -> None:
    if work.state.owing[pool.number] == 0:
        work.state.owing_since[pool.number] = pool.step
    work.state.owed[usage] += amount
    work.state.owing[pool.number] += amount


@compilable
def _is_owed(work: Work, step: int) -> bool:
    kind = work.steps.kind[step]
    return (kind in (USES, BRINGS)) and work.state.owed[work.steps.subject[step]] > 0


@compilable
def _settle(work: Work, pool: Pool) -> None:
    """Let what has just been filled pay for what is owed, the oldest first."""
    for step in range(work.state.owing_since[pool.number], pool.step):
        if work.state.owing[pool.number] == 0:
            break
        if _is_owed(work, step):
            usage = work.steps.subject[step]
            paid = work.state.owed[usage] - _burn(work, pool, usage, work.state.owed[usage], OWED)
            work.state.owed[usage] -= paid
            work.state.owing[pool.number] -= paid


@compilable
def _set_to(work: Work, pool: Pool, slot: int, level: int) -> None:
    """Issue what a grant is short of `level`, or take off what is above it."""
    short = level - work.state.balance[slot]
    if short > 0:
        _enter(work, pool, ISSUED, slot, NONE, short, 0)
    elif short < 0:
        _enter(work, pool, slot, FORFEITED, NONE, -short, 0)


@compilable
def _end(work: Work, pool: Pool, slot: int, target: int) -> None:
    """The grant gives nothing more, and what is left of it is lost; what it is overdrawn by stays."""
    if work.state.is_active[slot]:
        work.state.is_active[slot] = False
        if work.state.balance[slot] > 0:
            _enter(work, pool, slot, target, NONE, work.state.balance[slot], 0)


@compilable
def _void(work: Work, pool: Pool, usage: int) -> None:
    slot = work.demand.named[usage]
    if slot < len(work.state.balance) and work.state.is_active[slot] and work.state.balance[slot] > 0:
        _end(work, pool, slot, VOIDED)
    else:
        work.state.refused[usage] = True


@compilable
def _reset(work: Work, pool: Pool) -> None:
    """Roll over what the bounds let through, refill what a reset refills, and waive what is owed unless it is kept."""
    for slot in range(pool.first, pool.end):
        into = work.grants.rolls_into[slot]
        if into != NONE and work.state.is_active[slot] and work.state.is_active[into] and work.state.balance[slot] > 0:
            _enter(work, pool, slot, into, NONE, work.state.balance[slot], 0)
    for slot in range(pool.first, pool.end):
        if work.state.is_active[slot]:
            kept = max(work.state.balance[slot], work.grants.rollover_min[slot])
            if work.grants.rollover_max[slot] != NONE:
                kept = min(kept, work.grants.rollover_max[slot])
            _set_to(work, pool, slot, kept)
    for slot in range(pool.first, pool.end):
        if work.state.is_active[slot] and work.grants.refills_at_reset[slot]:
            _set_to(work, pool, slot, work.grants.amount[slot])
    if not work.rules.keeps_overage:
        _waive(work, pool)


@compilable
def _waive(work: Work, pool: Pool) -> None:
    for step in range(work.state.owing_since[pool.number], pool.step):
        if work.state.owing[pool.number] == 0:
            break
        if _is_owed(work, step):
            usage = work.steps.subject[step]
            amount = work.state.owed[usage]
            _enter(work, pool, WAIVED, OWED, usage, amount, amount)
            work.state.owed[usage] = 0
            work.state.owing[pool.number] -= amount


@compilable
def _give_back(work: Work, pool: Pool, usage: int, amount: int) -> None:
    """Lower what is owed first, the latest first; then heal what is below zero; then fill grants to their maximum.

    Grants are taken against the burn order: credit goes back the way it came.
    """
    left = amount - _forgive(work, pool, usage, amount)
    for heals in (True, False):
        for back in range(pool.end - pool.first):
            slot = pool.end - 1 - back
            if left > 0 and _may_pay(work, slot, usage):
                top = 0 if heals else work.grants.maximum[slot]
                returned, uncovered = _takes_back(work, slot, left, top)
                if returned > 0:
                    _enter(work, pool, USED, slot, usage, returned, -uncovered)
                    left -= uncovered
    if left > 0:
        _enter(work, pool, USED, UNCOVERED, usage, left, -left)


@compilable
def _forgive(work: Work, pool: Pool, usage: int, amount: int) -> int:
    """Take a correction off what is owed for usage of its scope, and return how much of it that was."""
    left = amount
    for back in range(pool.step - work.state.owing_since[pool.number]):
        step = pool.step - 1 - back
        if left == 0 or work.state.owing[pool.number] == 0:
            break
        if _is_owed(work, step):
            earlier = work.steps.subject[step]
            if work.demand.scope[earlier] == work.demand.scope[usage]:
                part = min(left, work.state.owed[earlier])
                _enter(work, pool, USED, OWED, usage, part, -part)
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


@compiled
def live_compiled(work: Work) -> None:
    """`live`, for int64."""
    live(borrowed(work))
