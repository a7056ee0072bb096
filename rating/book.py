"""Load what rating needs of a catalog as columns: who owns a subject, who is on which plan, what a unit costs.

A book is canonical: text is ordered by code point whatever the database's order is, and everything refers to
everything else by position. Nothing here is an object per customer.
"""

from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from babel.numbers import get_currency_precision

from ledger.digest import columns_digest
from rating import agreed
from rating import catalog_tables as tables
from rating.agreed import Agreed
from rating.agreements import Tax, tax_key
from rating.credit_spending import Spendings, spendings
from rating.encoded import encoded, known_places, places
from rating.exact import Int64s
from rating.invoicing.pricing_units import Rates as UnitRates
from rating.packed import packed
from rating.periods import ALWAYS, ANCHOR_MAX, NEVER, UTC_MONTHS, Calendar
from rating.price_sets import Prices, Rows, price_sets

PLAN: Final = ["name", "currency", "discounts", "version", "pricing_unit"]
PRICE: Final = ["meter", "fee", "since", "product", "terms", "dimensions", "proration", "tax_category", "version"]


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
    calendar: Int64s
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
    calendars: list[Calendar]
    currencies: list[str]
    plan_currency: Int64s
    digits: Int64s
    """Per currency: the decimals of its minor unit."""
    pricing_units: UnitRates
    """Per plan: what the unit is worth that its prices are in, where that is not its currency."""
    subjects: Subjects
    contracts: Contracts
    prices: Prices
    agreed: Agreed
    credit: Spendings
    digest: bytes

    @property
    def zones(self) -> list[str]:
        """Per calendar."""
        return [calendar.zone for calendar in self.calendars]


class Said(NamedTuple):
    """What the catalog says beside prices, as text."""

    plans: pa.Table
    contracts: pa.Table
    """Those that agree something of their own."""
    customers: pa.Table
    """Those who owe taxes."""
    taxes: pa.Table
    credit: pa.Table
    """Of customers who say how their credit is spent."""
    anchored: pa.Table
    """Contracts whose months are not the calendar's."""


def load(connection: sa.Connection, tenant: str, version: int) -> Book:
    """The tenant's book at catalog version `version`."""
    read = partial(_table, connection, tenant, version)
    subjects = read(tables.customer_subjects, ["subject", "customer"])
    contracts = read(tables.contracts, ["id", "customer", "plan", "entity", "timezone", "starts", "ends"])
    of_plans = read(tables.prices, ["plan", *PRICE])
    of_contracts = read(tables.contract_prices, ["contract", *PRICE])
    said = _said(read)
    commitments = agreed.listed(said.contracts["commitment"])
    committed = [one for one in agreed.commitments_in(commitments) if one is not None]
    customers, (owner, party) = encoded(subjects["customer"], contracts["customer"])
    by_owner, by_party = (np.argsort(column, kind="stable") for column in (owner, party))
    entities, (entity,) = encoded(contracts["entity"])
    meters, meter = encoded(of_plans["meter"], of_contracts["meter"])
    _, fee = encoded(of_plans["fee"], of_contracts["fee"])
    products, product = encoded(
        of_plans["product"], of_contracts["product"], _texts({one.product for one in committed})
    )
    categories, category = encoded(
        of_plans["tax_category"],
        of_contracts["tax_category"],
        _texts({one.tax_category for one in committed}),
        said.taxes["category"],
    )
    currencies, (plan_currency,) = encoded(said.plans["currency"])
    digits = np.array([get_currency_precision(code) for code in currencies.to_pylist()], dtype=np.int64)
    names, ids = said.plans["name"].combine_chunks(), contracts["id"].take(pa.array(by_party)).combine_chunks()
    calendars, calendar = _calendars(contracts, said.anchored)
    contract_plan = known_places(contracts["plan"], names)[by_party]
    sets = price_sets(
        _rows(of_plans, known_places(of_plans["plan"], names), meter[0], fee[0], product[0], category[0]),
        _rows(of_contracts, known_places(of_contracts["contract"], ids), meter[1], fee[1], product[1], category[1]),
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
        calendars,
        currencies.to_pylist(),
        plan_currency,
        digits,
        agreed.unit_rates(said.plans["pricing_unit"].to_pylist()),
        Subjects(subjects["subject"].take(pa.array(by_owner)).combine_chunks(), owner[by_owner]),
        Contracts(
            ids,
            party[by_party],
            contract_plan,
            sets.of_contract,
            entity[by_party],
            calendar[by_party],
            _days(contracts["starts"], ALWAYS)[by_party],
            _days(contracts["ends"], NEVER)[by_party],
        ),
        sets.prices,
        _agreed(said, commitments, customers, ids, contract_plan, products.to_pylist(), categories.to_pylist()),
        spendings(*(said.credit[name].combine_chunks() for name in ("id", "credit"))),
        _digest([subjects, contracts, of_plans, of_contracts, *said]),
    )


def _calendars(contracts: pa.Table, anchored: pa.Table) -> tuple[list[Calendar], Int64s]:
    """The calendars by zone and anchor, months in UTC among them, and which of them each contract is kept in."""
    zones, (zone, utc) = encoded(contracts["timezone"], _texts({UTC_MONTHS.zone}))
    anchor = np.full(len(contracts), UTC_MONTHS.anchor)
    anchor[known_places(anchored["id"], contracts["id"].combine_chunks())] = _numbers(anchored["anchor"])
    key = zone * (ANCHOR_MAX + 1) + anchor
    is_kept = np.bincount(np.append(key, utc * (ANCHOR_MAX + 1) + UTC_MONTHS.anchor)) > 0
    place = np.cumsum(is_kept) - 1
    kept = [divmod(one, ANCHOR_MAX + 1) for one in np.flatnonzero(is_kept).tolist()]
    return [Calendar(zones[zone].as_py(), day) for zone, day in kept], place[key]


def _said(read: Callable[..., pa.Table]) -> Said:
    contracts = read(tables.contracts, ["id", "commitment", "discounts", "anchor", "version"], tables.agrees)
    customers = read(tables.customers, ["id", "tax_place", "tax_exempt", "credit"], tables.is_told)
    owe_taxes = pc.and_(_is_said(customers["tax_place"]), pc.invert(_is_said(customers["tax_exempt"])))
    agree = pc.or_(_is_said(contracts["commitment"]), _is_said(contracts["discounts"]))
    return Said(
        read(tables.plans, PLAN),
        contracts.filter(agree).drop_columns("anchor"),
        customers.filter(owe_taxes).select(["id", "tax_place"]),
        read(tables.taxes, ["place", "category", "name", "since", "rate", "version"]),
        customers.filter(_is_said(customers["credit"])).select(["id", "credit"]),
        contracts.filter(pc.not_equal(contracts["anchor"], str(UTC_MONTHS.anchor))).select(["id", "anchor"]),
    )


def _is_said(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.not_equal(texts, "")


def _agreed(
    said: Said,
    commitments: agreed.Listed,
    customers: pa.Array,
    ids: pa.Array,
    contract_plan: Int64s,
    products: Sequence[str],
    categories: Sequence[str],
) -> Agreed:
    """What is said, in columns that refer to the book by position."""
    contract, version = known_places(said.contracts["id"], ids), _numbers(said.contracts["version"])
    own = np.flatnonzero(_is_said(said.contracts["discounts"]).to_numpy())
    of_plans = agreed.Lists(
        np.arange(len(said.plans)), agreed.listed(said.plans["discounts"]), _numbers(said.plans["version"])
    )
    of_contracts = agreed.Lists(
        contract[own], agreed.listed(said.contracts["discounts"].take(pa.array(own))), version[own]
    )
    owing = places(said.customers["id"].combine_chunks(), customers)
    known = np.flatnonzero(owing >= 0)
    taxes = [(_tax(row), int(row["version"])) for row in said.taxes.to_pylist()]
    taxes.sort(key=lambda one: tax_key(one[0]))
    return Agreed(
        agreed.committed(contract, commitments, version, products, categories),
        agreed.chains(of_plans, of_contracts, contract_plan, products),
        agreed.rates(
            [tax for tax, _ in taxes],
            np.array([version for _, version in taxes], dtype=np.int64),
            agreed.Placed(owing[known], said.customers["tax_place"].take(pa.array(known))),
            len(customers),
            categories,
        ),
    )


def _tax(row: dict[str, str]) -> Tax:
    since = date.fromisoformat(row["since"]) if row["since"] else None
    return Tax(row["name"], Fraction(row["rate"]), row["place"], row["category"], since)


def _table(
    connection: sa.Connection,
    tenant: str,
    version: int,
    table: sa.Table,
    columns: Sequence[str],
    wanted: Callable[[sa.FromClause], sa.ColumnElement[bool]] = lambda _: sa.true(),
) -> pa.Table:
    """Columns of a catalog table at `version` as text: the wanted rows, ordered by the first few; none is null."""
    rows = tables.rows_at(table, tenant, version, *columns).subquery()
    found = packed(connection, sa.select(rows).where(wanted(rows)), columns)
    if _ascends(found, columns[:4]):
        return found
    order = pc.sort_indices(found, sort_keys=[(name, "ascending") for name in columns[:4]])
    return found.take(order).combine_chunks()


def _ascends(rows: pa.Table, columns: Sequence[str]) -> bool:
    """Whether rows are in order, as SQLite has them: to see that takes a tenth of sorting them again."""
    before, after = rows.slice(0, max(len(rows) - 1, 0)), rows.slice(1)
    for name in columns:
        if pc.any(pc.greater(before[name], after[name])).as_py():
            return False
        alike = pc.equal(before[name], after[name])
        if not pc.any(alike).as_py():
            return True
        before, after = before.filter(alike), after.filter(alike)
    return True


def positions(values: pa.Array | pa.ChunkedArray, among: pa.Array) -> Int64s:
    """Where each of `values` is in `among`, or -1."""
    found = pc.fill_null(pc.index_in(values, value_set=among), -1)
    whole: Int64s = found.to_numpy().astype(np.int64)
    return whole


def _days(texts: pa.ChunkedArray, where_empty: int) -> Int64s:
    """Dates as days since 1970-01-01."""
    different, (code,) = encoded(texts)
    days = [np.datetime64(text, "D").astype(np.int64) if text else where_empty for text in different.to_pylist()]
    of_row: Int64s = np.array(days, dtype=np.int64)[code]
    return of_row


def _rows(prices: pa.Table, owner: Int64s, meter: Int64s, fee: Int64s, product: Int64s, category: Int64s) -> Rows:
    texts = prices.select(["terms", "dimensions", "proration"])
    since, version = _days(prices["since"], ALWAYS), _numbers(prices["version"])
    return Rows(owner, meter, fee, product, since, version, category, texts)


def _numbers(texts: pa.ChunkedArray) -> Int64s:
    numbers: Int64s = pc.cast(texts, pa.int64()).to_numpy()
    return numbers


def _texts(values: set[str]) -> pa.ChunkedArray:
    return pa.chunked_array([sorted(values)], pa.string())


def _digest(tables: Sequence[pa.Table]) -> bytes:
    """What the book says, whatever version it has: an unrelated change to a catalog does not change it."""
    said = [table.select([name for name in table.column_names if name != "version"]) for table in tables]
    return b"".join(columns_digest(table, table.schema) for table in said)
