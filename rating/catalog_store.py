"""Keep every version of the catalog, and make a file the next one.

A row holds from the version that wrote it until the version that superseded it, so that any past version can be read
again: a run is repeatable only as long as the prices it used are. Versions are numbered over all tenants.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import msgspec
import sqlalchemy as sa

from ledger.meters import meters, meters_at, write_meters
from ledger.relational import metadata
from rating.agreements import Commitment, Tax, discounts_in
from rating.agreements import read as read_agreed
from rating.agreements import written as agreed
from rating.catalog import Catalog, Change, Contract, Customer, Plan, Price, Proration, difference, merged
from rating.catalog_file import parse
from rating.pricing.written import number_text, read, written
from rating.yaml_page import Mistake


def _versioned(name: str, key: Sequence[str], *columns: sa.Column[Any]) -> sa.Table:
    """A table of rows that hold from `version` until `superseded`; one row of each key holds at a time."""
    table = sa.Table(
        name,
        metadata,
        sa.Column("tenant", sa.String, primary_key=True),
        *columns,
        sa.Column("version", sa.Integer, primary_key=True, comment="catalog version that wrote this row"),
        sa.Column("superseded", sa.Integer, comment="catalog version that replaced it, if any"),
    )
    live = table.c.superseded.is_(None)
    live_key = [table.c[column] for column in ("tenant", *key)]
    sa.Index(f"uq_{name}_live", *live_key, unique=True, sqlite_where=live, postgresql_where=live)
    return table


def _price_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("meter", sa.String, primary_key=True, comment="empty for a fee"),
        sa.Column("fee", sa.String, primary_key=True, comment="the product of a fee; else empty"),
        sa.Column("since", sa.String, primary_key=True, comment="first day, YYYY-MM-DD; empty: always"),
        sa.Column("product", sa.String, nullable=False),
        sa.Column("terms", sa.Text, nullable=False, comment="the parts of the price, JSON"),
        sa.Column("dimensions", sa.String, nullable=False, comment="of a matrix, in the order of its keys"),
        sa.Column("proration", sa.String, nullable=False, comment="of a fee: day, second or none"),
        sa.Column("tax_category", sa.String, nullable=False),
    ]


catalog_versions = sa.Table(
    "catalog_versions",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("applied_at", sa.BigInteger, nullable=False, comment="UTC milliseconds"),
    sa.Column("actor", sa.String, nullable=False, comment="who applied it"),
    sa.Column("drafted_by", sa.String, comment="who drafted it, where another person approved it"),
    sa.Column("source", sa.Text, nullable=False, comment="the file as it was applied"),
    sa.Column("digest", sa.String, nullable=False, comment="of the file"),
)
plans = _versioned(
    "plans",
    ["name"],
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("currency", sa.String, nullable=False),
    sa.Column("discounts", sa.Text, nullable=False, comment="in their order, JSON; empty: none"),
)
prices = _versioned(
    "prices",
    ["plan", "meter", "fee", "since"],
    sa.Column("plan", sa.String, primary_key=True),
    *_price_columns(),
)
contract_prices = _versioned(
    "contract_prices",
    ["contract", "meter", "fee", "since"],
    sa.Column("contract", sa.String, primary_key=True),
    *_price_columns(),
)
customers = _versioned(
    "customers",
    ["id"],
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("tax_place", sa.String, comment="none: not taxed by us"),
    sa.Column("tax_exempt", sa.String, comment="why no tax is due"),
)
customer_subjects = _versioned(
    "customer_subjects",
    ["subject"],
    sa.Column("subject", sa.String, primary_key=True),
    sa.Column("customer", sa.String, nullable=False),
)
contracts = _versioned(
    "contracts",
    ["id"],
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("customer", sa.String, nullable=False),
    sa.Column("plan", sa.String, nullable=False),
    sa.Column("entity", sa.String, nullable=False),
    sa.Column("starts", sa.String, nullable=False, comment="first day, YYYY-MM-DD"),
    sa.Column("ends", sa.String, comment="first day after it, YYYY-MM-DD"),
    sa.Column("timezone", sa.String, nullable=False),
    sa.Column("commitment", sa.Text, nullable=False, comment="JSON; empty: none"),
    sa.Column("discounts", sa.Text, nullable=False, comment="of its own, in their order, JSON; empty: none"),
)
taxes = _versioned(
    "taxes",
    ["place", "category", "name", "since"],
    sa.Column("place", sa.String, primary_key=True),
    sa.Column("category", sa.String, primary_key=True, comment="of what is taxed"),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("since", sa.String, primary_key=True, comment="first day, YYYY-MM-DD; empty: always"),
    sa.Column("rate", sa.String, nullable=False, comment="percent"),
)


class Applied(msgspec.Struct, frozen=True):
    """What a file changed; without changes there is no new version."""

    version: int
    changes: list[Change]
    dry_run: bool


def apply(
    connection: sa.Connection, tenant: str, text: str, actor: str, now_ms: int, *, dry_run: bool = False
) -> Applied | list[Mistake]:
    """Make `text` part of the tenant's catalog, in the caller's transaction; with a mistake in it, nothing."""
    stored = load(connection, tenant, newest_version(connection))
    catalog, mistakes = parse(text, stored)
    if catalog is None:
        return mistakes
    return apply_catalog(connection, tenant, stored, catalog, text, actor, now_ms, dry_run=dry_run)


def apply_catalog(
    connection: sa.Connection,
    tenant: str,
    stored: Catalog,
    new: Catalog,
    source: str,
    actor: str,
    now_ms: int,
    *,
    dry_run: bool = False,
    drafted_by: str | None = None,
) -> Applied:
    """Make `new`, which has no faults on top of `stored`, the next version of the tenant's catalog."""
    version = newest_version(connection)
    changes = difference(stored, new)
    if dry_run or not changes:
        return Applied(version + bool(changes), changes, dry_run)
    version += 1
    connection.execute(
        sa.insert(catalog_versions).values(
            version=version,
            tenant=tenant,
            applied_at=now_ms,
            actor=actor,
            drafted_by=drafted_by,
            source=source,
            digest=hashlib.blake2b(source.encode(), digest_size=32).hexdigest(),
        )
    )
    write_meters(connection, tenant, version, new.meters)
    after = merged(stored, new)
    for table, rows_of in _ROWS.items():
        _write(connection, table, tenant, version, rows_of(stored), rows_of(after))
    return Applied(version, changes, dry_run)


def newest_version(connection: sa.Connection) -> int:
    """The newest catalog version, or 0 for the empty catalog."""
    return connection.execute(sa.select(sa.func.max(catalog_versions.c.version))).scalar() or 0


def version_before(connection: sa.Connection, tenant: str, instant_ms: int) -> int | None:
    """The newest catalog version applied before an instant, when the tenant had a catalog by then."""
    of_tenant = sa.case((catalog_versions.c.tenant == tenant, catalog_versions.c.version))
    query = sa.select(sa.func.max(catalog_versions.c.version), sa.func.min(of_tenant))
    newest, first = connection.execute(query.where(catalog_versions.c.applied_at < instant_ms)).one()
    return None if first is None else newest


def applied_at(connection: sa.Connection, version: int) -> int:
    """When catalog version `version` was applied, UTC milliseconds."""
    query = sa.select(catalog_versions.c.applied_at).where(catalog_versions.c.version == version)
    return int(connection.execute(query).scalar_one())


Row = dict[str, Any]


def _meter_rows(catalog: Catalog) -> list[Row]:
    return [msgspec.to_builtins(meter) for meter in catalog.meters]


def _plan_rows(catalog: Catalog) -> list[Row]:
    return [
        {"name": plan.name, "currency": plan.currency, "discounts": agreed(plan.discounts)} for plan in catalog.plans
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


_PRICE = ("product", "meter", "terms", "since", "dimensions", "proration", "tax_category")


def _prices_at(
    connection: sa.Connection, table: sa.Table, owner: str, tenant: str, version: int
) -> dict[str, list[Price]]:
    """The prices of each owner."""
    found: dict[str, list[Price]] = {}
    rows = connection.execute(rows_at(table, tenant, version, owner, *_PRICE))
    for owned_by, product, meter, terms, since, dimensions, proration, category in rows:
        names, rule = tuple(dimensions.split()), Proration(proration)
        price = Price(product, meter, read(terms), _day_or_none(since), names, rule, category)
        found.setdefault(owned_by, []).append(price)
    return found


def _customer_rows(catalog: Catalog) -> list[Row]:
    return [
        {
            "id": customer.id,
            "name": customer.name,
            "tax_place": customer.tax_place,
            "tax_exempt": customer.tax_exempt,
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


_ROWS: dict[sa.Table, Callable[[Catalog], list[Row]]] = {
    plans: _plan_rows,
    prices: _price_rows,
    customers: _customer_rows,
    customer_subjects: _subject_rows,
    contracts: _contract_rows,
    contract_prices: _contract_price_rows,
    taxes: _tax_rows,
}


def _write(
    connection: sa.Connection, table: sa.Table, tenant: str, version: int, old: list[Row], new: list[Row]
) -> None:
    """Supersede the rows that are gone or changed, and insert the ones that are new or changed."""
    key = _key(table)
    gone, added = _changed(key, old, new)
    if gone:
        mine = sa.and_(table.c.tenant == tenant, *(table.c[column] == sa.bindparam(f"old_{column}") for column in key))
        statement = sa.update(table).where(mine, table.c.superseded.is_(None)).values(superseded=version)
        connection.execute(statement, [{f"old_{column}": row[column] for column in key} for row in gone])
    if added:
        connection.execute(sa.insert(table), [{"tenant": tenant, "version": version, **row} for row in added])


def _key(table: sa.Table) -> list[str]:
    return [column.name for column in table.primary_key if column.name not in {"tenant", "version"}]


def _changed(key: Sequence[str], old: list[Row], new: list[Row]) -> tuple[list[Row], list[Row]]:
    """The rows that are gone or changed as they were, and those that are new or changed as they are."""

    def keyed(rows: list[Row]) -> dict[tuple[str, ...], Row]:
        return {tuple(row[column] for column in key): row for row in rows}

    before, after = keyed(old), keyed(new)
    gone = [row for row_key, row in before.items() if after.get(row_key) != row]
    return gone, [row for row_key, row in after.items() if before.get(row_key) != row]


def difference_digest(stored: Catalog, new: Catalog) -> str:
    """What the upsert of `new` replaces and writes, row by row, in 16 hex digits.

    Not of the words that `difference` finds for it: they name five of a customer's subjects, and count the others.
    """
    after = merged(stored, new)
    said = [
        (str(table.name), *_changed(_key(table), rows_of(stored), rows_of(after)))
        for table, rows_of in {meters: _meter_rows, **_ROWS}.items()
    ]
    return hashlib.blake2b(msgspec.json.encode(said, order="sorted"), digest_size=8).hexdigest()


def rows_at(table: sa.Table, tenant: str, version: int, *columns: str) -> sa.Select[Any]:
    """The tenant's rows of `table` as catalog version `version` has them."""
    return sa.select(*(table.c[column] for column in columns)).where(
        table.c.tenant == tenant,
        table.c.version <= version,
        sa.or_(table.c.superseded.is_(None), table.c.superseded > version),
    )


_CONTRACT = ("id", "customer", "plan", "entity", "starts", "ends", "timezone", "commitment", "discounts")


def load(connection: sa.Connection, tenant: str, version: int) -> Catalog:
    """The tenant's whole catalog at `version`, in canonical order."""
    of_plan = _prices_at(connection, prices, "plan", tenant, version)
    of_contract = _prices_at(connection, contract_prices, "contract", tenant, version)
    of_customer: dict[str, list[str]] = {}
    for subject, customer in connection.execute(rows_at(customer_subjects, tenant, version, "subject", "customer")):
        of_customer.setdefault(customer, []).append(subject)
    found = Catalog(
        tuple(meters_at(connection, version, tenant).get(tenant, [])),
        tuple(
            Plan(name, currency, tuple(of_plan.get(name, [])), discounts_in(discounts))
            for name, currency, discounts in connection.execute(
                rows_at(plans, tenant, version, "name", "currency", "discounts")
            )
        ),
        tuple(
            Customer(key, name, tuple(of_customer.get(key, [])), place, exempt)
            for key, name, place, exempt in connection.execute(
                rows_at(customers, tenant, version, "id", "name", "tax_place", "tax_exempt")
            )
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
            )
            for key, customer, plan, entity, starts, ends, zone, commitment, discounts in connection.execute(
                rows_at(contracts, tenant, version, *_CONTRACT)
            )
        ),
        tuple(
            Tax(name, Fraction(rate), place, category, _day_or_none(since))
            for name, rate, place, category, since in connection.execute(
                rows_at(taxes, tenant, version, "name", "rate", "place", "category", "since")
            )
        ),
    )
    # Databases sort text each in its own way; the canonical order is by code point.
    return merged(Catalog(), found)


def _day_or_none(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
