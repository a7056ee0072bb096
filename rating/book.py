"""Load what rating needs of a catalog as columns: who owns a subject, who is on which plan, what a unit costs.

A book is canonical: text is ordered by code point whatever the database's order is, and everything refers to
everything else by position. Nothing here is an object per customer.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from babel.numbers import get_currency_precision

from ledger.digest import columns_digest
from ledger.scale import QUANTITY_SCALE
from rating import catalog_store as store
from rating.exact import Int64s, narrowed
from rating.kernels import PRICE_SCALE, Tiers
from rating.periods import ALWAYS, NEVER


class Subjects(NamedTuple):
    """Ordered by owner, then subject."""

    subject: pa.Array
    customer: Int64s


class Contracts(NamedTuple):
    """Ordered by customer, then id."""

    id: pa.Array
    customer: Int64s
    plan: Int64s
    entity: Int64s
    zone: Int64s
    starts: Int64s
    ends: Int64s


class Prices(NamedTuple):
    """Ordered by plan, meter and first day; each holds until the next of the same plan and meter."""

    plan: Int64s
    meter: Int64s
    product: Int64s
    since: Int64s
    until: Int64s
    tiers: Tiers


class Book(NamedTuple):
    """A tenant's catalog at one version, as rating reads it."""

    tenant: str
    version: int
    customers: pa.Array
    entities: pa.Array
    meters: pa.Array
    products: pa.Array
    plans: pa.Array
    zones: list[str]
    currencies: list[str]
    plan_currency: Int64s
    digits: Int64s
    """Per currency: the decimals of its minor unit."""
    subjects: Subjects
    contracts: Contracts
    prices: Prices
    digest: bytes


def load(connection: sa.Connection, tenant: str, version: int) -> Book:
    """The tenant's book at catalog version `version`."""
    subjects = _table(connection, store.customer_subjects, tenant, version, ["customer", "subject"])
    contracts = _table(
        connection,
        store.contracts,
        tenant,
        version,
        ["customer", "id", "plan", "entity", "timezone", "starts", "ends"],
    )
    prices = _table(connection, store.prices, tenant, version, ["plan", "meter", "since", "product", "tiers"])
    plans = _table(connection, store.plans, tenant, version, ["name", "currency"])
    customers = _distinct(subjects["customer"], contracts["customer"])
    zones = _distinct(contracts["timezone"], pa.chunked_array([["UTC"]]))
    entities, meters, products = (
        _distinct(contracts["entity"]),
        _distinct(prices["meter"]),
        _distinct(prices["product"]),
    )
    currencies = _distinct(plans["currency"])
    names = plans["name"].combine_chunks()
    return Book(
        tenant,
        version,
        customers,
        entities,
        meters,
        products,
        names,
        zones.to_pylist(),
        currencies.to_pylist(),
        _positions(plans["currency"], currencies),
        np.array([get_currency_precision(code) for code in currencies.to_pylist()], dtype=np.int64),
        Subjects(subjects["subject"].combine_chunks(), _positions(subjects["customer"], customers)),
        Contracts(
            contracts["id"].combine_chunks(),
            _positions(contracts["customer"], customers),
            _positions(contracts["plan"], names),
            _positions(contracts["entity"], entities),
            _positions(contracts["timezone"], zones),
            _days(contracts["starts"], ALWAYS),
            _days(contracts["ends"], NEVER),
        ),
        _prices(prices, names, meters, products),
        _digest([subjects, contracts, prices, plans]),
    )


def _table(connection: sa.Connection, table: sa.Table, tenant: str, version: int, columns: Sequence[str]) -> pa.Table:
    """Columns of a catalog table at `version`, ordered by the first few; no text is null."""
    # The database packs each column into one value: a driver makes an object of every cell and every row, which took
    # three quarters of the time that 100,000 contracts took. The aggregates of one statement see rows in one order.
    packed = sa.func.json_group_array if connection.dialect.name == "sqlite" else sa.func.json_agg
    rows = store.rows_at(table, tenant, version, *columns).subquery()
    cells = connection.execute(sa.select(*(sa.cast(packed(rows.c[name]), sa.Text) for name in columns))).one()
    texts = [msgspec.json.decode(cell or "[]", type=list[str | None]) for cell in cells]
    found = pa.table([pc.fill_null(pa.array(text, pa.string()), "") for text in texts], names=list(columns))
    order = pc.sort_indices(found, sort_keys=[(name, "ascending") for name in columns[:3]])
    return found.take(order).combine_chunks()


def _distinct(*columns: pa.ChunkedArray) -> pa.Array:
    chunks = [chunk for column in columns for chunk in column.chunks]
    found = pc.unique(pa.chunked_array(chunks, pa.string()))
    return found.take(pc.sort_indices(found))


def positions(values: pa.Array | pa.ChunkedArray, among: pa.Array) -> Int64s:
    """Where each of `values` is in `among`, or -1."""
    found = pc.fill_null(pc.index_in(values, value_set=among), -1)
    whole: Int64s = found.to_numpy().astype(np.int64)
    return whole


def _positions(values: pa.ChunkedArray, among: pa.Array) -> Int64s:
    found = positions(values, among)
    assert bool((found >= 0).all()), "the catalog names something that is not in it"
    return found


def _days(texts: pa.ChunkedArray, where_empty: int) -> Int64s:
    """Dates as days since 1970-01-01."""
    encoded = texts.combine_chunks().dictionary_encode()
    days = [
        np.datetime64(text, "D").astype(np.int64) if text else where_empty for text in encoded.dictionary.to_pylist()
    ]
    of_row: Int64s = np.array(days, dtype=np.int64)[encoded.indices.to_numpy()]
    return of_row


def _prices(table: pa.Table, plans: pa.Array, meters: pa.Array, products: pa.Array) -> Prices:
    plan, meter = _positions(table["plan"], plans), _positions(table["meter"], meters)
    since = _days(table["since"], ALWAYS)
    until = np.full(len(since), NEVER)
    followed = (plan[1:] == plan[:-1]) & (meter[1:] == meter[:-1])
    until[:-1][followed] = since[1:][followed]
    return Prices(plan, meter, _positions(table["product"], products), since, until, _tiers(table["tiers"].to_pylist()))


def _tiers(texts: Sequence[str]) -> Tiers:
    first: list[int] = []
    offset: list[int] = [0]
    bound: list[int] = []
    change: list[int] = []
    dearest: list[int] = []
    for tiers in map(store.tiers_of, texts):
        unit_prices = [int(tier.unit_price.scaleb(PRICE_SCALE)) for tier in tiers]
        bound += [int(tier.up_to.scaleb(QUANTITY_SCALE)) for tier in tiers if tier.up_to is not None]
        change += [after - before for before, after in pairwise(unit_prices)]
        first.append(unit_prices[0])
        offset.append(len(bound))
        dearest.append(max(unit_prices))
    return Tiers(_exact(first), np.array(offset, dtype=np.int64), _exact(bound), _exact(change), _exact(dearest))


def _exact(values: list[int]) -> Any:
    return narrowed(np.array(values, dtype=np.object_))


def _digest(tables: Sequence[pa.Table]) -> bytes:
    """What the book says, whatever version it has: an unrelated change to a catalog does not change it."""
    return b"".join(columns_digest(table, table.schema) for table in tables)
