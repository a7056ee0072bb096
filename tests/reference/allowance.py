"""An allowance that is granted anew at each reset, with what is left of it rolled over beside the fresh one."""

from collections.abc import Sequence
from typing import Any

from tests.reference.exactness import ZERO, Parameters, number, optional


def allowed(price: Parameters, usage: Sequence[Parameters], credits_: Sequence[Parameters]) -> dict[str, Any]:
    """Balances at `until`; a reset at an instant comes before the usage of that instant, and `until` includes one."""
    fresh = sum((number(credit["amount"]) for credit in credits_), ZERO)
    rollover = rolled_over = uncovered = ZERO
    for at, is_usage, entry in _timeline(price, usage):
        if not is_usage:
            left = fresh + rollover
            rollover = rolled_over = min(left, optional(price, "rollover_max", left))
            fresh = number(price["recurring_allowance"])
            continue
        assert at < price["until"]
        pools = [rollover, fresh] if price.get("rollover_burns_first", True) else [fresh, rollover]
        wanted = number(entry["amount"])
        for index, pool in enumerate(pools):
            part = min(wanted, pool)
            pools[index] -= part
            wanted -= part
        rollover, fresh = pools if price.get("rollover_burns_first", True) else reversed(pools)
        uncovered += wanted
    return {
        "rolled_over": rolled_over,
        "rollover_balance": rollover,
        "total_balance": rollover + fresh,
        "uncovered": uncovered,
    }


def _timeline(price: Parameters, usage: Sequence[Parameters]) -> list[tuple[str, bool, Parameters]]:
    resets: list[tuple[str, bool, Parameters]] = [
        (at, False, {}) for at in price["resets"] if price["start_at"] <= at <= price["until"]
    ]
    events = [(entry["at"], True, entry) for entry in usage if price["start_at"] <= entry["at"] < price["until"]]
    return sorted([*resets, *events], key=lambda step: step[:2])
