"""Maps cases onto drawdowns of ours, and reads their figures off the entries."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from rating.credits import statement
from rating.credits.accounts import EXPIRED, VOIDED
from rating.credits.bonus import Slab, bonus
from rating.credits.drawdown import Drawdown
from rating.credits.steps import ASKS_TO_VOID
from rating.exact import Exact
from rating.ratios import of_fractions, of_scale, times
from tests.conformance.columns import fraction, fractions, one
from tests.conformance.credit_pools import ROLLOVER, Pool, read_pool, with_rollover
from tests.conformance.figures import Calculation, Case, Figures
from tests.conformance.scaled import milliseconds

Parameters = Mapping[str, Any]
ONE_POOL = 1


def _burnt(case: Case) -> Figures:
    price, usage, credits_ = case["price"], case.get("usage", []), case.get("credits", [])
    if "recurring_allowance" in price:
        credits_ = with_rollover(price, credits_)
    pool = read_pool(price, usage, credits_)
    drawdown = pool.drawn_down()
    return {
        **_of_grants(pool, drawdown, credits_),
        **_of_pool(price, pool, drawdown),
        **_rollover(price, pool, drawdown, credits_),
        "money_after": _money_after(pool, drawdown, credits_, len(usage)),
        "error": _error(price, pool, drawdown),
    }


def _of_grants(pool: Pool, drawdown: Drawdown, credits_: Sequence[Parameters]) -> Figures:
    entries, grants = drawdown.entries, len(credits_)
    columns = {
        "balances": drawdown.balance,
        "applied": statement.applied(entries, grants),
        "expired": statement.taken_off(entries, grants, EXPIRED),
        "voided": statement.taken_off(entries, grants, VOIDED),
    }
    ids = [credit["id"] for credit in credits_]
    return {name: dict(zip(ids, _fractions(pool, column), strict=True)) for name, column in columns.items()}


def _of_pool(price: Parameters, pool: Pool, drawdown: Drawdown) -> Figures:
    entries = drawdown.entries
    # An overdraft makes the pool's balance less; overage that is carried stands apart from it.
    held = statement.totals(drawdown.balance, pool.grants.pool, ONE_POOL)
    is_overdraft = price.get("insufficient") == "overdraft"
    columns = {
        "covered": statement.covered(entries, ONE_POOL),
        "uncovered": statement.uncovered(entries, ONE_POOL),
        "overage": statement.owed(entries, ONE_POOL),
        "remaining": -statement.without_room(entries, ONE_POOL),
        "total_balance": statement.less_owed(held, entries) if is_overdraft else held,
    }
    return {name: _fractions(pool, column)[0] for name, column in columns.items()}


def _rollover(price: Parameters, pool: Pool, drawdown: Drawdown, credits_: Sequence[Parameters]) -> Figures:
    """What the last reset moved into the rollover, and what is left of it."""
    if "recurring_allowance" not in price:
        return {}
    row = [credit["id"] for credit in credits_].index(ROLLOVER["id"])
    last = max((milliseconds(at) for at in price["resets"] if at <= price["until"]), default=int(pool.span.start[0]))
    rolled = statement.balances(drawdown.entries, len(credits_), np.array([last]))
    read = {"rolled_over": rolled, "rollover_balance": drawdown.balance}
    return {name: _fractions(pool, column)[row] for name, column in read.items()}


def _money_after(pool: Pool, drawdown: Drawdown, credits_: Sequence[Parameters], usages: int) -> list[Fraction]:
    rates = of_fractions([Fraction(credit.get("conversion_rate", "1")) for credit in credits_])
    owner = np.zeros(usages, dtype=np.int64)
    worth = statement.worth_after(drawdown.entries, drawdown.step[:usages], owner, rates)
    return fractions(times(worth, of_scale(np.ones(1, dtype=np.int64), pool.scale)))


def _error(price: Parameters, pool: Pool, drawdown: Drawdown) -> str | None:
    refused = pool.usage.kind[drawdown.refused]
    if (refused == ASKS_TO_VOID).any():
        return "conflict"
    if len(refused):
        return "exceeds_available_amount"
    is_short = "money_rate_per_second" in price and statement.uncovered(drawdown.entries, ONE_POOL).any()
    return "insufficient_credit" if is_short else None


def _fractions(pool: Pool, column: Exact) -> list[Fraction]:
    return fractions(of_scale(column, pool.scale))


def _topped_up(case: Case) -> Figures:
    slabs = [_slab(slab) for slab in case["price"]["slabs"]]
    return {"bonus": fraction(bonus(one(case["quantity"]), slabs))}


def _slab(slab: Parameters) -> Slab:
    threshold, granted = Fraction(slab["threshold"]), slab["bonus"]
    if granted["kind"] == "flat":
        return Slab(threshold, flat=Fraction(granted["amount"]))
    return Slab(threshold, percent=Fraction(granted["percent"]))


MODELS: dict[str, Calculation] = {"credit_burndown": _burnt, "topup_bonus": _topped_up}
