"""Find what is wrong with discounts and taxes in the catalog as a whole: places, categories and products of nothing."""

from collections.abc import Iterator, Sequence

from rating.agreements import STANDARD, Commitment, Discount, Tax, tax_key
from rating.catalog import Catalog, Contract, Customer, Plan, Price
from rating.catalog_fields import did_you_mean
from rating.yaml_page import Place

Fault = tuple[Plan | Price | Customer | Contract | Tax, Place, str]
"""What is wrong, the path inside it, and what to do about it."""


def faults(new: Catalog, after: Catalog, *, knows_taxes: bool) -> Iterator[Fault]:
    """Everything that is wrong with what `new` agrees; `after` is the catalog with it, with or without all taxes."""
    yield from _twice(new.taxes)
    if knows_taxes:
        yield from _place_faults(new, after)
        yield from _category_faults(new, after)
    yield from _product_faults(new, after)


def _twice(taxes: Sequence[Tax]) -> Iterator[Fault]:
    seen = set()
    for tax in taxes:
        if tax_key(tax) in seen:
            since = f"from {tax.since} on" if tax.since else "without a date"
            yield tax, (), f"{tax.name} of {tax.place} has two rates {since}: keep one, or give one a date"
        seen.add(tax_key(tax))


def _place_faults(new: Catalog, after: Catalog) -> Iterator[Fault]:
    places = {tax.place for tax in after.taxes}
    for customer in new.customers:
        where = customer.tax_place
        if where is not None and where not in places:
            message = f"no tax has the place {where}: add its rates under `taxes`{did_you_mean(where, places)}"
            yield customer, ("tax_place",), message


def _category_faults(new: Catalog, after: Catalog) -> Iterator[Fault]:
    """Categories that no tax names; one that a customer's place does not name is told by the close."""
    known = {STANDARD, *(tax.category for tax in after.taxes)}
    owners: tuple[Plan | Contract, ...] = (*new.plans, *new.contracts)
    used: list[tuple[Price | Contract, Place, str]] = [
        *((price, ("tax_category",), price.tax_category) for owner in owners for price in owner.prices),
        *(
            (contract, ("commitment", "tax_category"), contract.commitment.tax_category)
            for contract in new.contracts
            if contract.commitment is not None
        ),
    ]
    for item, inside, category in used:
        if category not in known:
            message = f"no tax has the category {category}: add its rates under `taxes`{did_you_mean(category, known)}"
            yield item, inside, message


def _product_faults(new: Catalog, after: Catalog) -> Iterator[Fault]:
    """Discounts of products that nobody is charged for."""
    plans = {plan.name: plan for plan in after.plans}
    contracts = {contract.id: contract for contract in after.contracts}
    for plan in new.plans:
        yield from _unsold(plan, plan.discounts or (), _products(plans[plan.name].prices))
    for contract in new.contracts:
        if contract.plan in plans:
            own = contracts[contract.id]
            sold = _products((*plans[contract.plan].prices, *own.prices), own.commitment)
            yield from _unsold(contract, contract.discounts or (), sold)


def _products(prices: Sequence[Price], commitment: Commitment | None = None) -> set[str]:
    return {price.product for price in prices} | ({commitment.product} if commitment else set())


def _unsold(owner: Plan | Contract, discounts: Sequence[Discount], sold: set[str]) -> Iterator[Fault]:
    for nth, discount in enumerate(discounts):
        for which, product in enumerate(discount.products):
            inside = ("discounts", nth, "products", which)
            if product not in sold:
                message = f"{product} is not sold here, so nothing is taken off{did_you_mean(product, sold)}"
                yield owner, inside, message
            if product in discount.products[:which]:
                yield owner, inside, f"{product} is in the list twice: keep one"
