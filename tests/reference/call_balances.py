"""Balances of units before balances of money: a call takes whole increments of units, and money at its rate."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any

from tests.reference.burn_order import in_burn_order
from tests.reference.exactness import ZERO, Parameters, number, optional

ONE = Fraction(1)


def called(price: Parameters, usage: Sequence[Parameters], credits_: Sequence[Parameters]) -> dict[str, Any]:
    """What each call, in its order, leaves of the balances, heavier ones first."""
    burning = in_burn_order(credits_, price["order"])
    money = [credit for credit in burning if credit["unit"] == "money"]
    balances = {credit["id"]: number(credit["amount"]) for credit in credits_}
    rate, increment = number(price["money_rate_per_second"]), optional(price, "money_increment", ONE)
    uncovered = ZERO
    for call in usage:
        left = number(call["amount"])
        for credit in (credit for credit in burning if credit["unit"] == call["unit"]):
            paid = _units_paid(balances, credit, left)
            if credit.get("also_charges_money"):
                paid -= _money_paid(balances, money, paid, rate, increment)
            left = max(left - paid, ZERO)
        uncovered += _money_paid(balances, money, left, rate, increment)
    return {
        "balances": balances,
        "total_balance": sum(balances.values(), ZERO),
        "uncovered": uncovered,
        "error": "insufficient_credit" if uncovered else None,
    }


def _units_paid(balances: dict[str, Fraction], credit: Parameters, wanted: Fraction) -> Fraction:
    """The units that a balance gives: whole increments, the last one whole although the call may end in it."""
    increment = optional(credit, "increment", ONE)
    increments = min(ceil(wanted / increment), floor(balances[credit["id"]] / increment))
    paid = max(increments, 0) * increment
    balances[credit["id"]] -= paid
    return paid


def _money_paid(
    balances: dict[str, Fraction], money: Sequence[Parameters], wanted: Fraction, rate: Fraction, increment: Fraction
) -> Fraction:
    """Charge `wanted` seconds to the money balances in whole increments, and return the seconds they can't pay."""
    cost = rate * increment
    for credit in money:
        affordable = floor(balances[credit["id"]] / cost) if cost else ceil(wanted / increment)
        increments = max(min(ceil(wanted / increment), affordable), 0)
        balances[credit["id"]] -= increments * cost
        wanted = max(wanted - increments * increment, ZERO)
    return wanted
