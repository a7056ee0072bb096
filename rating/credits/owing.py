"""Remember what is owed for usage beyond the grants, until what is filled later pays for it or a reset waives it."""

from ledger.compiled import compilable
from rating.credits.accounts import OWED, WAIVED
from rating.credits.paying import burn
from rating.credits.steps import BRINGS, USES
from rating.credits.work import Pool, Work, enter


@compilable
def owe(work: Work, pool: Pool, usage: int, amount: int) -> None:
    """Remember that `amount` of a usage is owed."""
    if work.state.owing[pool.number] == 0:
        work.state.owing_since[pool.number] = pool.step
    work.state.owed[usage] += amount
    work.state.owing[pool.number] += amount


@compilable
def is_owed(work: Work, step: int) -> bool:
    """Whether the step is usage that something is still owed for."""
    kind = work.steps.kind[step]
    return (kind in (USES, BRINGS)) and work.state.owed[work.steps.subject[step]] > 0


@compilable
def settle(work: Work, pool: Pool) -> None:
    """Let what has just been filled pay for what is owed, the oldest first."""
    for step in range(work.state.owing_since[pool.number], pool.step):
        if work.state.owing[pool.number] == 0 or not _has_credit(work, pool):
            break
        if is_owed(work, step):
            usage = work.steps.subject[step]
            paid = work.state.owed[usage] - burn(work, pool, usage, work.state.owed[usage], OWED)
            work.state.owed[usage] -= paid
            work.state.owing[pool.number] -= paid
        if step == work.state.owing_since[pool.number] and not is_owed(work, step):
            work.state.owing_since[pool.number] = step + 1


@compilable
def _has_credit(work: Work, pool: Pool) -> bool:
    left = False
    for slot in range(pool.first, pool.end):
        left = left or (work.state.is_active[slot] and work.state.balance[slot] > 0)
    return left


@compilable
def waive(work: Work, pool: Pool) -> None:
    """Drop all that is owed."""
    for step in range(work.state.owing_since[pool.number], pool.step):
        if work.state.owing[pool.number] == 0:
            break
        if is_owed(work, step):
            usage = work.steps.subject[step]
            amount = work.state.owed[usage]
            enter(work, pool, WAIVED, OWED, usage, amount, amount)
            work.state.owed[usage] = 0
            work.state.owing[pool.number] -= amount
