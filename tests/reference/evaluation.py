"""From a case to its figures: which calculation the case's model and parameters ask for, and in which form."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from tests.reference import adjustments, invoice, proration, several_meters
from tests.reference.allowance import allowed
from tests.reference.call_balances import called
from tests.reference.drawdown import drawn_down
from tests.reference.exactness import ZERO, Parameters, currency_rule, line_rule, number, rounded, total_rule
from tests.reference.grants import granted
from tests.reference.increments import incremental
from tests.reference.lines import Line, total_of
from tests.reference.rating import after_free_units, amount_of, converted, rated_lines, read_usage, whole_price
from tests.reference.time_rated import time_rated
from tests.reference.untiered import matrix, packages

Figures = dict[str, Any]
INSTRUCTIONS = frozenset({"compare_scale", "compare_mode"})


def evaluate(case: Parameters) -> Figures:
    """The figures under the keys of the case's `expected`: Fractions, lists and maps of them, and words for errors."""
    price = whole_price(case["model"], case["price"])
    figures = CALCULATIONS.get(case["model"], _rated)(case, price)
    return {name: figures[name] for name in case["expected"] if name not in INSTRUCTIONS}


def _rated(case: Parameters, price: Parameters) -> Figures:
    usage = read_usage(case, price)
    billable = after_free_units(price, converted(price, usage))
    figures: Figures = {
        "quantity": billable.quantity,
        "quantity_before": billable.before,
        "discounted_quantity": converted(price, usage).quantity - billable.quantity,
    }
    if price["model"] not in {"unit_conversion", "usage_discount"}:
        figures |= _priced(case, price, rated_lines(price, usage))
    if price["model"] == "package":
        figures["packages"] = packages(price, billable.after) - packages(price, billable.before)
    return figures


def _priced(case: Parameters, price: Parameters, lines: Sequence[Line]) -> Figures:
    if "tier_line" in price:
        lines = [line for line in lines if line.tier == int(price["tier_line"])]
    figures: Figures = {
        "amount": amount_of(price, list(lines)),
        "discount": sum((line.discount for line in lines), ZERO),
        "lines": _printed(case, lines),
    }
    if "tax_percent" in price:
        rule = currency_rule(case["currency"], price)
        fee = rounded(figures["amount"], rule)
        tax = rounded(fee * number(price["tax_percent"]) / 100, rule)
        figures |= {"amount": fee, "tax": tax, "total": fee + tax}
    return figures


def _printed(case: Parameters, lines: Sequence[Line]) -> list[Figures]:
    """Line by line, or tier by tier where that is what the case's lines are named by."""
    asked = {name for line in case["expected"].get("lines", []) if isinstance(line, dict) for name in line}
    if "tier" not in asked:
        return [line.fields() for line in lines]
    tiers: dict[int | None, Line] = {}
    for line in lines:
        quantity = line.quantity if line.key.startswith("units") else ZERO
        other = tiers.get(line.tier, replace(line, quantity=ZERO, amount=ZERO, discount=ZERO))
        tiers[line.tier] = replace(
            other,
            quantity=other.quantity + quantity,
            amount=other.amount + line.amount,
            discount=other.discount + line.discount,
        )
    return [line.fields() for line in tiers.values()]


def _matrix(case: Parameters, price: Parameters) -> Figures:
    return _priced(case, price, matrix(price, case["usage"]))


def _bucketed(case: Parameters, price: Parameters) -> Figures:
    """Each bucket priced alone, then summed."""
    entries = case["usage"]
    amounts = [amount_of(price, rated_lines(price, read_usage({"quantity": entry}, price))) for entry in entries]
    return {"amount": sum(amounts, ZERO), "lines": [{"amount": amount} for amount in amounts]}


def _minimum(case: Parameters, price: Parameters) -> Figures:
    if not price.get("used_amount"):
        return _rated(case, price)
    return adjustments.true_up(price, number(case["quantity"]), currency_rule(case["currency"], price))


def _taxed(case: Parameters, price: Parameters) -> Figures:
    usage = read_usage(case, price)
    base = total_of(rated_lines(price, usage)) if "base" in case["price"] else usage.quantity
    taxes = adjustments.taxes(price, base)
    return {"taxes": taxes, "amount": sum(taxes, ZERO), "subtotal": base, "total": base + sum(taxes, ZERO)}


def _discounted(case: Parameters, price: Parameters) -> Figures:
    return adjustments.discounted(price, number(case["quantity"]))


def _distributed(case: Parameters, price: Parameters) -> Figures:
    amounts = [number(amount) for amount in case["usage"]]
    shares = adjustments.shared_out(number(price["discount"]), amounts, currency_rule(case["currency"], price))
    return {"lines": [amount - share for amount, share in zip(amounts, shares, strict=True)]}


def _rounded(case: Parameters, price: Parameters) -> Figures:
    """A bare figure, a product or a quotient, rounded; of several, each or their sum."""
    if "multiply" in price:
        value = number(price["multiply"][0]) * number(price["multiply"][1])
    elif "divide" in price:
        value = number(price["divide"][0]) / number(price["divide"][1])
    elif "quantity" in case:
        value = number(case["quantity"])
    else:
        value = sum((rounded(number(entry), line_rule(price)) for entry in case["usage"]), ZERO)
    return {"amount": rounded(value, price.get("rounding"))}


def _invoiced(case: Parameters, price: Parameters) -> Figures:
    if "lines" in price:
        return invoice.invoiced(price, case.get("credits", []))
    return invoice.credited(rated_lines(price, read_usage(case, price)), case.get("credits", []))


def _burnt(case: Parameters, price: Parameters) -> Figures:
    """By the clock where instants decide, as a call where units turn into money, else usage after usage."""
    usage, credits_ = case.get("usage", []), case.get("credits", [])
    if "recurring_allowance" in price:
        return allowed(price, usage, credits_)
    if "money_rate_per_second" in price:
        return called(price, usage, credits_)
    if "start_at" in price or any("at" in entry for entry in usage):
        return granted(price, usage, credits_)
    return drawn_down(price, usage, credits_)


def _blocks(case: Parameters, price: Parameters) -> Figures:
    """Of a quantity, or of several units; a list of plain quantities is the usage of one line."""
    of_line = "units" not in price and "quantity" not in case
    return _rated(case, price) if of_line else several_meters.tiered_blocks(price, case)


def _prorated_graduated(case: Parameters, price: Parameters) -> Figures:
    return {"amount": rounded(proration.prorated_graduated(price, case["usage"]), total_rule(price))}


def _quantity(case: Parameters) -> Fraction:
    return number(case["quantity"])


CALCULATIONS: dict[str, Callable[[Parameters, Parameters], Figures]] = {
    "matrix": _matrix,
    "bucketed": _bucketed,
    "minimum": _minimum,
    "tax": _taxed,
    "discount": _discounted,
    "distribution": _distributed,
    "rounding": _rounded,
    "invoice": _invoiced,
    "credit_burndown": _burnt,
    "prorated_graduated": _prorated_graduated,
    "incremental": lambda case, price: incremental(price, case["usage"]),
    "commitment": lambda case, price: adjustments.commitment(price, case["usage"]),
    "topup_bonus": lambda case, price: {"bonus": adjustments.bonus(price["slabs"], _quantity(case))},
    "capacity": lambda case, price: several_meters.capacity(price, case["usage"]),
    "tiered_blocks": _blocks,
    "time_rated": lambda case, price: time_rated(price, _quantity(case)) if "quantity" in case else _rated(case, price),
    "proration": lambda case, price: proration.prorated(price, currency_rule(case["currency"], price)),
}
