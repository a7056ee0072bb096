"""Add up what customers were charged over periods and would have been, customer by customer."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rating.book import positions
from rating.exact import INT64_MAX, Exact, Int64s, group_sums, largest, narrowed
from rating.ratios import sums as added


class Sums(NamedTuple):
    """What customers are charged, each once in a currency, in its minor units."""

    customer: pa.DictionaryArray
    currency: pa.DictionaryArray
    amount: Exact


class Differences(NamedTuple):
    """What customers were charged in a currency and would have been, in its minor units; the greatest change first."""

    customer: pa.Array
    currency: pa.Array
    before: Exact
    after: Exact

    @property
    def change(self) -> Exact:
        """Above zero where it is dearer after."""
        return added(self.after, -self.before)


def summed(customer: pa.DictionaryArray, currency: pa.DictionaryArray, amount: Exact) -> Sums:
    """What rows come to for each customer and currency."""
    currencies = max(len(currency.dictionary), 1)
    # Charges of a customer lie together: few are left to be sorted when neighbours are added up.
    pair, amount = by_neighbours(_codes(customer) * currencies + _codes(currency), amount)
    order = np.argsort(pair, kind="stable")
    pair, amount = by_neighbours(pair[order], amount[order])
    who, what = np.divmod(pair, currencies)
    return Sums(encoded(who, customer.dictionary), encoded(what, currency.dictionary), amount)


def encoded(places: Int64s, names: pa.Array) -> pa.DictionaryArray:
    """The names at `places`."""
    return pa.DictionaryArray.from_arrays(pa.array(places), names)


def differences(periods: Sequence[tuple[Sums, Sums]]) -> Differences:
    """What was charged before and after, over all periods."""
    sides = [side for period in periods for side in period]
    customers, who = _among_all([one.customer for one in sides])
    currencies, what = _among_all([one.currency for one in sides])
    pairs = [customer * len(currencies) + currency for customer, currency in zip(who, what, strict=True)]
    is_charged = np.zeros(len(customers) * len(currencies), dtype=np.bool_)
    for pair in pairs:
        is_charged[pair] = True
    found = np.flatnonzero(is_charged)
    before, after = (
        _total(pairs[side::2], [one.amount for one in sides[side::2]], len(is_charged))[found] for side in range(2)
    )
    order = np.argsort(-np.abs(added(after, -before)), kind="stable")
    customer, currency = np.divmod(found[order], max(len(currencies), 1))
    return Differences(
        customers.take(pa.array(customer)), currencies.take(pa.array(currency)), before[order], after[order]
    )


def _codes(column: pa.DictionaryArray) -> Int64s:
    codes: Int64s = column.indices.to_numpy().astype(np.int64, copy=False)
    return codes


def by_neighbours(key: Int64s, column: Exact) -> tuple[Int64s, Exact]:
    """The keys of runs of equal neighbours, and what the column comes to in each."""
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    return key[starts], group_sums(column, starts)


def _among_all(columns: Sequence[pa.DictionaryArray]) -> tuple[pa.Array, list[Int64s]]:
    """The names of all columns, ordered by code point, and for each column the place of every row among them."""
    different: list[pa.Array] = []
    which = []
    for column in columns:  # those of the periods of one book have the same names
        known = [place for place, names in enumerate(different) if names.equals(column.dictionary)]
        which.append(known[0] if known else len(different))
        different += [] if known else [column.dictionary]
    names = _ascending(pc.unique(pa.chunked_array(different, pa.string())))
    places = [positions(own, names) for own in different]
    return names, [places[own][_codes(column)] for own, column in zip(which, columns, strict=True)]


def _ascending(names: pa.Array) -> pa.Array:
    if pc.all(pc.less(names[:-1], names[1:])).as_py():
        return names
    return names.take(pc.sort_indices(names))


def _total(places: Sequence[Int64s], amounts: Sequence[Exact], rows: int) -> Exact:
    """What each row comes to over columns that have an amount for some of them."""
    is_narrow = sum(map(largest, amounts)) <= INT64_MAX
    total: Exact = np.zeros(rows, dtype=np.int64 if is_narrow else np.object_)
    for place, amount in zip(places, amounts, strict=True):
        total[place] += amount
    return narrowed(total)
