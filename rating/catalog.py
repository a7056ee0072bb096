"""Say what a catalog is, what a file adds to it, and in words what that changes.

A file upserts: what it names is added or replaced, and what it does not name stays. A customer's list of subjects is
replaced as a whole; a plan's prices are named one by one, by meter and first day, so that a new price ends the one
before it on that day and nothing vanishes.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Literal, TypeVar

import msgspec

from ledger.meters import Meter

Kind = Literal["meter", "plan", "price", "customer", "contract"]
Item = TypeVar("Item")

_SUBJECTS_SHOWN = 5


class Tier(msgspec.Struct, frozen=True):
    """Up to and including `up_to` units (None: without end), a unit costs `unit_price`."""

    up_to: Decimal | None
    unit_price: Decimal


class Price(msgspec.Struct, frozen=True):
    """What one meter's units cost from a day on (None: always), until the plan's next price of that meter."""

    product: str
    meter: str
    model: Literal["per_unit", "graduated"]
    tiers: tuple[Tier, ...]
    since: date | None = None


class Plan(msgspec.Struct, frozen=True):
    """Prices in one currency, ordered by meter and first day."""

    name: str
    currency: str
    prices: tuple[Price, ...] = ()


class Customer(msgspec.Struct, frozen=True):
    """Who pays, and the subjects whose usage that is, sorted."""

    id: str
    name: str
    subjects: tuple[str, ...] = ()


class Contract(msgspec.Struct, frozen=True):
    """A customer is on a plan with one of our entities, from the start of a day until the start of another."""

    id: str
    customer: str
    plan: str
    entity: str
    start: date
    end: date | None = None
    timezone: str = "UTC"


class Catalog(msgspec.Struct, frozen=True):
    """Everything that decides what usage costs, or the part of it that a file names."""

    meters: tuple[Meter, ...] = ()
    plans: tuple[Plan, ...] = ()
    customers: tuple[Customer, ...] = ()
    contracts: tuple[Contract, ...] = ()


class Change(msgspec.Struct, frozen=True):
    """One thing that a file adds or changes, in words."""

    kind: Kind
    id: str
    action: Literal["added", "changed"]
    before: str
    after: str


def merged(old: Catalog, new: Catalog) -> Catalog:
    """`old` after the upsert of `new`, in canonical order."""
    plans = {plan.name: plan for plan in old.plans}
    for plan in new.plans:
        before = plans.get(plan.name)
        plans[plan.name] = _merged_plan(before, plan) if before else _ordered(plan)
    return Catalog(
        _upserted({m.name: m for m in old.meters}, {m.name: m for m in new.meters}),
        tuple(plans[name] for name in sorted(plans)),
        _upserted({c.id: c for c in old.customers}, {c.id: _with_sorted_subjects(c) for c in new.customers}),
        _upserted({c.id: c for c in old.contracts}, {c.id: c for c in new.contracts}),
    )


def _upserted(old: Mapping[str, Item], new: Mapping[str, Item]) -> tuple[Item, ...]:
    both = {**old, **new}
    return tuple(both[key] for key in sorted(both))


def price_key(price: Price) -> tuple[str, date]:
    """What makes a price of a plan this one, and where it stands in it."""
    return price.meter, price.since or date.min


def _merged_plan(old: Plan, new: Plan) -> Plan:
    prices = {price_key(price): price for price in (*old.prices, *new.prices)}
    return Plan(new.name, new.currency, tuple(prices[key] for key in sorted(prices)))


def _ordered(plan: Plan) -> Plan:
    return Plan(plan.name, plan.currency, tuple(sorted(plan.prices, key=price_key)))


def _with_sorted_subjects(customer: Customer) -> Customer:
    return Customer(customer.id, customer.name, tuple(sorted(set(customer.subjects))))


def difference(old: Catalog, new: Catalog) -> list[Change]:
    """What the upsert of `new` changes in `old`."""
    after = merged(old, new)
    return [
        *_changes("meter", _meter_words(old.meters), _meter_words(after.meters)),
        *_changes("plan", _plan_words(old.plans), _plan_words(after.plans)),
        *_changes("price", _price_words(old.plans), _price_words(after.plans)),
        *_changes("customer", _customer_words(old.customers), _customer_words(after.customers)),
        *_changes("contract", _contract_words(old.contracts), _contract_words(after.contracts)),
    ]


Words = dict[str, tuple[object, str]]
"""By id: what is compared, and how it reads."""


def _changes(kind: Kind, old: Words, new: Words) -> Iterable[Change]:
    for key, (item, words) in new.items():
        if key not in old:
            yield Change(kind, key, "added", "", words)
        elif old[key][0] != item:
            yield Change(kind, key, "changed", old[key][1], words)


def _meter_words(meters: Iterable[Meter]) -> Words:
    return {meter.name: (meter, _meter_in_words(meter)) for meter in meters}


def _meter_in_words(meter: Meter) -> str:
    what = f"counts {meter.event_type}" if meter.value is None else f"sums {meter.value} of {meter.event_type}"
    unit = f" in {meter.unit}" if meter.unit else ""
    by = ", ".join(name if name == path else f"{name} ({path})" for name, path in sorted(meter.dimensions.items()))
    return f"{what}{unit}{' by ' if by else ''}{by}"


def _plan_words(plans: Iterable[Plan]) -> Words:
    return {plan.name: (plan.currency, f"in {plan.currency}") for plan in plans}


def _price_words(plans: Iterable[Plan]) -> Words:
    return {
        f"{plan.name}/{price.meter}{f' from {price.since}' if price.since else ''}": (
            price,
            f"{price.product}: {_tiers_in_words(price)}",
        )
        for plan in plans
        for price in plan.prices
    }


def _tiers_in_words(price: Price) -> str:
    if price.model == "per_unit":
        return f"{decimal_text(price.tiers[0].unit_price)} a unit"
    steps = [
        f"{decimal_text(tier.unit_price)} up to {decimal_text(tier.up_to)}"
        for tier in price.tiers
        if tier.up_to is not None
    ]
    return ", ".join([*steps, f"then {decimal_text(price.tiers[-1].unit_price)}"])


def _customer_words(customers: Iterable[Customer]) -> Words:
    return {customer.id: (customer, _customer_in_words(customer)) for customer in customers}


def _customer_in_words(customer: Customer) -> str:
    shown = ", ".join(customer.subjects[:_SUBJECTS_SHOWN]) or "no subjects"
    hidden = len(customer.subjects) - _SUBJECTS_SHOWN
    return f"{customer.name}: {shown}{f' and {hidden} more' if hidden > 0 else ''}"


def _contract_words(contracts: Iterable[Contract]) -> Words:
    return {contract.id: (contract, _contract_in_words(contract)) for contract in contracts}


def _contract_in_words(contract: Contract) -> str:
    until = f" until {contract.end}" if contract.end else ""
    zone = "" if contract.timezone == "UTC" else f", {contract.timezone}"
    return f"{contract.customer} on {contract.plan} with {contract.entity}, from {contract.start}{until}{zone}"


def decimal_text(value: Decimal) -> str:
    """`value` without exponent and without trailing zeros."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
