"""Turn a catalog into the rows it is kept as, and rows into a catalog."""

from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from ledger.meters import meters, meters_at
from rating.agreements import Commitment, PricingUnit, Tax, discounts_in
from rating.agreements import read as read_agreed
from rating.agreements import written as agreed
from rating.catalog import Catalog, Contract, Customer, Plan, Price, Proration, merged
from rating.catalog_tables import (
    contract_prices,
    contracts,
    customer_subjects,
    customers,
    plans,
    prices,
    rows_at,
    taxes,
)
from rating.credit_spending import Spending
from rating.pricing.written import number_text, read, written

Row = dict[str, Any]

_CONTRACT = ("id", "customer", "plan", "entity", "starts", "ends", "timezone", "commitment", "discounts", "anchor")


class Part(NamedTuple):
    """Some customers and contracts of a catalog, by id; whatever else it has is little."""

    customers: frozenset[str]
    contracts: sa.Select[Any]


def load(connection: sa.Connection, tenant: str, version: int, part: Part | None = None) -> Catalog:
    """The tenant's catalog at `version`, in canonical order: all of it, or with customers and contracts of a part."""

    def rows(table: sa.Table, *columns: str) -> Sequence[Any]:
        query = rows_at(table, tenant, version, *columns)
        return connection.execute(query if part is None else query.where(_is_in(part, table))).all()

    of_plan, of_contract = (
        _prices_of(rows(prices, "plan", *_PRICE)),
        _prices_of(rows(contract_prices, "contract", *_PRICE)),
    )
    of_customer: dict[str, list[str]] = {}
    for subject, customer in rows(customer_subjects, "subject", "customer"):
        of_customer.setdefault(customer, []).append(subject)
    found = Catalog(
        tuple(meters_at(connection, version, tenant).get(tenant, [])),
        tuple(
            Plan(name, currency, tuple(of_plan.get(name, [])), discounts_in(discounts), read_agreed(unit, PricingUnit))
            for name, currency, discounts, unit in rows(plans, "name", "currency", "discounts", "pricing_unit")
        ),
        tuple(
            Customer(key, name, tuple(of_customer.get(key, [])), place, exempt, read_agreed(credit, Spending))
            for key, name, place, exempt, credit in rows(customers, "id", "name", "tax_place", "tax_exempt", "credit")
        ),
        tuple(
            Contract(
                key,
                customer,
                plan,
                entity,
                date.fromisoformat(starts),
                _day_or_none(ends),
                zone,
                tuple(of_contract.get(key, [])),
                read_agreed(commitment, Commitment),
                discounts_in(discounts),
                anchor,
            )
            for key, customer, plan, entity, starts, ends, zone, commitment, discounts, anchor in rows(
                contracts, *_CONTRACT
            )
        ),
        tuple(
            Tax(name, Fraction(rate), place, category, _day_or_none(since))
            for name, rate, place, category, since in rows(taxes, "name", "rate", "place", "category", "since")
        ),
    )
    # Databases sort text each in its own way; the canonical order is by code point.
    return merged(Catalog(), found)


def _is_in(part: Part, table: sa.Table) -> sa.ColumnElement[bool]:
    """Whether a row of `table` is of the part."""
    if table in (contracts, contract_prices):
        return (contracts.c.id if table is contracts else contract_prices.c.contract).in_(part.contracts)
    if table in (customers, customer_subjects):
        if not part.customers:
            return sa.false()
        return (customers.c.id if table is customers else customer_subjects.c.customer).in_(part.customers)
    return sa.true()


_PRICE = ("product", "meter", "terms", "since", "dimensions", "proration", "tax_category")


def _prices_of(rows: Sequence[Any]) -> dict[str, list[Price]]:
    """The prices of each owner."""
    found: dict[str, list[Price]] = {}
    for owned_by, product, meter, terms, since, dimensions, proration, category in rows:
        names, rule = tuple(dimensions.split()), Proration(proration)
        price = Price(product, meter, read(terms), _day_or_none(since), names, rule, category)
        found.setdefault(owned_by, []).append(price)
    return found


def _day_or_none(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _meter_rows(catalog: Catalog) -> list[Row]:
    return [msgspec.to_builtins(meter) for meter in catalog.meters]


def _plan_rows(catalog: Catalog) -> list[Row]:
    return [
        {
            "name": plan.name,
            "currency": plan.currency,
            "discounts": agreed(plan.discounts),
            "pricing_unit": agreed(plan.pricing_unit),
        }
        for plan in catalog.plans
    ]


def _price_rows(catalog: Catalog) -> list[Row]:
    return [{"plan": plan.name} | _price_row(price) for plan in catalog.plans for price in plan.prices]


def _contract_price_rows(catalog: Catalog) -> list[Row]:
    return [
        {"contract": contract.id} | _price_row(price) for contract in catalog.contracts for price in contract.prices
    ]


def _price_row(price: Price) -> Row:
    return {
        "meter": price.meter,
        "fee": price.fee,
        "since": price.since.isoformat() if price.since else "",
        "product": price.product,
        "terms": written(price.terms),
        "dimensions": " ".join(price.dimensions),
        "proration": price.proration.value,
        "tax_category": price.tax_category,
    }


def _customer_rows(catalog: Catalog) -> list[Row]:
    return [
        {
            "id": customer.id,
            "name": customer.name,
            "tax_place": customer.tax_place,
            "tax_exempt": customer.tax_exempt,
            "credit": agreed(customer.credit),
        }
        for customer in catalog.customers
    ]


def _subject_rows(catalog: Catalog) -> list[Row]:
    return [
        {"subject": subject, "customer": customer.id} for customer in catalog.customers for subject in customer.subjects
    ]


def _contract_rows(catalog: Catalog) -> list[Row]:
    return [
        {
            "id": contract.id,
            "customer": contract.customer,
            "plan": contract.plan,
            "entity": contract.entity,
            "starts": contract.start.isoformat(),
            "ends": contract.end.isoformat() if contract.end else None,
            "timezone": contract.timezone,
            "anchor": contract.anchor,
            "commitment": agreed(contract.commitment),
            "discounts": agreed(contract.discounts),
        }
        for contract in catalog.contracts
    ]


def _tax_rows(catalog: Catalog) -> list[Row]:
    return [
        {
            "place": tax.place,
            "category": tax.category,
            "name": tax.name,
            "since": tax.since.isoformat() if tax.since else "",
            "rate": number_text(tax.rate),
        }
        for tax in catalog.taxes
    ]


ROWS: Final[dict[sa.Table, Callable[[Catalog], list[Row]]]] = {
    meters: _meter_rows,
    plans: _plan_rows,
    prices: _price_rows,
    customers: _customer_rows,
    customer_subjects: _subject_rows,
    contracts: _contract_rows,
    contract_prices: _contract_price_rows,
    taxes: _tax_rows,
}
"""Of every table."""
