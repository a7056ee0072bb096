"""Write priced lines as the charges that the ledger keeps: each amount in minor units, and beside it as it was."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ledger.charges import FEE, SCHEMA, USAGE, labels
from ledger.errors import Refused
from ledger.scale import QUANTITY_SCALE
from rating.book import Book
from rating.exact import INT64_MAX, Exact, Int64s, decimals, largest, narrowed
from rating.groups import offsets
from rating.lines import Lines
from rating.ragged import expand
from rating.ratios import HALF_UP, Ratios, at_scale

NUMERATOR_DIGITS, DENOMINATOR_DIGITS = 76, 38


def charges_of(book: Book, lines: Lines, exact: Ratios, amount: Ratios, cutoff: int, first: int = 0) -> pa.Table:
    """The charges of `lines`, in their order and numbered from `first`, under run 0."""
    count = len(lines.contract)
    contracts, prices = book.contracts, book.prices
    plan, customer = contracts.plan[lines.contract], contracts.customer[lines.contract]
    currency = book.plan_currency[plan]

    columns = {
        "run": np.zeros(count, dtype=np.uint64),
        "line": np.arange(first, first + count, dtype=np.uint32),
        "tenant": labels([book.tenant], np.zeros(count, dtype=np.int64)),
        "entity": labels(book.entities, contracts.entity[lines.contract]),
        "customer": book.customers.take(pa.array(customer)),
        "currency": labels(book.currencies, currency),
        "contract": contracts.id.take(pa.array(lines.contract)),
        "plan": labels(book.plans, plan),
        "product": labels(book.products, prices.product[lines.price]),
        "kind": labels([USAGE, FEE], prices.is_fee[lines.price].astype(np.int64)),
        "meter": labels(book.meters, prices.meter[lines.price]),
        "price_version": prices.version[lines.price].astype(np.uint32),
        "subjects": _subjects_of(book, customer),
        "window_start": lines.window_start,
        "window_end": lines.window_end,
        "cutoff": np.full(count, cutoff, dtype=np.uint64),
        "events": lines.events.astype(np.uint64),
        "quantity": decimals(lines.quantity, 38, QUANTITY_SCALE),
        "digest": pa.Array.from_buffers(pa.binary(16), count, [None, pa.py_buffer(lines.digest.tobytes())]),
    } | money_columns(exact, amount, book.digits[currency], _names(book, lines))
    arrays = [pa.array(columns[field.name], field.type) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def minor_amounts_of(book: Book, lines: Lines, amount: Ratios) -> Exact:
    """The amounts alone, as the charges of `lines` have them."""
    minor = _minor_units(amount, book.digits[book.plan_currency[book.contracts.plan[lines.contract]]])
    _refuse_too_large([(minor, INT64_MAX)], _names(book, lines))
    return minor


def _names(book: Book, lines: Lines) -> Callable[[int], str]:
    def named(line: int) -> str:
        meter = book.meters[int(book.prices.meter[lines.price[line]])]
        return f"contract {book.contracts.id[int(lines.contract[line])]}, meter {meter}"

    return named


def money_columns(exact: Ratios, amount: Ratios, digits: Int64s, named: Callable[[int], str]) -> dict[str, Any]:
    """What each row costs, exact and in minor units; `named` says which row it is that costs too much."""
    numerator, denominator = _reduced(exact, len(digits))
    minor = _minor_units(amount, digits)
    bounds = [(minor, INT64_MAX), (numerator, 10**NUMERATOR_DIGITS - 1), (denominator, 10**DENOMINATOR_DIGITS - 1)]
    _refuse_too_large(bounds, named)
    return {
        "exact_numerator": decimals(numerator, NUMERATOR_DIGITS, 0),
        "exact_denominator": decimals(denominator, DENOMINATOR_DIGITS, 0),
        "amount": minor.astype(np.int64),
    }


def _reduced(exact: Ratios, count: int) -> tuple[Exact, Exact]:
    """Each amount in its lowest terms: the same whatever lines it was calculated with."""
    denominator = np.broadcast_to(exact.denominator, (count,))
    divisor = np.gcd(exact.numerator, denominator)
    return narrowed(exact.numerator // divisor), narrowed(denominator // divisor)


def _minor_units(amount: Ratios, digits: Int64s) -> Exact:
    """Amounts as integers of their currency's minor unit; they are rounded to that, or coarser."""
    is_alike = len(digits) > 0 and digits.min() == digits.max()
    return at_scale(amount, int(digits[0]) if is_alike else digits, HALF_UP)


def _refuse_too_large(columns: Sequence[tuple[Exact, int]], named: Callable[[int], str]) -> None:
    """Refuse the first row that has a number above the most its column holds."""
    wrong = [(int(np.flatnonzero(abs(column) > most)[0]), most) for column, most in columns if largest(column) > most]
    if wrong:
        row, most = min(wrong)
        raise Refused(
            f"{named(row)}: the amount has more than {len(str(most)) - 1} digits; look at the usage and at the price, "
            "correct one of them, and close again"
        )


def _subjects_of(book: Book, customer: Int64s) -> pa.Array:
    """Per line: the customer's subjects."""
    # A customer's lines follow each other: each is looked for once.
    begins = np.flatnonzero(np.diff(customer, prepend=-1))
    found = (np.searchsorted(book.subjects.customer, customer[begins], side=side) for side in ("left", "right"))
    first, last = (np.repeat(bound, np.diff(begins, append=len(customer))) for bound in found)
    _, own = expand(first, last)
    starts = offsets(last - first).astype(np.int32)
    kind = SCHEMA.field("subjects").type
    return pa.ListArray.from_arrays(pa.array(starts), book.subjects.subject.take(pa.array(own)), type=kind)
