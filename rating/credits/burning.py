"""Live a pool's steps through, one after the other: each depends on what the one before left, so this is a loop.

It is compiled for int64 whose range is proven, and is the same Python for integers of any size.
"""

from ledger.compiled import borrowed, compilable, compiled
from rating.credits.accounts import EARLIER, EXPIRED, OWED, VOIDED
from rating.credits.filling import end, fill, void
from rating.credits.owing import owe, settle
from rating.credits.returning import give_back
from rating.credits.steps import ASKS_TO_VOID, BEGINS, BRINGS, EXPIRES, REFILLS, RESETS, USES, VOIDS
from rating.credits.using import use
from rating.credits.work import Pool, Work, enter


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
        use(work, pool, subject, amount)
    elif kind == USES:
        give_back(work, pool, subject, -amount)
    elif kind in (BEGINS, REFILLS, RESETS):
        fill(work, pool, kind, subject, amount)
        settle(work, pool)
    elif kind in (EXPIRES, VOIDS):
        end(work, pool, subject, EXPIRED if kind == EXPIRES else VOIDED)
    elif kind == ASKS_TO_VOID:
        void(work, pool, subject)
    elif kind == BRINGS:
        enter(work, pool, OWED, EARLIER, subject, amount, 0)
        owe(work, pool, subject, amount)


@compiled
def live_compiled(work: Work) -> None:
    """`live`, for int64."""
    live(borrowed(work))
