"""Say whether two versions of a catalog divide any usage into the same lines, at whatever prices."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from rating.book import Book
from rating.catalog_rows import ROWS
from rating.catalog_tables import contract_prices, contracts, customer_subjects, prices, rows_at

OF_PRICES = frozenset({prices, contract_prices})


class Changed(NamedTuple):
    """The tables of the catalog of which a row was written or superseded after `version`, up to `later`."""

    tables: frozenset[sa.Table]
    tenant: str
    version: int
    later: int


def changed(connection: sa.Connection, tenant: str, version: int, later: int) -> Changed:
    """What changed between two versions of a tenant's catalog."""

    def has_changed(table: sa.Table) -> bool:
        query = sa.select(sa.exists().where(table.c.tenant == tenant, _is_between(table, version, later)))
        return bool(connection.execute(query).scalar_one())

    return Changed(frozenset(filter(has_changed, ROWS)), tenant, version, later)


def _is_between(table: sa.Table, version: int, later: int) -> sa.ColumnElement[bool]:
    return sa.or_(*(column.between(version + 1, later) for column in (table.c.version, table.c.superseded)))


def are_untouched(connection: sa.Connection, said: Changed) -> bool:
    """Whether subjects, contracts and first days of prices are the same, row by row.

    Then both versions cut alike, and no book has to be loaded to see it; they may do so without.
    """
    return said.tables.isdisjoint({customer_subjects, contracts, contract_prices}) and (
        _days(connection, said.tenant, said.version) == _days(connection, said.tenant, said.later)
    )


def repriced(connection: sa.Connection, said: Changed) -> set[str] | None:
    """The meters whose prices changed, where nothing did that other prices depend on; the empty one is that of fees."""
    if not said.tables <= OF_PRICES:
        return None
    queries = [
        sa.select(table.c.meter).where(table.c.tenant == said.tenant, _is_between(table, said.version, said.later))
        for table in said.tables
    ]
    return {meter for query in queries for meter in connection.execute(query.distinct()).scalars()}


def _days(connection: sa.Connection, tenant: str, version: int) -> set[tuple[str, str, str]]:
    """Which plans price which meters from which days on."""
    query = rows_at(prices, tenant, version, "plan", "meter", "since").where(prices.c.meter != "")
    return {(plan, meter, since) for plan, meter, since in connection.execute(query)}


def cut_alike(one: Book, other: Book) -> bool:
    """Whether both books divide any usage into the same lines."""
    return _usage_of(one) == _usage_of(other) and _price_days_of(one) == _price_days_of(other)


def _usage_of(book: Book) -> tuple[pa.Table, ...]:
    """Whose each subject is, and when each contract holds."""
    contracts = book.contracts
    return (
        pa.table({"subject": book.subjects.subject, "owner": book.customers.take(pa.array(book.subjects.customer))}),
        pa.table(
            {
                "id": contracts.id,
                "customer": book.customers.take(pa.array(contracts.customer)),
                "zone": pa.array(book.zones).take(pa.array(contracts.calendar)),
                "anchor": np.array([calendar.anchor for calendar in book.calendars])[contracts.calendar],
                "starts": contracts.starts,
                "ends": contracts.ends,
            }
        ),
    )


def _price_days_of(book: Book) -> pa.Table:
    """Of each contract: the meters that are priced, and from which day to which."""
    prices, meters = book.prices, book.meters.to_pylist()
    of_usage = np.flatnonzero(~prices.is_fee)
    days: dict[int, list[tuple[str, int, int]]] = {one: [] for one in np.unique(book.contracts.prices).tolist()}
    columns = (prices.set, prices.meter, prices.since, prices.until)
    for one, meter, since, until in zip(*(column[of_usage].tolist() for column in columns), strict=True):
        days.setdefault(one, []).append((meters[meter], since, until))
    said = {one: repr(sorted(of_set)) for one, of_set in days.items()}
    different, which = np.unique(book.contracts.prices, return_inverse=True)
    texts = pa.array([said[one] for one in different.tolist()], pa.string())
    return pa.table({"days": texts.take(pa.array(which))})
