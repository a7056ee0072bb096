"""Decide what happens to each pool of grants and when: from the lives of grants, resets and usage to steps in order.

A grant is usable in [effective, the sooner of expiry and void). The timeline runs from its start to its end, and lives
through the closing instant but for the usage of that instant, which belongs to the next one.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from rating.credits.grants import Grants
from rating.credits.recurrence import Recurrence, recurrences
from rating.credits.steps import (
    ASKS_TO_VOID,
    BEGINS,
    BRINGS,
    EXPIRES,
    RANK,
    REFILLS,
    RESETS,
    USES,
    VOIDS,
    Steps,
)
from rating.exact import INT64_MAX, Exact, Int64s, narrowed
from rating.ratios import Bools

ALWAYS: Final = -(2**62)
NEVER: Final = 2**62


class Lives(NamedTuple):
    """When each grant may be used, in UTC milliseconds; row by row as the grants are."""

    effective: Int64s
    """ALWAYS where it was there before anything, in a timeline without a start; never of a recurring grant."""
    expires: Int64s
    """NEVER where it does not, as with `voided`."""
    voided: Int64s
    recurrence: Recurrence


class Usage(NamedTuple):
    """What asks for credit, row by row in any order."""

    pool: Int64s
    at: Int64s
    sequence: Int64s
    """The order of what happens at one instant of a pool."""
    kind: Int64s
    """USES, BRINGS or ASKS_TO_VOID."""
    amount: Exact
    """Below zero where earlier usage is corrected."""
    scope: Int64s
    """What it is, as far as limits of grants ask: a column of the table of limits and scopes."""
    named: Int64s
    """The one grant that it is to be taken from, NONE where any may pay."""


class Resets(NamedTuple):
    pool: Int64s
    at: Int64s


class Span(NamedTuple):
    """The timeline of each pool."""

    start: Int64s
    until: Int64s


def endless(pool: Int64s) -> Lives:
    """Grants that were always there, and stay."""
    rows = len(pool)
    zeros = np.zeros(rows, dtype=np.int64)
    never = np.full(rows, NEVER, dtype=np.int64)
    return Lives(np.full(rows, ALWAYS, dtype=np.int64), never, never, Recurrence(zeros, zeros, zeros))


def lives_taken(lives: Lives, rows: Any) -> Lives:
    """Some of the lives, or all of them in another order."""
    recurrence = Recurrence(*(column[rows] for column in lives.recurrence))
    return Lives(lives.effective[rows], lives.expires[rows], lives.voided[rows], recurrence)


def usable_at(lives: Lives, at: Int64s) -> Bools:
    """Which grants may be used at an instant each, for usage that is settled at one instant instead of by the clock."""
    usable: Bools = (lives.effective <= at) & (at < np.minimum(lives.expires, lives.voided))
    return usable


def steps(grants: Grants, lives: Lives, usage: Usage, resets: Resets, span: Span) -> Steps:
    """Everything that happens in the span, pool after pool; `grants` are in burn order."""
    pools = len(span.start)
    parts = [*_of_grants(grants, lives, span), _of_resets(resets, span)]
    happening = _joined([_in_turn(_joined(parts)), _in_turn(_of_usage(usage, span))])
    # Stable, so what one instant has of one rank stays in turn; usage comes sorted as a rule, which makes this a merge.
    order = np.argsort(_place(happening, pools), kind="stable")
    first = np.searchsorted(happening.pool[order], np.arange(pools + 1))
    columns = (happening.kind, happening.at, happening.subject, narrowed(happening.amount))
    return Steps(first, *(column[order] for column in columns))


class _Part(NamedTuple):
    """Some of what happens, in any order."""

    pool: Int64s
    kind: Int64s
    at: Int64s
    turn: Int64s
    subject: Int64s
    amount: Exact


def _joined(parts: Sequence[_Part]) -> _Part:
    return _Part(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _in_turn(part: _Part) -> _Part:
    if (part.turn[1:] >= part.turn[:-1]).all():
        return part
    order = np.argsort(part.turn, kind="stable")
    return _Part(*(column[order] for column in part))


def _place(happening: _Part, pools: int) -> Int64s:
    """One integer to sort by: the pool, then the instant, then the rank of what happens."""
    at, ranks = happening.at, max(RANK) + 1
    if not len(at):
        return at
    earliest, instants = int(at.min()), int(at.max()) - int(at.min()) + 1
    if pools * instants * ranks > INT64_MAX:
        # Instants as their own order: no more of them than there are rows.
        different, at = np.unique(at, return_inverse=True)
        earliest, instants = 0, len(different)
    place: Int64s = (happening.pool * instants + (at - earliest)) * ranks + np.array(RANK)[happening.kind]
    return place


def _of_grants(grants: Grants, lives: Lives, span: Span) -> list[_Part]:
    start, until = span.start[grants.pool], span.until[grants.pool]
    begins = np.maximum(start, lives.effective)
    ends = np.minimum(lives.expires, lives.voided)
    live = np.flatnonzero((begins <= until) & (begins < ends))
    was_there = lives.effective[live] <= start[live]
    opening = np.where(was_there, grants.opening[live], grants.amount[live])
    ending = live[(ends[live] <= until[live]) & (ends[live] != NEVER)]
    last = np.minimum(until, ends)[live]
    refilled, refills = recurrences(Recurrence(*(column[live] for column in lives.recurrence)), begins[live], last)
    return [
        _part(grants.pool, BEGINS, live, begins[live], opening),
        _part(grants.pool, EXPIRES, ending, ends[ending], grants.amount[ending])._replace(
            kind=np.where(lives.voided[ending] < lives.expires[ending], VOIDS, EXPIRES)
        ),
        _part(grants.pool, REFILLS, live[refilled], refills, grants.amount[live[refilled]]),
    ]


def _part(pool: Int64s, kind: int, rows: Int64s, at: Int64s, amount: Exact) -> _Part:
    return _Part(pool[rows], np.full(len(rows), kind), at, rows, rows, amount)


def _of_resets(resets: Resets, span: Span) -> _Part:
    rows = np.flatnonzero((resets.at >= span.start[resets.pool]) & (resets.at <= span.until[resets.pool]))
    nothing = np.zeros(len(rows), dtype=np.int64)
    return _Part(resets.pool[rows], np.full(len(rows), RESETS), resets.at[rows], nothing, nothing - 1, nothing)


def _of_usage(usage: Usage, span: Span) -> _Part:
    """Usage inside the span; what is brought forward comes before anything, and requests to void are always heard."""
    inside: Bools = (usage.at >= span.start[usage.pool]) & (usage.at < span.until[usage.pool])
    rows = np.flatnonzero(inside | (usage.kind != USES))
    at = np.where(usage.kind == BRINGS, ALWAYS, usage.at)
    return _Part(usage.pool[rows], usage.kind[rows], at[rows], usage.sequence[rows], rows, usage.amount[rows])


assert len(RANK) == ASKS_TO_VOID + 1
