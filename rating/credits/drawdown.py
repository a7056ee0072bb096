"""Draw the credit of many pools down at once, in the order in which things happen to each of them.

A pool is what one contract's grants and usage share. All pools of a call share their rules; what differs between
grants is in columns. The result does not depend on the order of the rows, nor on which pools are drawn down together.
"""

from typing import Any, NamedTuple

import numpy as np

from rating.credits.accounts import Entries
from rating.credits.burning import live, live_compiled
from rating.credits.grants import NONE, Grants, taken
from rating.credits.rules import Rules
from rating.credits.steps import ASKS_TO_VOID, BRINGS, USES, Steps
from rating.credits.timeline import Lives, Resets, Span, Usage, lives_taken, steps
from rating.credits.work import Demand, Journal, State, Work
from rating.exact import NARROW_MAX, Exact, Int64s, largest, narrowed, total
from rating.ratios import Bools

_ROOM_PER_STEP = 2
"""Entries that a step makes as a rule: a drawdown each, now and then one more from the next grant."""


class Drawdown(NamedTuple):
    """What became of all pools."""

    entries: Entries
    balance: Exact
    """By grant: what it holds at the end; what is not usable any more is zero, or below it where it was overdrawn."""
    owed: Exact
    """By usage: what is still owed of it."""
    refused: Bools
    """By usage: turned away whole; by request to void: nothing to void."""
    step: Int64s
    """By usage: the step at which it happened, -1 where it is outside the timeline."""


def draw_down(
    rules: Rules,
    grants: Grants,
    lives: Lives,
    burn_order: Int64s,
    usage: Usage,
    allowed: Bools,
    resets: Resets,
    span: Span,
) -> Drawdown:
    """Live the timeline of every pool through: `burn_order` is the rows of `grants`, pool after pool."""
    slot = np.empty_like(burn_order)
    slot[burn_order] = np.arange(len(burn_order))
    slots = taken(grants, burn_order)
    slots = slots._replace(rolls_into=_slots(slots.rolls_into, slot))
    happening = steps(slots, lives_taken(lives, burn_order), usage, resets, span)
    first = np.searchsorted(slots.pool, np.arange(len(span.start) + 1))
    demand = Demand(usage.scope, _slots(usage.named, slot))
    nothing = np.zeros(0, dtype=np.int64)
    no_state = State(nothing, nothing.astype(np.bool_), nothing, nothing, nothing, nothing.astype(np.bool_))
    work = Work(first, slots, demand, allowed, happening, rules, no_state, _room(0, np.dtype(np.int64)))
    done = _lived(_wide(work) if _needs_wide(work) else work, len(usage.pool))
    balance = np.empty_like(done.state.balance)
    balance[burn_order] = done.state.balance
    return Drawdown(
        entries=_entries(done, burn_order),
        balance=narrowed(balance),
        owed=narrowed(done.state.owed),
        refused=done.state.refused,
        step=_steps_of_usage(happening, len(usage.pool)),
    )


def _steps_of_usage(happening: Steps, usage: int) -> Int64s:
    rows = np.flatnonzero(np.isin(happening.kind, (BRINGS, USES, ASKS_TO_VOID)))
    step = np.full(usage, -1, dtype=np.int64)
    step[happening.subject[rows]] = rows
    return step


def _slots(rows: Int64s, slot: Int64s) -> Int64s:
    """Where the grants of `rows` stand in burn order; NONE, and what is no row of a grant, stay what they are."""
    named = (rows != NONE) & (rows < len(slot))
    found = rows.copy()
    found[named] = slot[rows[named]]
    return found


def _needs_wide(work: Work) -> bool:
    """Whether a balance or a sum may leave int64.

    A pool never holds or owes more than all that its steps and grants name together; what is overdrawn by increments
    costs more than the usage it is for.
    """
    columns = [column for column in (*work.grants, work.steps.amount) if column.dtype == np.object_]
    if columns:
        return True
    named = [work.grants.amount, work.grants.maximum, work.grants.rollover_min, work.grants.rollover_max]
    carried = max(largest(work.grants.carries), largest(work.grants.carries_least))
    fill = max(largest(column) for column in (*named, work.grants.opening)) + carried
    grants_most = _most(work.first)
    steps_most = _most(work.steps.first)
    asked = min(largest(work.steps.amount) * steps_most, total(np.abs(work.steps.amount)))
    by_increments = largest(work.grants.cost) + largest(work.grants.increment) + 1
    most = (asked + fill * (grants_most + steps_most * grants_most) + work.rules.dust) * by_increments
    return most > NARROW_MAX


def _most(first: Int64s) -> int:
    return int(np.diff(first).max(initial=0))


def _wide(work: Work) -> Work:
    """The same with Python's integers."""
    exact = (
        *("amount", "opening", "maximum", "rollover_min", "rollover_max", "carries", "carries_least"),
        *("increment", "cost"),
    )
    columns = {name: getattr(work.grants, name).astype(np.object_) for name in exact}
    return work._replace(
        grants=work.grants._replace(**columns),
        steps=work.steps._replace(amount=work.steps.amount.astype(np.object_)),
    )


def _lived(work: Work, usage: int) -> Work:
    """The work done, with room for exactly the entries it made; where the first room is too small it is done again."""
    is_wide = work.steps.amount.dtype == np.object_
    room = len(work.steps.kind) * _ROOM_PER_STEP
    for _ in range(2):
        started = work._replace(state=_state(work, usage), journal=_room(room, work.steps.amount.dtype))
        (live if is_wide else live_compiled)(started)
        made = int(started.journal.made[0])
        if made <= room:
            break
        room = made
    return started._replace(journal=Journal(started.journal.made, *(column[:made] for column in started.journal[1:])))


def _state(work: Work, usage: int) -> State:
    pools, kind = len(work.first) - 1, work.steps.amount.dtype
    slots = len(work.grants.pool)
    return State(
        balance=np.zeros(slots, dtype=kind),
        is_active=np.zeros(slots, dtype=np.bool_),
        owed=np.zeros(usage, dtype=kind),
        owing=np.zeros(pools, dtype=kind),
        owing_since=np.zeros(pools, dtype=np.int64),
        refused=np.zeros(usage, dtype=np.bool_),
    )


def _room(entries: int, kind: np.dtype[Any]) -> Journal:
    places = [np.empty(entries, dtype=np.int64) for _ in range(4)]
    return Journal(np.zeros(1, dtype=np.int64), *places, *(np.empty(entries, dtype=kind) for _ in range(2)))


def _entries(done: Work, burn_order: Int64s) -> Entries:
    """Entries that name rows of grants instead of places in the burn order."""
    journal = done.journal
    pool_of_step = np.repeat(np.arange(len(done.first) - 1), np.diff(done.steps.first))
    source, target = (
        np.where(account >= 0, np.append(burn_order, NONE)[np.maximum(account, NONE)], account)
        for account in (journal.source, journal.target)
    )
    return Entries(
        pool=pool_of_step[journal.step],
        at=done.steps.at[journal.step],
        step=journal.step,
        source=source,
        target=target,
        usage=journal.usage,
        amount=narrowed(journal.amount),
        covered=narrowed(journal.covered),
    )
