"""Say whether two versions of a catalog divide any usage into the same lines, at whatever prices."""

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from rating.book import Book
from rating.catalog_tables import contract_prices, contracts, customer_subjects, prices, rows_at


def are_untouched(connection: sa.Connection, tenant: str, version: int, later: int) -> bool:
    """Whether catalog `later` has the subjects, contracts and first days of prices of `version`, row by row.

    Then both cut alike, and no book has to be loaded to see it; they may do so without.
    """
    of_customers = (customer_subjects, contracts, contract_prices)
    return not any(_has_changed(connection, table, tenant, version, later) for table in of_customers) and (
        _days(connection, tenant, version) == _days(connection, tenant, later)
    )


def _has_changed(connection: sa.Connection, table: sa.Table, tenant: str, version: int, later: int) -> bool:
    """Whether a row was written or superseded after `version`, up to `later`."""
    since = (column.between(version + 1, later) for column in (table.c.version, table.c.superseded))
    query = sa.select(sa.exists().where(table.c.tenant == tenant, sa.or_(*since)))
    return bool(connection.execute(query).scalar_one())


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
