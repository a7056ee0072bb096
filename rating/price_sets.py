"""Lay out the prices that contracts are under: a set for each plan, and one for each contract with prices of its own.

A contract's own price of a meter, or its own fee, stands in for its plan's from its first day on.
"""

from itertools import groupby
from types import UnionType
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from rating.catalog import Proration
from rating.exact import Int64s
from rating.periods import NEVER
from rating.pricing import rate as pricing
from rating.pricing.parts import (
    Bucketed,
    ByEvent,
    Capacity,
    Charge,
    Flat,
    Matrix,
    PerUnit,
    Price,
    Rounding,
    interval_of,
)
from rating.pricing.shapes import PriceList, price_list
from rating.pricing.usage import Fees, Usage
from rating.pricing.written import read
from rating.ratios import Bools, zeros

PRORATIONS: Final = [Proration.NONE.value, Proration.DAY.value, Proration.SECOND.value]


class Prices(NamedTuple):
    """Ordered by set, meter, fee and first day; each holds until the next of the same set and meter or fee."""

    set: Int64s
    meter: Int64s
    """The empty name is that of fees."""
    product: Int64s
    since: Int64s
    until: Int64s
    version: Int64s
    """The catalog version that wrote it."""
    category: Int64s
    """What it sells to the tax office."""
    is_fee: Bools
    is_monthly: Bools
    """Whether it is for a month, and owed for the share of it in which it holds: fees, and prices by capacity."""
    proration: Int64s
    """Of those: a place in PRORATIONS; what lasts longer than a month is owed whole."""
    months: Int64s
    """Of fees: how long each lasts."""
    reckoned: Int64s
    """Of fees: the day since which there is one of this length, without a gap; its intervals are counted from it."""
    is_idle: Bools
    """Whether it bills where nothing is used."""
    is_summed: Bools
    """Whether it is for what several meters add up to."""
    terms: Int64s
    """Which of the terms."""
    listed: PriceList
    dimensions: list[tuple[str, ...]]
    """Per terms: whose values make the key of a matrix."""

    @property
    def charges(self) -> list[Charge]:
        """Per terms: the charge, as far as it is no number."""
        return [self.listed.shapes[shape].example.charge for shape in self.listed.shape.tolist()]

    def charged_by(self, charge: type | UnionType) -> Bools:
        """The prices with such a charge."""
        of_terms = np.array([isinstance(shape.example.charge, charge) for shape in self.listed.shapes], dtype=np.bool_)
        found: Bools = of_terms[self.listed.shape[self.terms]] if len(self.terms) else np.zeros(0, dtype=np.bool_)
        return found


class Rows(NamedTuple):
    """Prices as they are stored, ordered by owner, meter, fee and first day."""

    owner: Int64s
    """A plan, or a contract."""
    meter: Int64s
    fee: Int64s
    product: Int64s
    since: Int64s
    version: Int64s
    category: Int64s
    texts: pa.Table
    """Their terms, dimensions and proration."""


class Sets(NamedTuple):
    """The prices of all sets, and which set each contract is under."""

    prices: Prices
    of_contract: Int64s


def price_sets(of_plans: Rows, of_contracts: Rows, contract_plan: Int64s, plan_digits: Int64s) -> Sets:
    """The sets; `plan_digits` are the decimals of each plan's currency."""
    row, own_set, set_plan, of_contract = _laid_out(of_plans, of_contracts, contract_plan, len(plan_digits))
    both = [np.concatenate(pair) for pair in zip(of_plans[1:-1], of_contracts[1:-1], strict=True)]
    meter, fee, product, since, version, category = (column[row] for column in both)
    order = np.lexsort((since, fee, meter, own_set))
    row, own_set = row[order], own_set[order]
    meter, fee, product, since, version, category = (column[row] for column in both)
    until = np.full(len(row), NEVER)
    followed = (own_set[1:] == own_set[:-1]) & (meter[1:] == meter[:-1]) & (fee[1:] == fee[:-1])
    until[:-1][followed] = since[1:][followed]
    texts = pa.concat_tables([of_plans.texts, of_contracts.texts]).take(pa.array(row))
    terms, different = _different(texts, plan_digits[set_plan[own_set]])
    listed = price_list([as_rated(read(text), digits) for text, _, digits in different])
    written = [read(text) for text, _, _ in different]
    is_fee = np.array([isinstance(one.charge, Flat) for one in written], dtype=np.bool_)
    is_monthly = np.array([isinstance(one.charge, Flat | Capacity) for one in written], dtype=np.bool_)
    is_summed = np.array([bool(one.summed) for one in written], dtype=np.bool_)
    months = np.array([interval_of(one.charge).months for one in written], dtype=np.int64)[terms]
    # Of prices in their order, those that go on counting the intervals of the one before.
    goes_on = np.append(False, followed & (months[1:] == months[:-1]))[: len(row)]
    proration = np.array([PRORATIONS.index(text) for text in texts["proration"].to_pylist()], dtype=np.int64)
    prices = Prices(
        own_set,
        meter,
        product,
        since,
        until,
        version,
        category,
        is_fee[terms],
        is_monthly[terms],
        np.where(months > 1, PRORATIONS.index(Proration.NONE.value), proration),
        months,
        since[np.flatnonzero(~goes_on)[np.cumsum(~goes_on) - 1]],
        (is_monthly | _is_idle(listed))[terms],
        is_summed[terms],
        terms,
        listed,
        [tuple(dimensions.split()) for _, dimensions, _ in different],
    )
    return Sets(prices, of_contract)


def _laid_out(
    of_plans: Rows, of_contracts: Rows, contract_plan: Int64s, plans: int
) -> tuple[Int64s, Int64s, Int64s, Int64s]:
    """The rows of all sets, the set of each, the plan of each set, and the set of each contract."""
    rows, sets = [np.arange(len(of_plans.owner))], [of_plans.owner]
    of_contract, set_plan = contract_plan.copy(), list(range(plans))
    begin = np.searchsorted(of_plans.owner, np.arange(plans + 1))
    own = zip(*(column.tolist() for column in of_contracts[:3]), of_contracts.since.tolist(), strict=True)
    numbered = enumerate(own, start=len(of_plans.owner))
    for contract, group in groupby(numbered, key=lambda one: one[1][0]):
        listed = list(group)
        plan = int(contract_plan[contract])
        first: dict[tuple[int, int], int] = {}
        for _, (_, meter, fee, since) in listed:
            first[meter, fee] = min(since, first.get((meter, fee), since))
        kept = [
            row
            for row in range(begin[plan], begin[plan + 1])
            if of_plans.since[row] < first.get((int(of_plans.meter[row]), int(of_plans.fee[row])), NEVER)
        ]
        both = np.array([*kept, *(row for row, _ in listed)], dtype=np.int64)
        rows.append(both)
        sets.append(np.full(len(both), len(set_plan)))
        of_contract[contract] = len(set_plan)
        set_plan.append(plan)
    return np.concatenate(rows), np.concatenate(sets), np.array(set_plan, dtype=np.int64), of_contract


def _different(texts: pa.Table, digits: Int64s) -> tuple[Int64s, list[tuple[str, str, int]]]:
    """The different terms, and which of them each row has."""
    known: dict[Any, int] = {}
    rows = zip(texts["terms"].to_pylist(), texts["dimensions"].to_pylist(), digits.tolist(), strict=True)
    code = np.array([known.setdefault(row, len(known)) for row in rows], dtype=np.int64)
    return code, list(known)


def as_rated(price: Price, digits: int) -> Price:
    """The price as it is rated: in its currency's decimals, and a fee by the share of the month it is owed for."""
    charge = PerUnit(price.charge.amount) if isinstance(price.charge, Flat) else price.charge
    return Price(
        charge=charge,
        summed=price.summed,
        conversion=price.conversion,
        free_units=price.free_units,
        is_mirrored=price.is_mirrored,
        adjustments=price.adjustments,
        rounding=price.rounding or Rounding(digits),
    )


def _is_idle(listed: PriceList) -> Bools:
    """Which terms cost something where nothing is used."""
    every, nothing = np.arange(len(listed.shape)), np.zeros(len(listed.shape), dtype=np.int64)
    unused = Usage(zeros(len(every)), fees=Fees(zeros(len(every)), nothing))
    return np.asarray(pricing.rate(listed, every, unused).exact.numerator != 0, dtype=np.bool_)


def needs_more_than_sums(prices: Prices) -> bool:
    """Whether a price looks at dimensions, at times, or at single events or values."""
    return bool(prices.charged_by(Matrix | Bucketed | ByEvent | Capacity).any())
