"""Rate a whole period at once: from usage summed per meter and subject to charges, in columns.

A charge is one price of one contract in one window. It is a function of the sums alone: neither their order nor how
often time was cut makes a difference to any byte of it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.charges import SCHEMA
from ledger.errors import Refused
from ledger.scale import QUANTITY_SCALE, Digests, digest_sums
from ledger.usage import Totals
from rating.book import Book
from rating.exact import INT64_MAX, Exact, Int64s, decimals, group_sums, largest, total
from rating.kernels import AMOUNT_SCALE, Priced, price_lines
from rating.match import OTHER_PERIOD, RATED, REASONS, Match, match, plain, price_span
from rating.spans import Spans

EXAMPLES_MAX = 5


class Measured(NamedTuple):
    """How much of a meter there is; the quantity is scaled."""

    events: int
    quantity: int


class Unrated(NamedTuple):
    """Usage of one meter that nobody pays for, and why."""

    meter: str
    reason: str
    measured: Measured
    subjects: int
    examples: list[str]
    """The first few of the subjects."""


class Rated(NamedTuple):
    """What a period's usage became."""

    charges: pa.Table
    """In the ledger's schema, with run 0."""
    priced: Priced
    """Line for line, what the charges cost."""
    unrated: list[Unrated]
    other_period: dict[str, Measured]
    """Per meter: usage between the first and the last boundary that its contract's zone puts into another period."""


class Lines(NamedTuple):
    """Usage summed per contract and price."""

    contract: Int64s
    price: Int64s
    window_start: Int64s
    window_end: Int64s
    events: Int64s
    quantity: Exact
    digest: Digests


def rate(book: Book, spans: Spans, totals: Totals, cutoff: int) -> Rated:
    """The charges of the period of `spans`, and what of `totals` is in none of them."""
    matched = match(book, spans, totals)
    charges, priced = charge(book, _lines(book, spans, totals, matched), cutoff)
    return Rated(charges, priced, _unrated(totals, matched), _other_period(totals, matched))


def charge(book: Book, lines: Lines, cutoff: int) -> tuple[pa.Table, Priced]:
    """The charges that `lines` make, in their order, and line for line what they cost."""
    by = _charge_order(book, lines)
    lines = Lines._make(column[by] for column in lines)
    currency = book.plan_currency[book.contracts.plan[lines.contract]]
    priced = price_lines(lines.quantity, lines.price, book.digits[currency], book.prices.tiers)
    _refuse_too_large(book, lines, priced)
    return _charges(book, lines, priced, cutoff), priced


def _lines(book: Book, spans: Spans, totals: Totals, matched: Match) -> Lines:
    rated = np.flatnonzero(matched.outcome == RATED)
    key = matched.contract[rated] * len(book.prices.plan) + matched.price[rated]
    order = np.argsort(key, kind="stable")
    key, row = key[order], rated[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    contract, price = matched.contract[row[starts]], matched.price[row[starts]]
    window_start, window_end = _windows(book, spans, contract, price)
    return Lines(
        contract,
        price,
        window_start,
        window_end,
        group_sums(totals.events[row], starts),
        group_sums(totals.quantity[row], starts),
        digest_sums(totals.digest[row], starts),
    )


def _windows(book: Book, spans: Spans, contract: Int64s, price: Int64s) -> tuple[Int64s, Int64s]:
    """When the period, the contract and the price all hold."""
    zone = book.contracts.zone[contract]
    price_start, price_end = price_span(book, contract, price)
    return (
        np.maximum(np.maximum(spans.contract_start[contract], price_start), spans.period_start[zone]),
        np.minimum(np.minimum(spans.contract_end[contract], price_end), spans.period_end[zone]),
    )


def _charge_order(book: Book, lines: Lines) -> Int64s:
    """By entity, customer, currency, contract, product, meter and window: positions in a book are in their order."""
    contracts, prices = book.contracts, book.prices
    by = (
        lines.window_start,
        prices.meter[lines.price],
        prices.product[lines.price],
        lines.contract,
        book.plan_currency[contracts.plan[lines.contract]],
        contracts.customer[lines.contract],
        contracts.entity[lines.contract],
    )
    return np.lexsort(by)


def _refuse_too_large(book: Book, lines: Lines, priced: Priced) -> None:
    if largest(priced.amount) <= INT64_MAX:
        return
    line = int(np.flatnonzero(abs(priced.amount) > INT64_MAX)[0])
    contract = book.contracts.id[int(lines.contract[line])]
    meter = book.meters[int(book.prices.meter[lines.price[line]])]
    message = (
        f"contract {contract}, meter {meter}: the amount has more than 18 digits; look at the usage and at the price, "
        "correct one of them, and close again"
    )
    raise Refused(message)


def _charges(book: Book, lines: Lines, priced: Priced, cutoff: int) -> pa.Table:
    count = len(lines.contract)
    contracts, prices = book.contracts, book.prices
    plan, customer = contracts.plan[lines.contract], contracts.customer[lines.contract]
    currencies = pa.array(book.currencies, pa.string())
    columns = {
        "run": np.zeros(count, dtype=np.uint64),
        "line": np.arange(count, dtype=np.uint32),
        "tenant": pa.repeat(pa.scalar(book.tenant, pa.string()), count),
        "entity": book.entities.take(pa.array(contracts.entity[lines.contract])),
        "customer": book.customers.take(pa.array(customer)),
        "currency": currencies.take(pa.array(book.plan_currency[plan])),
        "contract": contracts.id.take(pa.array(lines.contract)),
        "plan": book.plans.take(pa.array(plan)),
        "product": book.products.take(pa.array(prices.product[lines.price])),
        "meter": book.meters.take(pa.array(prices.meter[lines.price])),
        "subjects": _subjects_of(book, customer),
        "window_start": lines.window_start,
        "window_end": lines.window_end,
        "cutoff": np.full(count, cutoff, dtype=np.uint64),
        "events": lines.events.astype(np.uint64),
        "quantity": decimals(lines.quantity, 38, QUANTITY_SCALE),
        "digest": pa.Array.from_buffers(pa.binary(16), count, [None, pa.py_buffer(lines.digest.tobytes())]),
        "unrounded": _unrounded(priced),
        "amount": priced.amount.astype(np.int64),
    }
    arrays = [pa.array(columns[field.name], field.type) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _unrounded(priced: Priced) -> pa.Array:
    narrow = decimals(priced.unrounded, 76, priced.scale)
    return narrow.cast(pa.decimal256(76, AMOUNT_SCALE))


def _subjects_of(book: Book, customer: Int64s) -> pa.Array:
    """Per line: the customer's subjects."""
    offsets = np.searchsorted(book.subjects.customer, np.arange(len(book.customers) + 1)).astype(np.int32)
    kind = SCHEMA.field("subjects").type
    return pa.ListArray.from_arrays(pa.array(offsets), book.subjects.subject, type=kind).take(pa.array(customer))


def _unrated(totals: Totals, matched: Match) -> list[Unrated]:
    """What is not rated though it is of the period, by meter and reason."""
    found = []
    for meter, rows in _rows_by_meter(totals, np.flatnonzero(matched.outcome > OTHER_PERIOD)):
        for code, reason in REASONS.items():
            here = rows[matched.outcome[rows] == code]
            if len(here):
                subjects = pc.unique(plain(totals.subject).take(pa.array(here)))
                examples = subjects.take(pc.sort_indices(subjects)[:EXAMPLES_MAX]).to_pylist()
                found.append(Unrated(meter, reason, _measured(totals, here), len(subjects), examples))
    return found


def _other_period(totals: Totals, matched: Match) -> dict[str, Measured]:
    rows = np.flatnonzero(matched.outcome == OTHER_PERIOD)
    return {meter: _measured(totals, here) for meter, here in _rows_by_meter(totals, rows)}


def _measured(totals: Totals, rows: Int64s) -> Measured:
    return Measured(total(totals.events[rows]), total(totals.quantity[rows]))


def _rows_by_meter(totals: Totals, rows: Int64s) -> Sequence[tuple[str, Int64s]]:
    """Some rows of the totals, meter by meter in the order of their names."""
    meter = plain(totals.meter).take(pa.array(rows)).dictionary_encode()
    codes = meter.indices.to_numpy()
    named = sorted((name, code) for code, name in enumerate(meter.dictionary.to_pylist()))
    return [(name, rows[codes == code]) for name, code in named]
