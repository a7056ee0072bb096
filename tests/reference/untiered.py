"""Prices without tiers: flat, per unit, package, dynamic, percentage of each event, and one price per key."""

from fractions import Fraction
from math import ceil, floor

from tests.reference.exactness import ZERO, Parameters, line_rule, number, optional, rounded
from tests.reference.lines import Line, Usage

IN_PERIOD = "feature: usage in period"
ONE = Fraction(1)


def flat(price: Parameters, usage: Usage) -> list[Line]:
    """One amount a period, whatever was used: on its first line when paid in advance, else on its last."""
    term = price.get("payment_term", "in_arrears")
    if not (usage.opens_period if term == "in_advance" else usage.closes_period):
        return []
    amount = number(price["amount"])
    return [Line("flat", "feature", ONE, amount, amount)]


def per_unit(price: Parameters, usage: Usage) -> list[Line]:
    """Quantity times price."""
    unit_price = number(price["unit_price"])
    return _usage_line(usage.quantity, unit_price, usage.quantity * unit_price)


def package(price: Parameters, usage: Usage) -> list[Line]:
    """The packages that this line starts: those of the period so far, less those of the period before it."""
    started = packages(price, usage.after) - packages(price, usage.before)
    package_price = number(price["package_price"])
    return _usage_line(started, package_price, started * package_price)


def packages(price: Parameters, quantity: Fraction) -> Fraction:
    """How many packages hold `quantity` less the free units; a started one counts unless the price rounds down."""
    held = max(quantity - optional(price, "free_units"), ZERO) / number(price["package_size"])
    return Fraction(floor(held) if price.get("rounding_packages") == "down" else ceil(held))


def dynamic(price: Parameters, usage: Usage) -> list[Line]:
    """Usage that is money already, times a multiplier: one unit of that amount."""
    amount = rounded(usage.quantity * number(price["multiplier"]), line_rule(price))
    return _usage_line(ONE, amount, amount) if usage.quantity else []


def percentage(price: Parameters, usage: Usage) -> list[Line]:
    """The sum of each event's fee, in the order of the events, since the free allowance is used up in it."""
    amount = spent = ZERO
    for ordinal, units in enumerate(usage.events, start=1):
        amount += event_fee(price, units, _paid_part(price, units, spent, ordinal))
        spent += units
    return [Line("usage", IN_PERIOD, usage.quantity, ZERO, amount)] if usage.events else []


def event_fee(price: Parameters, units: Fraction, paid: Fraction) -> Fraction:
    """Rate on the paid part plus the whole fixed fee, then the event's bounds; an event wholly free owes neither."""
    owes = units >= 0 if price.get("fixed_on_zero_units") else paid > 0
    if not owes:
        return ZERO
    fee = paid * number(price["rate_percent"]) / 100 + optional(price, "fixed_fee_per_event")
    fee = max(fee, optional(price, "min_per_event"))
    return min(fee, optional(price, "max_per_event", fee))


def matrix(price: Parameters, entries: list[Parameters]) -> list[Line]:
    """Each key's quantity at the key's own price."""
    prices = {cell["key"]: number(cell["unit_price"]) for cell in price["matrix"]}
    quantities = dict.fromkeys(prices, ZERO)
    for entry in entries:
        quantities[entry["key"]] += number(entry["quantity"])
    return [
        Line(f"usage-{key}", IN_PERIOD, quantity, prices[key], quantity * prices[key])
        for key, quantity in quantities.items()
    ]


def _paid_part(price: Parameters, units: Fraction, spent: Fraction, ordinal: int) -> Fraction:
    """What of an event lies beyond the allowance: free are the first events, while their sum is in the free amount."""
    free_events, free_amount = price.get("free_events"), price.get("free_amount")
    if free_events is None and free_amount is None:
        return max(units, ZERO)
    if free_events is not None and ordinal > number(free_events):
        return max(units, ZERO)
    if free_amount is None:
        return ZERO
    free = max(number(free_amount) - spent, ZERO)
    return max(units - free, ZERO)


def _usage_line(quantity: Fraction, unit_amount: Fraction, amount: Fraction) -> list[Line]:
    return [Line("usage", IN_PERIOD, quantity, unit_amount, amount)] if quantity else []
