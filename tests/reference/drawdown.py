"""Credits without a clock: each usage draws from the credits it may use, in burn order; then the rule for the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.reference.burn_order import in_burn_order
from tests.reference.exactness import ZERO, Parameters, number, optional, round_to

EXCEEDS = "exceeds_available_amount"


@dataclass
class Wallets:
    """The balances while they are drawn down, and what became of the usage."""

    price: Parameters
    burning: list[Parameters]
    balances: dict[str, Fraction]
    applied: dict[str, Fraction]
    money_after: list[Fraction] = field(default_factory=list)
    covered: Fraction = ZERO
    uncovered: Fraction = ZERO
    overage: Fraction = ZERO
    remaining: Fraction = ZERO
    error: str | None = None

    def draw(self, credit: Parameters, amount: Fraction) -> None:
        """Take `amount` from a credit, which may go below zero."""
        self.balances[credit["id"]] -= amount
        self.applied[credit["id"]] += amount
        self.covered += amount


def drawn_down(price: Parameters, usage: Sequence[Parameters], credits_: Sequence[Parameters]) -> dict[str, Any]:
    """What every usage, in its order, leaves of the credits."""
    amounts = {credit["id"]: number(credit["amount"]) for credit in credits_}
    wallets = Wallets(price, in_burn_order(credits_, price["order"]), amounts, dict.fromkeys(amounts, ZERO))
    for entry in usage:
        amount = number(entry.get("rounded_amount", entry["amount"]))
        if amount < 0:
            _refund(wallets, -amount)
        else:
            _use(wallets, entry, amount)
        wallets.money_after.append(_money(wallets))
    return {
        "balances": wallets.balances,
        "applied": wallets.applied,
        "money_after": wallets.money_after,
        "covered": wallets.covered,
        "uncovered": wallets.uncovered,
        "overage": wallets.overage,
        "remaining": wallets.remaining,
        "total_balance": sum(wallets.balances.values(), ZERO) - wallets.overage,
        "error": wallets.error,
    }


def _use(wallets: Wallets, entry: Parameters, amount: Fraction) -> None:
    eligible = [credit for credit in wallets.burning if _may_pay(wallets.price, credit, entry)]
    available = sum((_usable(wallets, credit) for credit in eligible), ZERO)
    if wallets.price.get("insufficient") == "error" and amount > available:
        wallets.error = EXCEEDS
        return
    for credit in eligible:
        part = amount if credit.get("threshold_rule") else min(amount, _usable(wallets, credit))
        wallets.draw(credit, part)
        amount -= part
    if amount > 0:
        _leave(wallets, eligible, amount)


def _leave(wallets: Wallets, eligible: Sequence[Parameters], amount: Fraction) -> None:
    """What no credit held: below zero on one of them, kept as overdraft, or left uncovered."""
    going_negative = _going_negative(wallets.price, eligible)
    if going_negative is not None:
        wallets.draw(going_negative, amount)
    elif wallets.price.get("insufficient") == "overdraft":
        wallets.overage += amount
    else:
        wallets.uncovered += amount


def _going_negative(price: Parameters, eligible: Sequence[Parameters]) -> Parameters | None:
    if price.get("insufficient") == "allow_negative" or price.get("overflow") == "last_wallet_negative":
        return eligible[-1] if eligible else None
    return next((credit for credit in eligible if credit.get("allow_negative")), None)


def _may_pay(price: Parameters, credit: Parameters, entry: Parameters) -> bool:
    """Whether the credit is in force and what it is limited to, if anything, is what the usage is."""
    if "wallet" in entry:
        return bool(entry["wallet"] == credit["id"])
    as_of = price.get("as_of", "")
    if as_of and not credit.get("effective_at", "") <= as_of < (credit.get("expires_at") or "9999"):
        return False
    return "targets" not in credit or bool({entry.get("target"), entry.get("metric")} & set(credit["targets"]))


def _usable(wallets: Wallets, credit: Parameters) -> Fraction:
    """What a credit can give: nothing below zero, and whole minor units only where the price rounds."""
    balance = max(wallets.balances[credit["id"]], ZERO)
    rule = wallets.price.get("rounding")
    return balance if rule is None else round_to(balance, int(rule["scale"]), "down")


def _refund(wallets: Wallets, amount: Fraction) -> None:
    """Balances below zero are healed first, then credits fill up to their maximum, last burnt first."""
    for heals_only in (True, False):
        for credit in reversed(wallets.burning):
            top = ZERO if heals_only else optional(credit, "maximum", number(credit["amount"]))
            part = min(amount, max(top - wallets.balances[credit["id"]], ZERO))
            wallets.draw(credit, -part)
            amount -= part
    wallets.remaining -= amount


def _money(wallets: Wallets) -> Fraction:
    """What the balances are worth, each at its own conversion rate."""
    rates = {credit["id"]: optional(credit, "conversion_rate", Fraction(1)) for credit in wallets.burning}
    return sum((balance * rates[name] for name, balance in wallets.balances.items()), ZERO)
