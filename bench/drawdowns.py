"""Drawdowns a second on one core, in event order and for many customers at once, beside a plain Decimal loop.

A drawdown is one usage that asks the grants of its pool. Timed is all of it: burn order, timeline, burning, entries.
"""

import time
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from rating.credits import statement
from rating.credits.burn_order import burn_order, read_order
from rating.credits.drawdown import Drawdown, draw_down
from rating.credits.grants import NONE, Grants, plain
from rating.credits.recurrence import DAY_MS, Recurrence
from rating.credits.rules import LEAVES_UNCOVERED, Rules
from rating.credits.steps import USES
from rating.credits.timeline import ALWAYS, NEVER, Lives, Resets, Span, Usage
from rating.exact import Int64s, total
from rating.ratios import Bools

GOAL_PER_SECOND: Final = 300_000
ROUNDS: Final = 3
USAGES_PER_POOL: Final = 50
GRANTS_PER_POOL: Final = 3
START_MS: Final = 1_793_491_200_000
MONTH_MS: Final = 30 * DAY_MS
ORDER: Final = ("priority asc", "expires asc (none last)")


Entry = tuple[int, int, Decimal]
"""Which usage drew how much from which grant."""


class Month(NamedTuple):
    """A month of usage against promotional, recurring and prepaid credit."""

    grants: Grants
    lives: Lives
    priority: pa.Array
    expires: pa.Array
    usage: Usage
    span: Span


def measured(usages: int, loop_usages: int) -> dict[str, Any]:
    """Both sides, once they agree on every balance that the loop has."""
    month = drawn(max(usages // USAGES_PER_POOL, 1))
    seconds = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        found = drawn_down(month)
        seconds.append(time.process_time() - begun)
    asked = len(month.usage.pool)
    rounds = [loop(month, max(loop_usages // USAGES_PER_POOL, 1)) for _ in range(ROUNDS)]
    looped, theirs = min(rounds, key=lambda one: one[1].seconds)
    rate, baseline = asked / min(seconds), looped / theirs.seconds
    compared = len(theirs.balances) // GRANTS_PER_POOL
    assert theirs.covered == total(statement.covered(found.entries, len(month.span.start))[:compared])
    assert theirs.balances == [Decimal(held) for held in found.balance[: len(theirs.balances)].tolist()]
    return {
        "rate_per_second": round(rate),
        "baseline_per_second": round(baseline),
        "ratio": round(rate / baseline, 1),
        "entries": len(found.entries.amount),
        "total": str(total(statement.covered(found.entries, len(month.span.start)))),
    }


def drawn(pools: int) -> Month:
    """Each pool: 1,000 a week, refilled; 2,000 promotional until the 20th; 5,000 prepaid."""
    random = np.random.default_rng(7)
    pool = np.repeat(np.arange(pools), GRANTS_PER_POOL)
    place = np.tile(np.arange(GRANTS_PER_POOL), pools)
    never = np.full(len(pool), NEVER)
    week = np.where(place == 0, 7 * DAY_MS, 0)
    expires = np.where(place == 1, START_MS + 20 * DAY_MS, NEVER)
    user = np.repeat(np.arange(pools), USAGES_PER_POOL)
    rows = len(user)
    at = START_MS + np.sort(random.integers(0, MONTH_MS, (pools, USAGES_PER_POOL)), axis=1).ravel()
    return Month(
        grants=plain(pool, np.array([1_000, 2_000, 5_000])[place]),
        lives=Lives(
            effective=np.where(place == 0, START_MS, ALWAYS),
            expires=expires,
            voided=never,
            recurrence=Recurrence(np.full(len(pool), START_MS), np.zeros_like(pool), week),
        ),
        priority=pa.array(np.array([1, 2, 2])[place]),
        expires=pa.array(expires, mask=expires == NEVER),
        usage=Usage(
            pool=user,
            at=at,  # the ledger has usage by subject and time
            sequence=np.arange(rows),
            kind=np.full(rows, USES),
            amount=random.integers(1, 500, rows),
            scope=np.zeros(rows, dtype=np.int64),
            named=np.full(rows, NONE),
        ),
        span=Span(np.full(pools, START_MS), np.full(pools, START_MS + MONTH_MS)),
    )


def drawn_down(month: Month) -> Drawdown:
    """All that a close does with credit."""
    fields = {"priority": month.priority, "expires": month.expires}
    order = burn_order(month.grants.pool, fields, read_order(ORDER, list(fields)))
    nothing: Int64s = np.zeros(0, dtype=np.int64)
    allowed: Bools = np.ones((1, 1), dtype=np.bool_)
    rules = Rules(LEAVES_UNCOVERED, keeps_overage=False, dust=1)
    return draw_down(
        rules, month.grants, month.lives, order, month.usage, allowed, Resets(nothing, nothing), month.span
    )


class Looped(NamedTuple):
    seconds: float
    balances: list[Decimal]
    covered: Decimal | int


def loop(month: Month, pools: int) -> tuple[int, Looped]:
    """The usages that the loop drew down, in how many seconds, and what that left of the first pools' grants."""
    pools = min(pools, len(month.span.start))
    usages = pools * USAGES_PER_POOL
    happened = [
        list(zip(month.usage.at[first:end].tolist(), range(first, end), strict=True))
        for first, end in pairwise(range(0, usages + 1, USAGES_PER_POOL))
    ]
    amounts = [Decimal(amount) for amount in month.usage.amount[:usages].tolist()]
    entries: list[Entry] = []
    begun = time.process_time()
    balances = [held for events in happened for held in one_pool(events, amounts, entries)]
    return usages, Looped(time.process_time() - begun, balances, sum(part for _, _, part in entries))


def one_pool(events: Sequence[tuple[int, int]], amounts: Sequence[Decimal], entries: list[Entry]) -> list[Decimal]:
    """The same month for one pool, event after event in Decimals."""
    zero, weekly = Decimal(0), Decimal(1_000)
    balances = [weekly, Decimal(2_000), Decimal(5_000)]
    weeks = 0
    for at, row in [*events, (START_MS + MONTH_MS, -1)]:
        if (at - START_MS) // (7 * DAY_MS) > weeks:
            weeks, balances[0] = (at - START_MS) // (7 * DAY_MS), weekly
        if at >= START_MS + 20 * DAY_MS:
            balances[1] = zero
        left = amounts[row] if row >= 0 else zero
        for place, held in enumerate(balances):
            part = min(held, left)
            if part:
                balances[place] -= part
                entries.append((row, place, part))
                left -= part
    return balances
