"""Read a file on top of the newest catalog, and of that load no more than the file can touch.

What a file can touch: plans, meters and taxes, which are few; the customers and contracts that it names, and the owners
of the subjects that it names; every contract with prices of its own whose plan gets a price of several meters; and
every contract that may bill twice because of the file. A contract bills what another one of its customer does because
it is in the file, or because its plan prices a meter, or prices it from an earlier day, that it did not before. With a
mistake anywhere everything is loaded: a message may propose any name that there is.
"""

from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from rating import catalog_file
from rating.catalog import Catalog
from rating.catalog_rows import Part, load
from rating.catalog_tables import contract_prices, contracts, customer_subjects, prices, rows_at
from rating.yaml_page import Mistake

NAMED_MAX = 5_000
"""A file that names more is no small part of a catalog; databases bind some ten thousands of values."""


class Reading(NamedTuple):
    """A file without mistakes, and what it stands on."""

    stored: Catalog
    """As much of it as the file can touch."""
    new: Catalog


def read(connection: sa.Connection, tenant: str, version: int, text: str) -> Reading | list[Mistake]:
    """What `text` says on top of the tenant's catalog at `version`, the newest, or what is wrong with it."""
    file = catalog_file.read(text)
    if isinstance(file, Mistake):
        return [file]
    stored = load(connection, tenant, version, touched(connection, tenant, version, file.catalog))
    mistakes = file.mistakes(stored)
    if mistakes:
        stored = load(connection, tenant, version)
        mistakes = file.mistakes(stored)
    return mistakes or Reading(stored, file.catalog)


def touched(connection: sa.Connection, tenant: str, version: int, new: Catalog) -> Part | None:
    """The part of the catalog that `new` can touch; None: it may be all of it."""
    subjects = {subject for customer in new.customers for subject in customer.subjects}
    named = {contract.id for contract in new.contracts}
    paying = {contract.customer for contract in new.contracts}
    customers = {customer.id for customer in new.customers} | paying
    if len(subjects) + len(named) + len(customers) > NAMED_MAX:
        return None
    owners = rows_at(customer_subjects, tenant, version, "customer").where(customer_subjects.c.subject.in_(subjects))
    more = _pricing_more(connection, tenant, version, new)
    on_plans = rows_at(contracts, tenant, version, "customer").where(contracts.c.plan.in_(more))
    together = [plan.name for plan in new.plans if any(one.terms.meters for one in plan.prices)]
    priced = rows_at(contract_prices, tenant, version, "contract")
    # What a file does not name is not looked for: a database reads every contract to find those of no plan.
    wanted = [
        (named, contracts.c.id.in_(named)),
        (paying, contracts.c.customer.in_(paying)),
        (more, contracts.c.customer.in_(on_plans)),
        (together, sa.and_(contracts.c.plan.in_(together), contracts.c.id.in_(priced))),
    ]
    return Part(
        frozenset(customers.union(connection.execute(owners).scalars())),
        rows_at(contracts, tenant, version, "id").where(sa.or_(sa.false(), *(one for said, one in wanted if said))),
    )


def _pricing_more(connection: sa.Connection, tenant: str, version: int, new: Catalog) -> set[str]:
    """The stored plans that price a meter with `new` when they did not before."""
    plans = {plan.name for plan in new.plans}
    first: dict[tuple[str, str], str] = {}
    query = rows_at(prices, tenant, version, "plan", "meter", "since").where(prices.c.plan.in_(plans))
    for plan, meter, since in connection.execute(query):
        first[plan, meter] = min(since, first.get((plan, meter), since))
    return {
        plan.name
        for plan in new.plans
        for price in plan.prices
        if price.meter and _text(price.since) < first.get((plan.name, price.meter), _LATER)
    }


_LATER = "~"
"""After every day as it is stored."""


def _text(since: date | None) -> str:
    return since.isoformat() if since else ""
