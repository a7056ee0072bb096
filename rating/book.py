"""Load what rating needs of a catalog as columns: who owns a subject, who is on which plan, what a unit costs.

A book is canonical: text is ordered by code point whatever the database's order is, and everything refers to
everything else by position. Nothing here is an object per customer.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from babel.numbers import get_currency_precision

from ledger.digest import columns_digest
from rating import catalog_store as store
from rating.exact import Int64s
from rating.periods import ALWAYS, NEVER
from rating.price_sets import Prices, Rows, price_sets

PRICE: Final = ["meter", "fee", "since", "product", "terms", "dimensions", "proration", "version"]


class Subjects(NamedTuple):
    """Ordered by owner, then subject."""

    subject: pa.Array
    customer: Int64s


class Contracts(NamedTuple):
    """Ordered by customer, then id."""

    id: pa.Array
    customer: Int64s
    plan: Int64s
    prices: Int64s
    """The set of prices it is under."""
    entity: Int64s
    zone: Int64s
    starts: Int64s
    ends: Int64s


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
    of_plans = _table(connection, store.prices, tenant, version, ["plan", *PRICE])
    of_contracts = _table(connection, store.contract_prices, tenant, version, ["contract", *PRICE])
    plans = _table(connection, store.plans, tenant, version, ["name", "currency"])
    customers = _distinct(subjects["customer"], contracts["customer"])
    zones = _distinct(contracts["timezone"], pa.chunked_array([["UTC"]]))
    entities, meters, products = (
        _distinct(contracts["entity"]),
        _distinct(of_plans["meter"], of_contracts["meter"]),
        _distinct(of_plans["product"], of_contracts["product"]),
    )
    fees = _distinct(of_plans["fee"], of_contracts["fee"])
    currencies = _distinct(plans["currency"])
    plan_currency = _positions(plans["currency"], currencies)
    digits = np.array([get_currency_precision(code) for code in currencies.to_pylist()], dtype=np.int64)
    names, ids = plans["name"].combine_chunks(), contracts["id"].combine_chunks()
    contract_plan = _positions(contracts["plan"], names)
    sets = price_sets(
        _rows(of_plans, "plan", names, meters, fees, products),
        _rows(of_contracts, "contract", ids, meters, fees, products),
        contract_plan,
        digits[plan_currency],
    )
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
        plan_currency,
        digits,
        Subjects(subjects["subject"].combine_chunks(), _positions(subjects["customer"], customers)),
        Contracts(
            ids,
            _positions(contracts["customer"], customers),
            contract_plan,
            sets.of_contract,
            _positions(contracts["entity"], entities),
            _positions(contracts["timezone"], zones),
            _days(contracts["starts"], ALWAYS),
            _days(contracts["ends"], NEVER),
        ),
        sets.prices,
        _digest([subjects, contracts, *(said.drop_columns("version") for said in (of_plans, of_contracts)), plans]),
    )


def _table(connection: sa.Connection, table: sa.Table, tenant: str, version: int, columns: Sequence[str]) -> pa.Table:
    """Columns of a catalog table at `version` as text, ordered by the first few; none is null."""
    # The database packs each column into one value: a driver makes an object of every cell and every row, which took
    # three quarters of the time that 100,000 contracts took. The aggregates of one statement see rows in one order.
    packed = sa.func.json_group_array if connection.dialect.name == "sqlite" else sa.func.json_agg
    rows = store.rows_at(table, tenant, version, *columns).subquery()
    texts_of = [packed(sa.cast(rows.c[name], sa.Text)) for name in columns]
    cells = connection.execute(sa.select(*(sa.cast(texts, sa.Text) for texts in texts_of))).one()
    texts = [msgspec.json.decode(cell or "[]", type=list[str | None]) for cell in cells]
    found = pa.table([pc.fill_null(pa.array(text, pa.string()), "") for text in texts], names=list(columns))
    order = pc.sort_indices(found, sort_keys=[(name, "ascending") for name in columns[:4]])
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


def _rows(prices: pa.Table, owner: str, *names: pa.Array) -> Rows:
    """Prices by the positions of their owners, meters, fees and products among `names`."""
    columns = (owner, "meter", "fee", "product")
    owners, meter, fee, product = (
        _positions(prices[column], among) for column, among in zip(columns, names, strict=True)
    )
    version = pc.cast(prices["version"].combine_chunks(), pa.int64()).to_numpy()
    texts = prices.select(["terms", "dimensions", "proration"])
    return Rows(owners, meter, fee, product, _days(prices["since"], ALWAYS), version, texts)


def _digest(tables: Sequence[pa.Table]) -> bytes:
    """What the book says, whatever version it has: an unrelated change to a catalog does not change it."""
    return b"".join(columns_digest(table, table.schema) for table in tables)
