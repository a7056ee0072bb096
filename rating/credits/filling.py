"""Fill grants and take from them: beginnings, refills, resets with their rollovers, expiry and voids."""

from ledger.compiled import compilable
from rating.credits.accounts import EARLIER, FORFEITED, ISSUED, VOIDED
from rating.credits.grants import NONE
from rating.credits.owing import waive
from rating.credits.steps import BEGINS, RESETS
from rating.credits.work import Pool, Work, enter


@compilable
def fill(work: Work, pool: Pool, kind: int, slot: int, amount: int) -> None:
    """Begin or refill a grant, or reset all of the pool's."""
    if kind == RESETS:
        _reset(work, pool)
        return
    if kind == BEGINS:
        work.state.is_active[slot] = work.grants.takes_part[slot]
        if amount < 0:
            enter(work, pool, slot, EARLIER, NONE, -amount, 0)
            return
        _set_to(work, pool, slot, amount)
    elif work.state.is_active[slot]:
        carried = _carried(work, slot)
        _set_to(work, pool, slot, min(carried, work.state.balance[slot]))
        _set_to(work, pool, slot, carried + amount)


@compilable
def _carried(work: Work, slot: int) -> int:
    """What a refill leaves of a grant."""
    held, most = max(work.state.balance[slot], 0), work.grants.carries[slot]
    return int(max(held if most == NONE else min(held, most), work.grants.carries_least[slot]))


@compilable
def _set_to(work: Work, pool: Pool, slot: int, level: int) -> None:
    """Issue what a grant is short of `level`, or take off what is above it."""
    short = level - work.state.balance[slot]
    if short > 0:
        enter(work, pool, ISSUED, slot, NONE, short, 0)
    elif short < 0:
        enter(work, pool, slot, FORFEITED, NONE, -short, 0)


@compilable
def _reset(work: Work, pool: Pool) -> None:
    """Roll over what the bounds let through, refill what a reset refills, and waive what is owed unless it is kept."""
    for slot in range(pool.first, pool.end):
        into = work.grants.rolls_into[slot]
        if into != NONE and work.state.is_active[slot] and work.state.is_active[into] and work.state.balance[slot] > 0:
            enter(work, pool, slot, into, NONE, work.state.balance[slot], 0)
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
        waive(work, pool)


@compilable
def end(work: Work, pool: Pool, slot: int, target: int) -> None:
    """The grant gives nothing more, and what is left of it is lost; what it is overdrawn by stays."""
    if work.state.is_active[slot]:
        work.state.is_active[slot] = False
        if work.state.balance[slot] > 0:
            enter(work, pool, slot, target, NONE, work.state.balance[slot], 0)


@compilable
def void(work: Work, pool: Pool, usage: int) -> None:
    """Void the named grant on request; what is spent, ended or not there can't be voided."""
    slot = work.demand.named[usage]
    if pool.first <= slot < pool.end and work.state.is_active[slot] and work.state.balance[slot] > 0:
        end(work, pool, slot, VOIDED)
    else:
        work.state.refused[usage] = True
