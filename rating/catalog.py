"""Say what a catalog is, what a file adds to it, and in words what that changes.

A file upserts: what it names is added or replaced, and what it does not name stays. A customer's list of subjects is
replaced as a whole; a plan's prices are named one by one, by meter and first day, so that a new price ends the one
before it on that day and nothing vanishes.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum
from typing import Literal, TypeVar

import msgspec

from ledger.meters import Meter
from rating.price_words import price_in_words
from rating.pricing import parts

Kind = Literal["meter", "plan", "price", "customer", "contract"]
Item = TypeVar("Item")

_SUBJECTS_SHOWN = 5


class Proration(Enum):
    """Which part of a fee is owed where its contract or price holds for a part of the month."""

    DAY = "day"
    SECOND = "second"
    NONE = "none"
    """All of it."""


class Price(msgspec.Struct, frozen=True):
    """What one meter's units cost from a day on (None: always), until the plan's next price of that meter.

    A price without a meter is a fee, until the plan's next fee of that product.
    """

    product: str
    meter: str
    """Empty for a fee."""
    terms: parts.Price
    since: date | None = None
    dimensions: tuple[str, ...] = ()
    """Whose values make the key of a matrix."""
    proration: Proration = Proration.DAY
    """Of a fee."""

    @property
    def fee(self) -> str:
        """The product of a fee, which is the price of no meter."""
        return "" if self.meter else self.product


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
    prices: tuple[Price, ...] = ()
    """Of its own, ordered like a plan's; each stands in for the plan's price of the meter or fee from its day on."""


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
        own = plans[plan.name].prices if plan.name in plans else ()
        plans[plan.name] = Plan(plan.name, plan.currency, _merged_prices(own, plan.prices))
    contracts = {contract.id: contract for contract in old.contracts}
    for contract in new.contracts:
        own = contracts[contract.id].prices if contract.id in contracts else ()
        prices = _merged_prices(own, contract.prices)
        contracts[contract.id] = msgspec.structs.replace(contract, prices=prices)
    return Catalog(
        _upserted({m.name: m for m in old.meters}, {m.name: m for m in new.meters}),
        tuple(plans[name] for name in sorted(plans)),
        _upserted({c.id: c for c in old.customers}, {c.id: _with_sorted_subjects(c) for c in new.customers}),
        tuple(contracts[key] for key in sorted(contracts)),
    )


def _upserted(old: Mapping[str, Item], new: Mapping[str, Item]) -> tuple[Item, ...]:
    both = {**old, **new}
    return tuple(both[key] for key in sorted(both))


def price_key(price: Price) -> tuple[str, str, date]:
    """What makes a price of a plan this one, and where it stands in it."""
    return price.meter, price.fee, price.since or date.min


def _merged_prices(old: Iterable[Price], new: Iterable[Price]) -> tuple[Price, ...]:
    prices = {price_key(price): price for price in (*old, *new)}
    return tuple(prices[key] for key in sorted(prices))


def _with_sorted_subjects(customer: Customer) -> Customer:
    return Customer(customer.id, customer.name, tuple(sorted(set(customer.subjects))))


def difference(old: Catalog, new: Catalog) -> list[Change]:
    """What the upsert of `new` changes in `old`."""
    after = merged(old, new)
    return [
        *_changes("meter", _meter_words(old.meters), _meter_words(after.meters)),
        *_changes("plan", _plan_words(old.plans), _plan_words(after.plans)),
        *_changes("price", _price_words(_priced(old)), _price_words(_priced(after))),
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


def _priced(catalog: Catalog) -> Iterable[tuple[str, Price]]:
    """Every price, and the plan or contract whose it is."""
    yield from ((plan.name, price) for plan in catalog.plans for price in plan.prices)
    yield from ((f"contract {contract.id}", price) for contract in catalog.contracts for price in contract.prices)


def _price_words(prices: Iterable[tuple[str, Price]]) -> Words:
    return {
        f"{owner}/{price.meter or price.fee}{f' from {price.since}' if price.since else ''}": (
            price,
            f"{price.product}: {price_in_words(price.terms, price.dimensions)}{_proration_in_words(price)}",
        )
        for owner, price in prices
    }


def _proration_in_words(price: Price) -> str:
    return "" if price.meter or price.proration is Proration.DAY else f", prorated by {price.proration.value}"


def _customer_words(customers: Iterable[Customer]) -> Words:
    return {customer.id: (customer, _customer_in_words(customer)) for customer in customers}


def _customer_in_words(customer: Customer) -> str:
    shown = ", ".join(customer.subjects[:_SUBJECTS_SHOWN]) or "no subjects"
    hidden = len(customer.subjects) - _SUBJECTS_SHOWN
    return f"{customer.name}: {shown}{f' and {hidden} more' if hidden > 0 else ''}"


def _contract_words(contracts: Iterable[Contract]) -> Words:
    # Prices are told one by one, as a plan's are.
    return {
        contract.id: (msgspec.structs.replace(contract, prices=()), _contract_in_words(contract))
        for contract in contracts
    }


def _contract_in_words(contract: Contract) -> str:
    until = f" until {contract.end}" if contract.end else ""
    zone = "" if contract.timezone == "UTC" else f", {contract.timezone}"
    return f"{contract.customer} on {contract.plan} with {contract.entity}, from {contract.start}{until}{zone}"
