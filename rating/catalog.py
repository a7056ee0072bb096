"""Say what a catalog is, what a file adds to it, and in words what that changes.

A file upserts: what it names is added or replaced, and what it does not name stays. A customer's list of subjects is
replaced as a whole; a plan's prices are named one by one, by meter and first day, so that a new price ends the one
before it on that day and nothing vanishes, and rates of taxes the same by place, category, name and first day.
Discounts of a plan or contract are one list, and it stays like a commitment or a pricing unit does where the file does
not name it.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum
from typing import Literal, TypeVar

import msgspec

from ledger.meters import Meter
from rating.agreements import (
    STANDARD,
    Commitment,
    Discount,
    PricingUnit,
    Tax,
    category_in_words,
    commitment_in_words,
    discounts_in_words,
    tax_in_words,
    tax_key,
    unit_in_words,
    with_steps_in_order,
)
from rating.credit_spending import Spending
from rating.credit_spending import in_words as spending_in_words
from rating.price_words import price_in_words
from rating.pricing import parts

Kind = Literal["meter", "plan", "price", "customer", "contract", "tax"]
Item = TypeVar("Item")
Key = TypeVar("Key", str, tuple[str, str, str, date])

_SUBJECTS_SHOWN = 5


class Proration(Enum):
    """Which part of what a month costs is owed where its contract or price holds for a part of the month."""

    DAY = "day"
    SECOND = "second"
    NONE = "none"
    """All of it."""


class Price(msgspec.Struct, frozen=True):
    """What one meter's units cost from a day on (None: always), until the plan's next price of that meter.

    A price without a meter is a fee, until the plan's next fee of that product. A price of several meters is one of the
    first, and of each other one that it is priced with the first.
    """

    product: str
    meter: str
    """Empty for a fee."""
    terms: parts.Price
    since: date | None = None
    dimensions: tuple[str, ...] = ()
    """Whose values make the key of a matrix."""
    proration: Proration = Proration.DAY
    """Of a fee, and of a price by capacity."""
    tax_category: str = STANDARD

    @property
    def fee(self) -> str:
        """The product of a fee, which is the price of no meter."""
        return "" if self.meter else self.product


class Plan(msgspec.Struct, frozen=True):
    """Prices in one currency, ordered by meter and first day."""

    name: str
    currency: str
    prices: tuple[Price, ...] = ()
    discounts: tuple[Discount, ...] | None = None
    """Off what contracts on it charge, in their order; an empty list takes the ones before away."""
    pricing_unit: PricingUnit | None = None
    """What its prices are in, and those of its contracts; None: its currency."""


class Customer(msgspec.Struct, frozen=True):
    """Who pays, where that is taxed, and the subjects whose usage it is, sorted."""

    id: str
    name: str
    subjects: tuple[str, ...] = ()
    tax_place: str | None = None
    """None: not taxed by us."""
    tax_exempt: str | None = None
    """Why no tax is due at a place that has taxes."""
    credit: Spending | None = None
    """How its credit is spent; None: as is usual."""


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
    commitment: Commitment | None = None
    discounts: tuple[Discount, ...] | None = None
    """Of its own, after the plan's; one that is named like one of the plan's stands in for it."""
    anchor: int = 1
    """The day of the month on which its periods begin, or the last day of a month that has no such day."""


class Catalog(msgspec.Struct, frozen=True):
    """Everything that decides what usage costs, or the part of it that a file names."""

    meters: tuple[Meter, ...] = ()
    plans: tuple[Plan, ...] = ()
    customers: tuple[Customer, ...] = ()
    contracts: tuple[Contract, ...] = ()
    taxes: tuple[Tax, ...] = ()


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
        before = plans.get(plan.name, Plan(plan.name, plan.currency))
        plans[plan.name] = msgspec.structs.replace(
            plan,
            prices=_merged_prices(before.prices, plan.prices),
            discounts=_merged_discounts(before.discounts, plan.discounts),
            pricing_unit=plan.pricing_unit or before.pricing_unit,
        )
    contracts = {contract.id: contract for contract in old.contracts}
    for contract in new.contracts:
        stored = contracts.get(contract.id)
        contracts[contract.id] = msgspec.structs.replace(
            contract,
            prices=_merged_prices(stored.prices if stored else (), contract.prices),
            commitment=with_steps_in_order(contract.commitment or (stored.commitment if stored else None)),
            discounts=_merged_discounts(stored.discounts if stored else None, contract.discounts),
        )
    return Catalog(
        _upserted({m.name: m for m in old.meters}, {m.name: m for m in new.meters}),
        tuple(plans[name] for name in sorted(plans)),
        _upserted({c.id: c for c in old.customers}, {c.id: _with_sorted_subjects(c) for c in new.customers}),
        tuple(contracts[key] for key in sorted(contracts)),
        _upserted({tax_key(tax): tax for tax in old.taxes}, {tax_key(tax): tax for tax in new.taxes}),
    )


def _upserted(old: Mapping[Key, Item], new: Mapping[Key, Item]) -> tuple[Item, ...]:
    both = {**old, **new}
    return tuple(both[key] for key in sorted(both))


def price_key(price: Price) -> tuple[str, str, date]:
    """What makes a price of a plan this one, and where it stands in it."""
    return price.meter, price.fee, price.since or date.min


def _merged_prices(old: Iterable[Price], new: Iterable[Price]) -> tuple[Price, ...]:
    prices = {price_key(price): price for price in (*old, *new)}
    return tuple(prices[key] for key in sorted(prices))


def _merged_discounts(
    old: tuple[Discount, ...] | None, new: tuple[Discount, ...] | None
) -> tuple[Discount, ...] | None:
    return (old if new is None else new) or None


def _with_sorted_subjects(customer: Customer) -> Customer:
    return msgspec.structs.replace(customer, subjects=tuple(sorted(set(customer.subjects))))


def difference(old: Catalog, new: Catalog) -> list[Change]:
    """What the upsert of `new` changes in `old`."""
    after = merged(old, new)
    return [
        *_changes("meter", _meter_words(old.meters), _meter_words(after.meters)),
        *_changes("plan", _plan_words(old.plans), _plan_words(after.plans)),
        *_changes("price", _price_words(_priced(old)), _price_words(_priced(after))),
        *_changes("customer", _customer_words(old.customers), _customer_words(after.customers)),
        *_changes("contract", _contract_words(old.contracts), _contract_words(after.contracts)),
        *_changes("tax", _tax_words(old.taxes), _tax_words(after.taxes)),
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
    # Prices are told one by one.
    return {plan.name: (msgspec.structs.replace(plan, prices=()), _plan_in_words(plan)) for plan in plans}


def _plan_in_words(plan: Plan) -> str:
    unit = unit_in_words(plan.pricing_unit, plan.currency)
    return "; ".join(filter(None, (f"in {plan.currency}", unit, discounts_in_words(plan.discounts))))


def _priced(catalog: Catalog) -> Iterable[tuple[str, Price]]:
    """Every price, and the plan or contract whose it is."""
    yield from ((plan.name, price) for plan in catalog.plans for price in plan.prices)
    yield from ((f"contract {contract.id}", price) for contract in catalog.contracts for price in contract.prices)


def _price_words(prices: Iterable[tuple[str, Price]]) -> Words:
    return {
        f"{owner}/{price.meter or price.fee}{f' from {price.since}' if price.since else ''}": (
            price,
            f"{price.product}: {price_in_words(price.terms, price.dimensions)}{_rest_in_words(price)}",
        )
        for owner, price in prices
    }


def _rest_in_words(price: Price) -> str:
    proration = "" if price.proration is Proration.DAY else f", prorated by {price.proration.value}"
    return proration + category_in_words(price.tax_category)


def _customer_words(customers: Iterable[Customer]) -> Words:
    return {customer.id: (customer, _customer_in_words(customer)) for customer in customers}


def _customer_in_words(customer: Customer) -> str:
    shown = ", ".join(customer.subjects[:_SUBJECTS_SHOWN]) or "no subjects"
    hidden = len(customer.subjects) - _SUBJECTS_SHOWN
    taxed = f"; taxed in {customer.tax_place}" if customer.tax_place else ""
    exempt = f"; exempt: {customer.tax_exempt}" if customer.tax_exempt else ""
    spent = f"; {spending_in_words(customer.credit)}" if customer.credit else ""
    return f"{customer.name}: {shown}{f' and {hidden} more' if hidden > 0 else ''}{taxed}{exempt}{spent}"


def _contract_words(contracts: Iterable[Contract]) -> Words:
    # Prices are told one by one, as a plan's are.
    return {
        contract.id: (msgspec.structs.replace(contract, prices=()), _contract_in_words(contract))
        for contract in contracts
    }


def _contract_in_words(contract: Contract) -> str:
    until = f" until {contract.end}" if contract.end else ""
    zone = "" if contract.timezone == "UTC" else f", {contract.timezone}"
    anchor = "" if contract.anchor == 1 else f", periods from day {contract.anchor} of the month"
    on = f"{contract.customer} on {contract.plan} with {contract.entity}, from {contract.start}{until}{zone}{anchor}"
    agreed = (commitment_in_words(contract.commitment), discounts_in_words(contract.discounts))
    return "; ".join(filter(None, (on, *agreed)))


def _tax_words(taxes: Iterable[Tax]) -> Words:
    return {
        f"{tax.place}/{tax.category}/{tax.name}{f' from {tax.since}' if tax.since else ''}": (tax, tax_in_words(tax))
        for tax in taxes
    }
