"""Put charges that are made of other charges among them: numbered in one order, in the ledger's schema.

No events stand behind such a line. It has no meter, quantity or subjects, and its window is the time of the period in
which its contract holds; of a line that is the invoice's own, the calendar month in UTC.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.charges import FEE, KINDS, SCHEMA, TAX, labels
from rating.book import Book
from rating.charges import money_columns
from rating.exact import Int64s
from rating.gathered import joined
from rating.lines import Lines
from rating.periods import UTC_MONTHS
from rating.ratios import Ratios, spread, taken
from rating.spans import Spans

OF_INVOICES = (TAX,)
"""The kinds of lines that are no single contract's."""


class Charged(NamedTuple):
    """Charges for usage and fees, row by row, and what they were made from."""

    lines: Lines
    table: pa.Table
    exact: Ratios


class Made(NamedTuple):
    """Lines of one kind, row by row."""

    kind: str
    contract: Int64s
    """Whose it is; of an invoice's own line any contract that is on the invoice."""
    product: pa.Array
    version: Int64s
    """The catalog version that wrote what made it."""
    exact: Ratios
    amount: Ratios


def invoice_of(book: Book, contract: Int64s) -> Int64s:
    """A number for the invoice that each contract is on, ascending in the order of invoices."""
    of = book.contracts
    party = of.entity[contract] * len(book.customers) + of.customer[contract]
    return party * len(book.currencies) + book.plan_currency[of.plan[contract]]


def with_made(book: Book, spans: Spans, charged: Charged, made: Sequence[Made], cutoff: int) -> tuple[pa.Table, Ratios]:
    """The charges, which are in order, with what was made of them, and the exact amounts of all."""
    charges, exact = charged.table, charged.exact
    more = [_in_order(one) for one in made if len(one.contract)]
    if not more:
        return charges, exact
    everything = pa.concat_tables([charges, *(_table(book, spans, one, cutoff) for one in more)])
    whose = np.concatenate([charged.lines.contract, *(one.contract for one in more)])
    numbered, order = in_order(everything, invoice_of(book, whose))
    all_exact = joined([spread(exact, len(charges)), *(spread(one.exact, len(one.contract)) for one in more)])
    return numbered, taken(all_exact, order)


def in_order(charges: pa.Table, invoice: Int64s) -> tuple[pa.Table, Int64s]:
    """The charges by invoice and kind, numbered, and the row that each one was; those of a kind stay as they come."""
    # What is in order nearly, as here, is sorted in one go by one number, and takes longer by two.
    order = np.argsort(invoice * len(KINDS) + _ranks(charges["kind"]), kind="stable")
    rows, number = pa.array(order), pa.array(np.arange(len(order), dtype=np.uint32))

    def ordered(name: str) -> pa.Array:
        return number if name == "line" else charges[name].combine_chunks().take(rows)

    # Taking rows holds no lock: two columns take the time of one.
    with ThreadPoolExecutor(2) as taking:
        return pa.Table.from_arrays(list(taking.map(ordered, SCHEMA.names)), schema=SCHEMA), order


def _ranks(kind: pa.ChunkedArray) -> Int64s:
    """Usage and fees are one rank, in the order they have."""
    codes = kind.combine_chunks().dictionary_encode()
    rank = [max(KINDS.index(name), KINDS.index(FEE)) for name in codes.dictionary.to_pylist()]
    of_row: Int64s = np.array(rank, dtype=np.int64)[codes.indices.to_numpy()]
    return of_row


def _in_order(made: Made) -> Made:
    """By contract and product."""
    codes = made.product.dictionary_encode()
    by_name = np.empty(len(codes.dictionary), dtype=np.int64)
    by_name[pc.sort_indices(codes.dictionary).to_numpy()] = np.arange(len(codes.dictionary))
    order = np.lexsort((by_name[codes.indices.to_numpy()], made.contract))
    return Made(
        made.kind,
        made.contract[order],
        made.product.take(pa.array(order)),
        made.version[order],
        taken(made.exact, order),
        taken(made.amount, order),
    )


def _table(book: Book, spans: Spans, made: Made, cutoff: int) -> pa.Table:
    """The lines under run 0, not yet numbered."""
    count, contracts = len(made.contract), book.contracts
    plan = contracts.plan[made.contract]
    currency = book.plan_currency[plan]
    is_of_invoice = made.kind in OF_INVOICES
    start, end = _windows(book, spans, made)
    none = np.zeros(count, dtype=np.int64)

    def named(row: int) -> str:
        return f"contract {contracts.id[int(made.contract[row])]}, {made.kind} {made.product[row]}"

    columns = {
        "run": none.astype(np.uint64),
        "line": none.astype(np.uint32),
        "tenant": labels([book.tenant], none),
        "entity": labels(book.entities, contracts.entity[made.contract]),
        "customer": book.customers.take(pa.array(contracts.customer[made.contract])),
        "currency": labels(book.currencies, currency),
        "contract": pa.repeat("", count) if is_of_invoice else contracts.id.take(pa.array(made.contract)),
        "plan": labels([""], none) if is_of_invoice else labels(book.plans, plan),
        "product": made.product,
        "kind": labels([made.kind], none),
        "price_version": made.version.astype(np.uint32),
        "window_start": start,
        "window_end": end,
        "cutoff": np.full(count, cutoff, dtype=np.uint64),
    }
    money = money_columns(made.exact, made.amount, book.digits[currency], named)
    return charges_table(columns | of_no_events(count) | money)


def of_no_events(count: int) -> dict[str, Any]:
    """What lines say of the events behind them, where there are none."""
    return {
        "meter": labels([""], np.zeros(count, dtype=np.int64)),
        "subjects": pa.array([[]] * count, SCHEMA.field("subjects").type),
        "events": np.zeros(count, dtype=np.uint64),
        "quantity": pa.array(np.zeros(count, dtype=np.int64)).cast(SCHEMA.field("quantity").type),
        "digest": pa.array([bytes(16)] * count, SCHEMA.field("digest").type),
    }


def charges_table(columns: Mapping[str, Any]) -> pa.Table:
    """Columns in the ledger's schema."""
    return pa.Table.from_arrays([pa.array(columns[field.name], field.type) for field in SCHEMA], schema=SCHEMA)


def _windows(book: Book, spans: Spans, made: Made) -> tuple[Int64s, Int64s]:
    if made.kind in OF_INVOICES:
        month = np.full(len(made.contract), book.calendars.index(UTC_MONTHS))
        return spans.period_start[month], spans.period_end[month]
    calendar = book.contracts.calendar[made.contract]
    return (
        np.maximum(spans.contract_start[made.contract], spans.period_start[calendar]),
        np.minimum(spans.contract_end[made.contract], spans.period_end[calendar]),
    )
