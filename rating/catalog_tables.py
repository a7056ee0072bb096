"""Hold the catalog's rows, each from the version that wrote it until the version that superseded it.

So any past version can be read again: a run is repeatable only as long as the prices it used are.
"""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from ledger.relational import metadata
from rating.periods import UTC_MONTHS

NOTHING: Final[sa.ColumnElement[str]] = sa.literal_column("''")


def _versioned(name: str, key: Sequence[str], *columns: sa.Column[Any]) -> sa.Table:
    """A table of rows that hold from `version` until `superseded`; one row of each key holds at a time."""
    table = sa.Table(
        name,
        metadata,
        sa.Column("tenant", sa.String, primary_key=True),
        *columns,
        sa.Column("version", sa.Integer, primary_key=True, comment="catalog version that wrote this row"),
        sa.Column("superseded", sa.Integer, comment="catalog version that replaced it, if any"),
        # The primary key is the table: a quarter less to keep, and a version is read in one range, in the key's order.
        sqlite_with_rowid=False,
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
    sa.Column("pricing_unit", sa.Text, nullable=False, comment="what its prices are in, JSON; empty: its currency"),
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
    sa.Column("credit", sa.Text, nullable=False, comment="how its credit is spent, JSON; empty: as is usual"),
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
    sa.Column("anchor", sa.Integer, nullable=False, comment="day of the month on which its periods begin"),
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


def agrees(contract: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a contract agrees anything of its own beside prices."""
    anchored = contract.c.anchor != sa.literal_column(str(UTC_MONTHS.anchor))
    return sa.or_(contract.c.commitment != NOTHING, contract.c.discounts != NOTHING, anchored)


def is_told(customer: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether there is anything to tell of a customer: a place of taxation, or how credit is spent."""
    return sa.or_(customer.c.tax_place.is_not(None), customer.c.credit != NOTHING)


def _find_few(name: str, table: sa.Table, wanted: sa.ColumnElement[bool]) -> None:
    # A database takes such an index for a condition that is the same to the letter, so nothing in it is bound; and it
    # begins with what a version is read by, or the key would be as good.
    sa.Index(name, table.c.tenant, table.c.version, sqlite_where=wanted, postgresql_where=wanted)


_find_few("ix_contracts_agreeing", contracts, agrees(contracts))
_find_few("ix_customers_told", customers, is_told(customers))


def rows_at(table: sa.Table, tenant: str, version: int, *columns: str) -> sa.Select[Any]:
    """The tenant's rows of `table` as catalog version `version` has them."""
    return sa.select(*(table.c[column] for column in columns)).where(
        table.c.tenant == tenant,
        table.c.version <= version,
        sa.or_(table.c.superseded.is_(None), table.c.superseded > version),
    )
