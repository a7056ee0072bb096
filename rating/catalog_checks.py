"""Find what is wrong with a file's catalog as a whole: names of nothing, tiers out of order, usage billed twice.

The file is judged together with what is stored. A fault is a value that names the item of the file it belongs to; it
is reported where the file could put it right.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from babel.numbers import get_currency_precision

from ledger.meters import Meter
from rating import agreement_checks, together_checks
from rating.agreements import Tax
from rating.catalog import Catalog, Contract, Customer, Plan, Price, merged, price_key
from rating.catalog_fields import did_you_mean
from rating.periods import INSTANT_NEVER_MS, day_number, day_start
from rating.pricing import parts
from rating.pricing.written import number_text
from rating.yaml_page import Place

Item = Meter | Plan | Price | Customer | Contract | Tax


class Fault(NamedTuple):
    """Something that is wrong with an item, at a path inside it, and what to do about it."""

    item: Item
    inside: Place
    message: str


class Unread(NamedTuple):
    """What stands in the file with mistakes: its names can be referred to, and what it refers to is checked."""

    meters: frozenset[str] = frozenset()
    plans: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()
    prices: tuple[Price, ...] = ()
    contracts: tuple[Contract, ...] = ()
    has_taxes: bool = False


def faults(new: Catalog, stored: Catalog, unread: Unread | None = None) -> Iterator[Fault]:
    """Everything that is wrong with `new` on top of `stored`."""
    after = merged(stored, new)
    unread = unread or Unread()
    yield from _twice("name", ((meter.name, meter) for meter in new.meters))
    yield from _twice("name", ((plan.name, plan) for plan in new.plans))
    yield from _twice("id", ((customer.id, customer) for customer in new.customers))
    yield from _twice("id", ((contract.id, contract) for contract in new.contracts))
    yield from chain.from_iterable(map(_meter_faults, new.meters))
    yield from _path_faults(new, after)
    yield from _reference_faults(new, after, unread)
    yield from _price_faults(new, after)
    yield from _subject_faults(new, after)
    yield from chain.from_iterable(map(_contract_faults, new.contracts))
    yield from _anchor_faults(new, stored)
    yield from _billed_twice(new, after)
    yield from (Fault(*fault) for fault in together_checks.faults(new, after))
    yield from (Fault(*fault) for fault in agreement_checks.faults(new, after, knows_taxes=not unread.has_taxes))


def _twice(field: str, named: Iterable[tuple[str, Item]]) -> Iterator[Fault]:
    seen: set[str] = set()
    for name, item in named:
        if name in seen:
            yield Fault(item, (field,), f"{name} is in the file twice: keep one of the two")
        seen.add(name)


def _meter_faults(meter: Meter) -> Iterator[Fault]:
    if meter.aggregation == "sum" and meter.value is None:
        message = f"{meter.name} sums, and does not say what: add `value:`, a path in the event's data"
        yield Fault(meter, (), message)
    if meter.aggregation == "count" and meter.value is not None:
        message = f"{meter.name} counts events and needs no value: remove it, or write `aggregation: sum`"
        yield Fault(meter, ("value",), message)


def _path_faults(new: Catalog, after: Catalog) -> Iterator[Fault]:
    """A value inside something that another meter of the same events reads as a value itself."""
    read: dict[str, set[str]] = {}
    for meter in after.meters:
        read.setdefault(meter.event_type, set()).update(_paths(meter))
    for meter in new.meters:
        for path in _paths(meter):
            inside = sorted(other for other in read.get(meter.event_type, ()) if other.startswith(f"{path}."))
            if inside:
                message = f"{path} is read as a value, and {inside[0]} lies inside it: one of the two paths is wrong"
                yield Fault(meter, (), message)


def _paths(meter: Meter) -> list[str]:
    return [*meter.dimensions.values(), *([meter.value] if meter.value is not None else [])]


def _reference_faults(new: Catalog, after: Catalog, unread: Unread) -> Iterator[Fault]:
    meters = {meter.name for meter in after.meters} | unread.meters
    plans = {plan.name for plan in after.plans} | unread.plans
    customers = {customer.id for customer in after.customers} | unread.customers
    owners: tuple[Plan | Contract, ...] = (*new.plans, *new.contracts)
    for price in (*(price for owner in owners for price in owner.prices), *unread.prices):
        if price.meter and price.meter not in meters:
            several = price.terms.meters or isinstance(price.terms.charge, parts.PricedWith)
            yield _names_nothing(price, "meters" if several else "meter", price.meter, meters)
    for contract in (*new.contracts, *unread.contracts):
        if contract.customer and contract.customer not in customers:
            yield _names_nothing(contract, "customer", contract.customer, customers)
        if contract.plan and contract.plan not in plans:
            yield _names_nothing(contract, "plan", contract.plan, plans)


def _names_nothing(item: Item, field: str, name: str, known: Iterable[str]) -> Fault:
    message = (
        f"there is no {field.removesuffix('s')} {name} in the file or in the catalog: add it{did_you_mean(name, known)}"
    )
    return Fault(item, (field,), message)


def _price_faults(new: Catalog, after: Catalog) -> Iterator[Fault]:
    plans = {plan.name: plan for plan in after.plans}
    contracts = {contract.id: contract for contract in after.contracts}
    priced: list[tuple[Plan | Contract, Plan | Contract, Plan | None]] = [
        *((plan, plans[plan.name], plans[plan.name]) for plan in new.plans),
        *((contract, contracts[contract.id], plans.get(contract.plan)) for contract in new.contracts),
    ]
    for owner, merged_owner, plan in priced:
        seen = set()
        for price in owner.prices:
            if price_key(price) in seen:
                what, since = price.meter or price.fee, f"from {price.since} on" if price.since else "without a date"
                yield Fault(price, (), f"there are two prices of {what} {since}: keep one, or give one a date")
            seen.add(price_key(price))
            yield from _product_faults(price, merged_owner)
            yield from _tier_faults(price)
            yield from _dimension_faults(price, after)
            yield from _duration_faults(price, after)
            yield from _block_faults(price)
            if plan is not None:
                yield from _rounding_faults(price, plan)


def _product_faults(price: Price, owner: Plan | Contract) -> Iterator[Fault]:
    of_meter = {other.product for other in owner.prices if other.meter and other.meter == price.meter}
    others = sorted(of_meter - {price.product})
    if others:
        message = (
            f"{owner.name if isinstance(owner, Plan) else owner.id} has {price.meter} under {price.product} and under "
            f"{others[0]}, and usage is billed once: use one product"
        )
        yield Fault(price, ("product",), message)


def _tier_faults(price: Price) -> Iterator[Fault]:
    charge = _charge_of_units(price)
    if not isinstance(charge, parts.Tiers):
        return
    last = charge.tiers[-1].up_to
    if last is not None:
        message = f"usage above {number_text(last)} has no price: end with a tier without `up_to`"
        yield Fault(price, ("tiers", len(charge.tiers) - 1), message)
    for nth, (before, tier) in enumerate(pairwise(charge.tiers)):
        if before.up_to is None:
            message = "only the last tier is without `up_to`: say where this one ends"
            yield Fault(price, ("tiers", nth), message)
        elif tier.up_to is not None and tier.up_to <= before.up_to:
            found = number_text(tier.up_to)
            message = f"expected more than {number_text(before.up_to)}, where the tier before ends, found {found}"
            yield Fault(price, ("tiers", nth + 1, "up_to"), message)


def _dimension_faults(price: Price, after: Catalog) -> Iterator[Fault]:
    known = next((meter.dimensions for meter in after.meters if meter.name == price.meter), None)
    for nth, name in enumerate(price.dimensions):
        if known is not None and name not in known:
            message = f"{price.meter} has no dimension {name}: add it to the meter{did_you_mean(name, known)}"
            yield Fault(price, ("dimensions", nth), message)
        if name in price.dimensions[:nth]:
            yield Fault(price, ("dimensions", nth), f"{name} is in the list twice: keep one")


def _duration_faults(price: Price, after: Catalog) -> Iterator[Fault]:
    charge = price.terms.charge
    if not isinstance(charge, parts.Duration):
        return
    if any(meter.name == price.meter and meter.aggregation == "count" for meter in after.meters):
        message = f"{price.meter} counts events: a duration is priced by a meter that sums how long each of them took"
        yield Fault(price, ("meter",), message)
    if charge.rates[0].start:
        yield Fault(price, ("rates", 0, "from"), "the first rate begins with the call: remove `from`")
    for nth, (before, rate) in enumerate(pairwise(charge.rates), start=1):
        if rate.start <= before.start:
            begun = number_text(before.start)
            message = f"expected more than {begun}, where the rate before begins, found {number_text(rate.start)}"
            yield Fault(price, ("rates", nth, "from"), message)


def _block_faults(price: Price) -> Iterator[Fault]:
    charge = _charge_of_units(price)
    if not isinstance(charge, parts.Blocks):
        return
    *before, last = charge.tiers
    if last.most is not None:
        message = "usage past its blocks has no price: end with a tier without `blocks`"
        yield Fault(price, ("tiers", len(before)), message)
    for nth, tier in enumerate(before):
        if tier.most is None:
            yield Fault(price, ("tiers", nth), "only the last tier is without `blocks`: say how many this one holds")


def _charge_of_units(price: Price) -> parts.Charge:
    """The charge, or that of each bucket."""
    charge = price.terms.charge
    return charge.price.charge if isinstance(charge, parts.Bucketed) else charge


def _rounding_faults(price: Price, plan: Plan) -> Iterator[Fault]:
    digits = get_currency_precision(plan.currency)
    rule = price.terms.rounding
    if rule is not None and rule.scale > digits:
        message = f"an amount in {plan.currency} has {digits} decimals: round to as many or fewer"
        yield Fault(price, ("rounding", "decimals"), message)


def _subject_faults(new: Catalog, after: Catalog) -> Iterator[Fault]:
    owners: dict[str, set[str]] = {}
    for customer in (*after.customers, *new.customers):
        for subject in customer.subjects:
            owners.setdefault(subject, set()).add(customer.id)
    for customer in new.customers:
        times = Counter(customer.subjects)
        for nth, subject in enumerate(customer.subjects):
            others = sorted(owners[subject] - {customer.id})
            if others:
                message = (
                    f"{subject} is a subject of {others[0]} too, and usage has one owner: take it from one of them"
                )
                yield Fault(customer, ("subjects", nth), message)
            if times[subject] > 1:
                yield Fault(customer, ("subjects", nth), f"{subject} is in the list twice: keep one")


def _contract_faults(contract: Contract) -> Iterator[Fault]:
    if contract.end is not None and contract.end <= contract.start:
        message = f"expected a day after the start, {contract.start}: `end` is the first day without the contract"
        yield Fault(contract, ("end",), message)


def _anchor_faults(new: Catalog, stored: Catalog) -> Iterator[Fault]:
    """Periods that are closed were cut at the anchor: usage between it and another one would be in none, or in two."""
    before = {contract.id: contract.anchor for contract in stored.contracts}
    for contract in new.contracts:
        kept = before.get(contract.id, contract.anchor)
        if contract.anchor != kept:
            message = (
                f"{contract.id} has periods from day {kept} of the month, and days of closed periods would be billed "
                f"twice or not at all: write {kept}, or end it and add another contract"
            )
            yield Fault(contract, ("anchor",), message)


class Span(NamedTuple):
    """From when until when a contract bills a meter, UTC milliseconds."""

    meter: str
    start: int
    end: int
    contract: Contract


def _billed_twice(new: Catalog, after: Catalog) -> Iterator[Fault]:
    """Contracts of one customer that would bill the same meter at the same time."""
    plans = {plan.name: plan for plan in after.plans}
    by_customer: dict[str, list[Contract]] = {}
    for contract in after.contracts:
        if contract.plan in plans:
            by_customer.setdefault(contract.customer, []).append(contract)
    for contracts in by_customer.values():
        if len(contracts) > 1:
            spans = [span for contract in contracts for span in _spans(contract, plans[contract.plan])]
            yield from _clashes(new, sorted(spans, key=lambda span: span[:3]))


def _spans(contract: Contract, plan: Plan) -> list[Span]:
    start = day_start(day_number(contract.start), contract.timezone)
    end = INSTANT_NEVER_MS if contract.end is None else day_start(day_number(contract.end), contract.timezone)
    first: dict[str, int] = {}
    for price in (*plan.prices, *contract.prices):
        if price.fee:  # each contract owes its own
            continue
        since = start if price.since is None else day_start(day_number(price.since), contract.timezone)
        first[price.meter] = max(start, min(first.get(price.meter, since), since))
    return [Span(meter, since, end, contract) for meter, since in first.items() if since < end]


def _clashes(new: Catalog, spans: Sequence[Span]) -> Iterator[Fault]:
    told = set()
    for one, other in pairwise(spans):
        pair = (one.contract.id, other.contract.id)
        if one.meter != other.meter or other.start >= one.end or pair in told:
            continue
        told.add(pair)
        item = _brought_by(new, other.contract, one.contract)
        if item is not None:
            message = (
                f"{pair[0]} and {pair[1]} would both bill {one.meter} of {one.contract.customer} at the same time: "
                "end one before the other starts, or price the meter in one of their plans only"
            )
            yield Fault(item, (), message)


def _brought_by(new: Catalog, *contracts: Contract) -> Item | None:
    """What in the file brought two contracts into conflict: one of them, or a plan that now prices more."""
    named: dict[str, Item] = {contract.id: contract for contract in new.contracts}
    planned: dict[str, Item] = {plan.name: plan for plan in new.plans}
    found = [named.get(contract.id) for contract in contracts] + [planned.get(contract.plan) for contract in contracts]
    return next((item for item in found if item is not None), None)
