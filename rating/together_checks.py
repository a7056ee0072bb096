"""Find what is wrong with prices that read several meters: tiers that hold nothing, and meters that fall apart.

What is priced together begins and ends on one day: usage of a meter whose partner has gone to another price would be
billed by nobody.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from rating.catalog import Catalog, Contract, Plan, Price, price_key
from rating.pricing.parts import Capacity, CapacityTier, PricedWith
from rating.yaml_page import Place

Fault = tuple[Plan | Contract | Price, Place, str]


def faults(new: Catalog, after: Catalog) -> Iterator[Fault]:
    """Everything that is wrong with such prices of `new`, which makes the catalog `after`."""
    owners: tuple[Plan | Contract, ...] = (*new.plans, *new.contracts)
    for owner in owners:
        for price in owner.prices:
            if isinstance(price.terms.charge, Capacity):
                yield from _tier_faults(price, price.terms.charge)
    named: dict[str, Plan | Contract] = {contract.id: contract for contract in new.contracts}
    in_file = {plan.name: plan for plan in new.plans}
    plans = {plan.name: plan for plan in after.plans}
    for name, plan in in_file.items():
        yield from ((plan, (), message) for message in _apart(plans[name].prices))
    for contract in after.contracts:
        item, of_plan = named.get(contract.id, in_file.get(contract.plan)), plans.get(contract.plan)
        if item is not None and of_plan is not None and contract.prices:
            told = set(_apart(of_plan.prices))
            for message in _apart(laid_out(of_plan, contract)):
                if message not in told:
                    yield item, (), f"{contract.id} on {contract.plan}: {message}"


def _tier_faults(price: Price, charge: Capacity) -> Iterator[Fault]:
    *bounded, last = charge.tiers
    for nth, tier in enumerate(bounded):
        if all(limit is None for limit in tier.limits):
            yield price, ("tiers", nth), "only the last tier is without `limits`: say what this one holds"
    if any(limit is not None for limit in last.limits):
        message = "usage above its limits has no price: end with a tier without `limits`"
        yield price, ("tiers", len(bounded)), message
    for nth, (before, tier) in enumerate(pairwise(bounded), start=1):
        if _holds_all_of(before, tier):
            message = "the tier before holds all that this one does: raise a limit, or leave it out"
            yield price, ("tiers", nth, "limits"), message


def _holds_all_of(one: CapacityTier, other: CapacityTier) -> bool:
    pairs = zip(one.limits, other.limits, strict=True)
    return all(limit is None or (least is not None and least <= limit) for limit, least in pairs)


def laid_out(plan: Plan, contract: Contract) -> list[Price]:
    """The prices that a contract is under: its own, and its plan's until its own begin."""
    first: dict[tuple[str, str], date] = {}
    for price in contract.prices:
        meter, fee, since = price_key(price)
        first[meter, fee] = min(since, first.get((meter, fee), since))
    kept = [price for price in plan.prices if price_key(price)[2] < first.get((price.meter, price.fee), date.max)]
    return sorted([*kept, *contract.prices], key=price_key)


def _apart(prices: Sequence[Price]) -> Iterator[str]:
    """What is said of meters that are priced together, and not in the same days; `prices` are in order."""
    known = {(price.meter, price.since): price for price in prices if price.meter}
    after: dict[tuple[str, date | None], date | None] = {
        (price.meter, price.since): then.since if then.meter == price.meter else None
        for price, then in pairwise(prices)
    }
    for price in prices:
        since = f"from {price.since} on" if price.since else "without a date"
        for other in _partners(price):
            there = known.get((other, price.since))
            if there is None or not (_leads(price, there) or _leads(there, price)):
                yield (
                    f"{price.meter} is priced together with {other} {since}, and {other} is not priced with it there: "
                    f"name both in one price, or give {price.meter} one of its own"
                )
            elif _leads(there, price) and after.get((other, price.since)) != after.get((price.meter, price.since)):
                yield (
                    f"{price.meter} and {other} are priced together {since}, and later only one of them has another "
                    "price: end both on the same day"
                )


def _partners(price: Price) -> tuple[str, ...]:
    """The meters that have to go with this price."""
    charge = price.terms.charge
    return (charge.meter,) if isinstance(charge, PricedWith) else price.terms.meters[1:]


def _leads(one: Price, other: Price) -> bool:
    """Whether the line of `one` has the amount for both."""
    with_it = other.terms.charge
    return other.meter in one.terms.meters and isinstance(with_it, PricedWith) and with_it.meter == one.meter
