"""Lay out as columns what is agreed beside prices: commitments, discounts, rates of taxes and of pricing units.

Only texts that differ are read: what a plan's contracts agree alike is there once, and a contract that agrees nothing
of its own costs nothing.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rating.agreements import Commitment, Discount, PricingUnit, Tax, discounts_in, read, stand_ins
from rating.exact import Int64s
from rating.groups import offsets
from rating.invoicing.commitment import Ramp
from rating.invoicing.discounts import FIXED, PERCENT
from rating.invoicing.pricing_units import Rates as UnitRates
from rating.invoicing.taxes import RateTable
from rating.periods import ALWAYS, NEVER, day_number
from rating.ratios import Bools, Ratios, of_fractions, taken


class Committed(NamedTuple):
    """Contracts with a commitment, row by row."""

    contract: Int64s
    product: Int64s
    category: Int64s
    months: Int64s
    """Of its windows."""
    trues_up: Bools
    overage_factor: Ratios
    ramp: Ramp
    """Which step of its ramp each row has is looked up by `terms`."""
    terms: Int64s
    version: Int64s
    """The catalog version that wrote it."""


class Chains(NamedTuple):
    """Discounts in their order, chain by chain: one for each plan, and one for each list of a contract's own."""

    of_contract: Int64s
    kind: Int64s
    value: Ratios
    name: list[str]
    version: Int64s
    whole: Int64s
    """Those of all that a contract charges, chain after chain."""
    whole_offset: Int64s
    by_product: Int64s
    """Those of products, by chain and product, in their order."""
    product_key: Int64s
    """Of each of those, ascending: its chain times the number of products, plus its product."""


class Rates(NamedTuple):
    """Taxes by place and category, and where each customer is taxed."""

    names: list[str]
    places: list[str]
    categories: list[str]
    table: RateTable
    version: Int64s
    """Per rate of the table."""
    place_of: Int64s
    """Per customer; -1 where no tax is due."""


class Agreed(NamedTuple):
    """What a book says beside prices."""

    commitments: Committed
    discounts: Chains
    rates: Rates

    @property
    def is_nothing(self) -> bool:
        """Whether charges for usage and fees are all there is."""
        return not (
            len(self.commitments.contract) or len(self.discounts.kind) or bool((self.rates.place_of >= 0).any())
        )


class Listed(NamedTuple):
    """Texts that many rows share: the different ones, and which of them each row has."""

    different: list[str]
    code: Int64s


def listed(texts: pa.Array | pa.ChunkedArray) -> Listed:
    """The different texts."""
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    encoded = whole.dictionary_encode()
    return Listed(encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64))


def commitments_in(texts: Listed) -> list[Commitment | None]:
    """What each of the different texts says."""
    return [read(text, Commitment) for text in texts.different]


def committed(
    contract: Int64s,
    texts: Listed,
    version: Int64s,
    products: Sequence[str],
    categories: Sequence[str],
) -> Committed:
    """The commitments of some contracts, where their text says one."""
    said = commitments_in(texts)
    known = [one for one in said if one is not None]
    place = np.cumsum([one is not None for one in said], dtype=np.int64) - 1
    has_one = np.array([one is not None for one in said], dtype=np.bool_)
    row = np.flatnonzero(has_one[texts.code]) if len(said) else np.zeros(0, dtype=np.int64)
    terms = place[texts.code[row]] if len(said) else row
    steps = [step for one in known for step in one.steps]
    ramp = Ramp(
        offsets(_integers(len(one.steps) for one in known)),
        _integers(ALWAYS if step.since is None else day_number(step.since) for step in steps),
        of_fractions([step.amount for step in steps]),
    )
    return Committed(
        contract[row],
        _integers(products.index(one.product) for one in known)[terms],
        _integers(categories.index(one.tax_category) for one in known)[terms],
        _integers(one.months for one in known)[terms],
        np.array([one.true_up for one in known], dtype=np.bool_)[terms],
        taken(of_fractions([one.overage_factor for one in known]), terms),
        ramp,
        terms,
        version[row],
    )


class Lists(NamedTuple):
    """The discounts of plans or contracts, as text, and the catalog version that wrote each."""

    owner: Int64s
    texts: Listed
    version: Int64s


def chains(of_plans: Lists, of_contracts: Lists, contract_plan: Int64s, products: Sequence[str]) -> Chains:
    """The chains; every plan has one, and is its owner's number."""
    plan_said = [discounts_in(of_plans.texts.different[code]) for code in of_plans.texts.code.tolist()]
    own_said = [discounts_in(text) for text in of_contracts.texts.different]
    found = [
        [(one, version) for one in said] for said, version in zip(plan_said, of_plans.version.tolist(), strict=True)
    ]
    of_contract = contract_plan.copy()
    own = np.stack([contract_plan[of_contracts.owner], of_contracts.texts.code, of_contracts.version], axis=1)
    different, which = np.unique(own, axis=0, return_inverse=True)
    of_contract[of_contracts.owner] = len(found) + which.reshape(-1)
    for plan, code, version in different.tolist():
        both = stand_ins(plan_said[plan], own_said[code])
        found.append([(one, version if is_own else int(of_plans.version[plan])) for one, is_own in both])
    return _chained(of_contract, found, products)


def _chained(of_contract: Int64s, found: Sequence[Sequence[tuple[Discount, int]]], products: Sequence[str]) -> Chains:
    place = {product: nth for nth, product in enumerate(products)}
    rows = [(chain, *one) for chain, said in enumerate(found) for one in said]
    whole = _integers(row for row, (_, one, _) in enumerate(rows) if not one.products)
    chain = _integers(chain for chain, _, _ in rows)
    # A product that the plan sold under an earlier name is in no line, and has no place.
    of_products = sorted(
        (chain * len(products) + place[product], row)
        for row, (chain, one, _) in enumerate(rows)
        for product in one.products
        if product in place
    )
    return Chains(
        of_contract,
        _integers(FIXED if one.percent is None else PERCENT for _, one, _ in rows),
        of_fractions([_value(one) for _, one, _ in rows]),
        [one.name for _, one, _ in rows],
        _integers(version for _, _, version in rows),
        whole,
        offsets(np.bincount(chain[whole], minlength=len(found))),
        _integers(row for _, row in of_products),
        _integers(key for key, _ in of_products),
    )


def _value(discount: Discount) -> Fraction:
    value = discount.amount if discount.percent is None else discount.percent
    assert value is not None
    return value


def unit_rates(texts: Sequence[str]) -> UnitRates:
    """What pricing units are worth, plan by plan; a plan without one has no rates."""
    said = [read(text, PricingUnit) for text in texts]
    each = [() if unit is None else unit.rates for unit in said]
    return UnitRates(
        offsets(_integers(map(len, each))),
        _integers(ALWAYS if one.since is None else day_number(one.since) for rates in each for one in rates),
        of_fractions([one.rate for rates in each for one in rates]),
    )


class Placed(NamedTuple):
    """Customers who owe taxes, and where."""

    customer: Int64s
    place: pa.ChunkedArray


def rates(taxes: Sequence[Tax], version: Int64s, placed: Placed, customers: int, categories: Sequence[str]) -> Rates:
    """The table of `taxes`, which are in the order of their keys."""
    names, places = (sorted({getattr(tax, field) for tax in taxes}) for field in ("name", "place"))
    since = [ALWAYS if tax.since is None else day_number(tax.since) for tax in taxes]
    same = [_subject(one) == _subject(other) for one, other in pairwise(taxes)]
    until = [next_since if follows else NEVER for follows, next_since in zip(same, since[1:], strict=True)]
    table = RateTable(
        _integers(places.index(tax.place) for tax in taxes),
        _integers(categories.index(tax.category) for tax in taxes),
        _integers(names.index(tax.name) for tax in taxes),
        of_fractions([tax.rate for tax in taxes]),
        _integers(since),
        _integers([*until, NEVER][: len(taxes)]),
    )
    place_of = np.full(customers, -1, dtype=np.int64)
    found = pc.fill_null(pc.index_in(placed.place, value_set=pa.array(places, pa.string())), -1)
    place_of[placed.customer] = found.to_numpy()
    return Rates(names, places, list(categories), table, version, place_of)


def _subject(tax: Tax) -> tuple[str, str, str]:
    return tax.place, tax.category, tax.name


def _integers(values: Iterable[int]) -> Int64s:
    return np.fromiter(values, dtype=np.int64)
