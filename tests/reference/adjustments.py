"""What changes an amount after it is priced: discounts, taxes, true-ups, commitments, bonuses."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tests.reference.exactness import ZERO, Parameters, number, optional, rounded, total_rule


def ordered(discounts: Sequence[Parameters], order: str | list[str]) -> list[Parameters]:
    """The discounts as listed, or kind after kind and as listed within a kind."""
    if order == "given":
        return list(discounts)
    return sorted(discounts, key=lambda discount: order.index(discount["kind"]))


def discount_value(discount: Parameters, base: Fraction, rounding: Parameters | None) -> Fraction:
    """What one discount takes off `base`: never more than all of it, and of a base below zero its percentage only."""
    if discount["kind"] == "percent":
        wanted = rounded(base * number(discount["percent"]) / 100, rounding)
    else:
        assert discount["kind"] == "fixed", discount
        wanted = rounded(number(discount["amount"]), rounding) if base > 0 else ZERO
    return min(wanted, base) if base > 0 else max(wanted, base)


def chained_discount(price: Parameters, amount: Fraction) -> Fraction:
    """What all discounts take off together, each from what the one before left."""
    left = amount
    for discount in ordered(price["discounts"], price.get("order", "given")):
        left -= discount_value(discount, left, price.get("rounding"))
    return amount - left


def discounted(price: Parameters, amount: Fraction) -> dict[str, Any]:
    """An amount less its discounts, rounded again where the amount itself was finer than the currency."""
    discount = chained_discount(price, amount)
    return {"discount": discount, "total": rounded(amount - discount, price.get("rounding"))}


def shared_out(discount: Fraction, amounts: Sequence[Fraction], rounding: Parameters | None) -> list[Fraction]:
    """A discount's part of each amount, in proportion; the last amount takes what rounding left over."""
    whole = sum(amounts, ZERO)
    if whole == 0:
        return [ZERO for _ in amounts]
    shares = [rounded(discount * amount / whole, rounding) for amount in amounts[:-1]]
    return [*shares, discount - sum(shares, ZERO)]


def taxes(price: Parameters, base: Fraction) -> list[Fraction]:
    """Each rate on the same base, each rounded alone."""
    rates = [number(rate) for rate in price.get("rates_percent", [])]
    return [rounded(base * rate / 100, price.get("rounding")) for rate in rates]


def true_up(price: Parameters, used: Fraction, fallback: Parameters) -> dict[str, Any]:
    """What the used amount is short of a minimum: prorated first, converted and rounded last, each fee taxed apart."""
    share = price.get("prorate")
    ratio = Fraction(1) if share is None else number(share["numerator"]) / number(share["denominator"])
    if price.get("round_used_first"):
        used = rounded(used, price.get("rounding"))
    missing = max(optional(price, "minimum") * ratio - used, ZERO)
    precise = missing * optional(price, "conversion_rate", Fraction(1))
    due = rounded(precise, price.get("rounding"))
    rate = optional(price, "tax_percent") / 100
    tax_usage, tax_due = (rounded(amount * rate, price.get("rounding", fallback)) for amount in (used, due))
    return {
        "true_up": due,
        "precise": precise,
        "true_up_in_pricing_unit": missing,
        "amount": used + due,
        "tax_usage": tax_usage,
        "tax_true_up": tax_due,
        "total": used + due + tax_usage + tax_due,
    }


def commitment(price: Parameters, usage: Sequence[Any]) -> dict[str, Any]:
    """Use inside the commitment at face value, the rest times the overage factor; what is missing only by true-up.

    A windowed commitment is settled by each window alone. What earlier invoices used of it counts as used up.
    """
    costs = [_cost(price, entry) for entry in usage]
    windows = costs if price.get("windowed") else [sum(costs, ZERO)]
    left = max(_committed(price) - optional(price, "cumulative_prior"), ZERO)
    settled = [_settled(price, cost, left) for cost in windows]
    missing = [max(left - cost, ZERO) if price.get("true_up") else ZERO for cost in windows]
    amount = rounded(sum(settled, ZERO), total_rule(price))
    return {"amount": amount, "windows": settled, "true_up": sum(missing, ZERO)}


def bonus(slabs: Sequence[Parameters], topped_up: Fraction) -> Fraction:
    """The bonus of the highest threshold reached (inclusive), zero below all of them."""
    reached = [slab for slab in slabs if number(slab["threshold"]) <= topped_up]
    if not reached:
        return ZERO
    grant = max(reached, key=lambda slab: number(slab["threshold"]))["bonus"]
    return number(grant["amount"]) if grant["kind"] == "flat" else topped_up * number(grant["percent"]) / 100


def _committed(price: Parameters) -> Fraction:
    if "commitment_amount" in price:
        return number(price["commitment_amount"])
    return number(price["commitment_quantity"]) * number(price["unit_price"])


def _cost(price: Parameters, entry: Any) -> Fraction:
    return number(entry["amount"]) if isinstance(entry, dict) else number(entry) * number(price["unit_price"])


def _settled(price: Parameters, cost: Fraction, left: Fraction) -> Fraction:
    if cost < left:
        return left if price.get("true_up") else cost
    return left + (cost - left) * optional(price, "overage_factor", Fraction(1))
