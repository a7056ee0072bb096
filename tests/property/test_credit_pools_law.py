"""Entries add up to balances, no grant goes below what it may, and pools have nothing to do with each other."""

from collections import defaultdict
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rating.credits import statement
from rating.credits.accounts import USED
from rating.credits.drawdown import Drawdown
from rating.credits.grants import NONE, taken
from rating.credits.rules import OVERDRAWS
from rating.credits.steps import USES
from rating.credits.timeline import NEVER, Resets, Usage, lives_taken
from rating.exact import Int64s
from tests.conformance.credit_pools import Pool, read_pool
from tests.property import credit_cases
from tests.property.credit_cases import Case

EXACT = ("amount", "opening", "maximum", "rollover_min", "rollover_max", "increment", "cost")
cases = st.one_of(credit_cases.settled(), credit_cases.clocked(), credit_cases.called())


def _read(case: Case) -> Pool:
    return read_pool(case["price"], case["usage"], case["credits"])


@given(cases)
def test_balances_are_what_entries_add_up_to(case: Case) -> None:
    pool = _read(case)
    drawn = pool.drawn_down()
    assert all(amount >= 0 for amount in drawn.entries.amount.tolist())
    added = statement.balances(drawn.entries, len(pool.grants.pool), np.array([NEVER]))
    assert added.tolist() == drawn.balance.tolist()
    assert statement.owed(drawn.entries, 1).tolist() == [sum(drawn.owed.tolist())]


@given(cases)
def test_all_of_every_usage_is_accounted_for(case: Case) -> None:
    pool = _read(case)
    drawn = pool.drawn_down()
    found: dict[int, int] = defaultdict(int)
    entries = drawn.entries
    for source, target, usage, covered in zip(
        entries.source.tolist(),
        entries.target.tolist(),
        entries.usage.tolist(),
        entries.covered.tolist(),
        strict=True,
    ):
        found[usage] += covered if USED in (source, target) else 0
    happened = np.flatnonzero((drawn.step >= 0) & (pool.usage.kind == USES)).tolist()
    assert {row: found[row] for row in happened} == {row: int(pool.usage.amount[row]) for row in happened}


@given(cases)
def test_no_grant_goes_below_zero_unless_it_may(case: Case) -> None:
    pool = _read(case)
    may = pool.grants.takes_all | pool.grants.may_go_below_zero | (pool.grants.opening < 0)
    held = np.zeros(len(may), dtype=np.object_)
    entries = pool.drawn_down().entries
    for source, target, amount in zip(entries.source, entries.target, entries.amount.tolist(), strict=True):
        if source >= 0:
            held[source] -= amount
            assert held[source] >= 0 or may[source] or pool.rules.shortfall == OVERDRAWS
        if target >= 0:
            held[target] += amount


@given(cases)
def test_integers_of_any_size_burn_as_narrow_ones_do(case: Case) -> None:
    pool = _read(case)
    wide = {name: getattr(pool.grants, name).astype(np.object_) for name in EXACT}
    again = pool._replace(grants=pool.grants._replace(**wide)).drawn_down()
    assert _told(again) == _told(pool.drawn_down())


@given(st.lists(credit_cases.clocked(), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_pools_burn_alike_together_and_alone_in_any_order_of_rows(several: list[Case], random: Random) -> None:
    same = {name: several[0]["price"][name] for name in ("overage", "reset_preserves_overage")}
    pools = _alike([_read({**case, "price": case["price"] | same}) for case in several])
    together = _together(pools)
    drawn = together.drawn_down()
    assert _told(drawn) == _told_one_after_the_other(pools)
    orders = [_shuffled(len(part.pool), random) for part in (together.grants, together.usage, together.resets)]
    again = _reordered(together, *orders).drawn_down()
    assert _told(_as_before(again, *orders[:2])) == _told(drawn)


def _told(drawn: Drawdown) -> list[Any]:
    """Everything about a drawdown but the numbers of its steps."""
    entries = [column.tolist() for name, column in drawn.entries._asdict().items() if name != "step"]
    return [*entries, *(column.tolist() for column in (drawn.balance, drawn.owed, drawn.refused))]


def _told_one_after_the_other(pools: list[Pool]) -> list[Any]:
    told: list[list[Any]] = [[] for _ in range(10)]
    grants = usage = 0
    for number, pool in enumerate(pools):
        drawn = pool.drawn_down()
        entries = drawn.entries._replace(
            pool=drawn.entries.pool + number,
            source=np.where(drawn.entries.source >= 0, drawn.entries.source + grants, drawn.entries.source),
            target=np.where(drawn.entries.target >= 0, drawn.entries.target + grants, drawn.entries.target),
            usage=np.where(drawn.entries.usage >= 0, drawn.entries.usage + usage, NONE),
        )
        for column, more in zip(told, _told(drawn._replace(entries=entries)), strict=True):
            column.extend(more)
        grants, usage = grants + len(pool.grants.pool), usage + len(pool.usage.pool)
    return told


def _alike(pools: list[Pool]) -> list[Pool]:
    """The same pools, all in integers of the finest scale."""
    scale = max(pool.scale for pool in pools)
    return [_finer(pool, 10 ** (scale - pool.scale)) for pool in pools]


def _finer(pool: Pool, factor: int) -> Pool:
    exact = {name: getattr(pool.grants, name).astype(np.object_) * factor for name in EXACT}
    amount = pool.usage.amount.astype(np.object_) * factor
    return pool._replace(grants=pool.grants._replace(**exact), usage=pool.usage._replace(amount=amount))


def _together(pools: list[Pool]) -> Pool:
    """The rows of all pools, one pool after the other."""
    first = np.cumsum([0, *(len(pool.grants.pool) for pool in pools)])
    limits = np.cumsum([0, *(len(pool.allowed) for pool in pools)])
    scopes = np.cumsum([0, *(pool.allowed.shape[1] for pool in pools)])
    allowed = np.zeros((limits[-1], scopes[-1]), dtype=np.bool_)
    moved = []
    for number, pool in enumerate(pools):
        allowed[limits[number] : limits[number + 1], scopes[number] : scopes[number + 1]] = pool.allowed
        usage, grants = pool.usage, pool.grants
        named = np.where(usage.named >= 0, usage.named + first[number], NONE)
        usage = usage._replace(pool=usage.pool + number, scope=usage.scope + scopes[number], named=named)
        grants = grants._replace(pool=grants.pool + number, limit=grants.limit + limits[number])
        resets = pool.resets._replace(pool=pool.resets.pool + number)
        burning = pool.burning + first[number]
        moved.append(pool._replace(grants=grants, usage=usage, resets=resets, burning=burning))
    columns = [_stacked(parts) for parts in zip(*(pool[2:] for pool in moved), strict=True)]
    return Pool(pools[0].scale, pools[0].rules, *columns)._replace(allowed=allowed)


def _stacked(parts: Sequence[Any]) -> Any:
    """Columns, or tuples of columns, one below the other."""
    if not isinstance(parts[0], tuple):
        return np.concatenate([part.ravel() for part in parts])
    return type(parts[0])(*(_stacked(columns) for columns in zip(*parts, strict=True)))


def _shuffled(rows: int, random: Random) -> Int64s:
    return np.array(random.sample(range(rows), rows), dtype=np.int64)


def _reordered(pool: Pool, grants: Int64s, usage: Int64s, resets: Int64s) -> Pool:
    """The same rows in another order."""
    place = np.argsort(grants)
    rolls_into = pool.grants.rolls_into
    moved = pool.grants._replace(rolls_into=np.where(rolls_into >= 0, np.append(place, NONE)[rolls_into], NONE))
    named = np.where(pool.usage.named >= 0, np.append(place, NONE)[pool.usage.named], NONE)
    return pool._replace(
        grants=taken(moved, grants),
        lives=lives_taken(pool.lives, grants),
        burning=place[pool.burning],
        usage=Usage(*(column[usage] for column in pool.usage._replace(named=named))),
        resets=Resets(*(column[resets] for column in pool.resets)),
    )


def _as_before(drawn: Drawdown, grants: Int64s, usage: Int64s) -> Drawdown:
    """A drawdown of reordered rows, by the rows as they were."""
    entries = drawn.entries
    accounts = [np.where(rows >= 0, np.append(grants, NONE)[np.maximum(rows, NONE)], rows) for rows in entries[3:5]]
    used = np.append(usage, NONE)[entries.usage]
    back = np.argsort(usage)
    return drawn._replace(
        entries=entries._replace(source=accounts[0], target=accounts[1], usage=used),
        balance=drawn.balance[np.argsort(grants)],
        owed=drawn.owed[back],
        refused=drawn.refused[back],
    )
