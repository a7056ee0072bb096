"""Load what is known of a tenant's credit as columns: what each grant holds, pays for, how long, and when it burns.

A pool is a customer's credit in one currency: all of its invoices in that currency draw on it, whichever contract or
entity they are of.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from ledger.digest import columns_digest
from rating.book import positions
from rating.credit_grants import rows_known
from rating.credit_spending import Spendings
from rating.credits.burn_order import SortKey, burn_order
from rating.credits.recurrence import DAY_MS, Recurrence, read_interval
from rating.credits.timeline import NEVER, Lives
from rating.exact import Int64s
from rating.packed import packed

COLUMNS: Final = (
    "version",
    "id",
    "customer",
    "currency",
    "amount",
    "kind",
    "name",
    "priority",
    "effective",
    "expires",
    "products",
    "cost_basis",
    "every",
    "rollover_min",
    "rollover_max",
    "voided",
)

Limits = list[frozenset[str] | None]


class Granted(NamedTuple):
    """One row a grant, in the order they were made."""

    id: pa.Array
    name: pa.Array
    kind: pa.Array
    pool: Int64s
    pools: pa.Array
    """The key of each pool; see `pool_keys`."""
    customer: pa.Array
    currency: pa.Array
    amount: Int64s
    carries: Int64s
    """What a refill lets stay at most."""
    carries_least: Int64s
    """And what it leaves at least."""
    limit: Int64s
    limits: Limits
    """The products that grants are limited to; None for all."""
    lives: Lives
    sorted_by: dict[str, pa.Array]
    """What burn orders sort by, a value a grant or null."""
    digest: bytes

    def burning(self, spent: Spendings) -> Int64s:
        """The rows, pool after pool, in the order they burn."""
        own = np.append(spent.of, 0)[positions(self.customer, spent.customer)]
        parts = [
            self._in_order(np.flatnonzero(own == number), spent.terms[number].keys)
            for number in np.unique(own).tolist()
        ]
        together = np.concatenate(parts)
        return together[np.argsort(self.pool[together], kind="stable")]

    def _in_order(self, rows: Int64s, keys: Sequence[SortKey]) -> Int64s:
        """What keys leave equal stays in the order of rows, which is the order in which grants were made."""
        values = {name: column.take(pa.array(rows)) for name, column in self.sorted_by.items()}
        return rows[burn_order(self.pool[rows], values, keys)]


def load(connection: sa.Connection, tenant: str, version: int, customer: str | None = None) -> Granted:
    """The grants that were known at `version`, of all customers or of one."""
    rows = packed(connection, rows_known(tenant, version, customer), COLUMNS)
    rows = rows.set_column(0, "version", pc.cast(rows["version"], pa.int64())).sort_by("version")
    columns = {name: rows[name].combine_chunks() for name in COLUMNS}
    keys = pool_keys(columns["customer"], columns["currency"])
    pools = pc.unique(keys).sort()
    pool = positions(keys, pools)
    limit, limits = _limits(columns["products"])
    return Granted(
        id=columns["id"],
        name=columns["name"],
        kind=columns["kind"],
        pool=pool,
        pools=pools,
        customer=columns["customer"],
        currency=columns["currency"],
        amount=_integers(columns["amount"]),
        carries=_integers(columns["rollover_max"]),
        carries_least=_integers(columns["rollover_min"]),
        limit=limit,
        limits=limits,
        lives=_lives(columns),
        sorted_by=_sorted_by(columns),
        digest=columns_digest(rows, rows.schema),
    )


def pool_keys(customer: pa.Array, currency: pa.Array) -> pa.Array:
    """Which pool each customer and currency is: names hold no spaces."""
    return pc.binary_join_element_wise(customer, currency, " ")


def _integers(texts: pa.Array) -> Int64s:
    whole: Int64s = pc.cast(texts, pa.int64()).to_numpy()
    return whole


def _limits(products: pa.Array) -> tuple[Int64s, Limits]:
    encoded = products.dictionary_encode()
    named = [msgspec.json.decode(text, type=frozenset[str]) for text in encoded.dictionary.to_pylist()]
    return encoded.indices.to_numpy().astype(np.int64), [one or None for one in named]


def _lives(columns: dict[str, pa.Array]) -> Lives:
    every = columns["every"].dictionary_encode()
    intervals = [read_interval(text) if text else (0, 0) for text in every.dictionary.to_pylist()]
    lengths = np.array(intervals, dtype=np.int64).reshape(-1, 2)[every.indices.to_numpy()]
    effective = _midnights(columns["effective"])
    voided = pc.if_else(pc.equal(columns["voided"], ""), str(NEVER), columns["voided"])
    return Lives(
        effective,
        _midnights(columns["expires"]),
        _integers(voided),
        Recurrence(effective, lengths[:, 0], lengths[:, 1]),
    )


def _midnights(days: pa.Array) -> Int64s:
    """Dates as the instants at which they begin, in UTC; NEVER where there is none."""
    encoded = days.dictionary_encode()
    starts = [
        int(np.datetime64(text, "D").astype(np.int64)) * DAY_MS if text else NEVER
        for text in encoded.dictionary.to_pylist()
    ]
    of_row: Int64s = np.array(starts, dtype=np.int64)[encoded.indices.to_numpy()]
    return of_row


def _sorted_by(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    missing = pa.scalar(None, pa.string())
    products = columns["products"].dictionary_encode()
    counts = [len(msgspec.json.decode(text, type=list[str])) or None for text in products.dictionary.to_pylist()]
    return {
        "priority": pc.cast(columns["priority"], pa.int64()),
        "expires": pc.if_else(pc.equal(columns["expires"], ""), missing, columns["expires"]),
        "from": columns["effective"],
        "kind": columns["kind"],
        "cost_basis": _by_value(columns["cost_basis"]),
        "amount": pc.cast(columns["amount"], pa.int64()),
        "products": pa.array(counts, pa.int64()).take(products.indices),
        "created": columns["version"],
    }


def _by_value(texts: pa.Array) -> pa.Array:
    """Integers that sort as decimal numbers do; few differ."""
    encoded = texts.dictionary_encode()
    values = [Fraction(text) for text in encoded.dictionary.to_pylist()]
    places = {value: place for place, value in enumerate(sorted(set(values)))}
    return pa.array([places[value] for value in values], pa.int64()).take(encoded.indices)
