"""Price past periods under a draft of the catalog: what each customer would have been charged.

A close keeps what that takes: the quantity of every charge. They are priced again as they are, as long as the draft
cuts time and usage the way the close did (the same subjects, contracts and days of price changes, whatever the
prices); where it does not, usage is summed again at the close's cutoff. Credit is left out: it pays what is charged.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from ledger.charges import CREDIT, PROMOTION
from ledger.relational import metadata
from ledger.scale import decimal_integers, digests
from rating import book as books
from rating import catalog_rows
from rating import catalog_store as store
from rating.beyond_sums import Beyond
from rating.book import Book, positions
from rating.calculation import calculate
from rating.catalog import Catalog
from rating.close import Record
from rating.exact import Int64s, group_sums
from rating.lines import Lines, in_order, with_idle
from rating.made import Charged
from rating.match import prices_in_force
from rating.periods import parse_period
from rating.price_sets import needs_more_than_sums
from rating.rate import charge
from rating.runs import Run
from rating.settle import settle
from rating.spans import spans
from rating.yaml_page import Mistake


class Again(NamedTuple):
    """A closed period under the draft."""

    before: pa.Table
    after: pa.Table
    from_charges: bool
    """Whether the quantities of its charges were enough."""


class Difference(NamedTuple):
    """What one customer was charged in a currency and would have been, in its minor units."""

    customer: str
    currency: str
    before: int
    after: int

    @property
    def change(self) -> int:
        """Above zero where the draft is dearer."""
        return self.after - self.before


class Draft(NamedTuple):
    """A catalog that nobody applied, in a store of its own: nothing of it can be billed, and nobody waits for it."""

    connection: sa.Connection
    version: int


@contextmanager
def drafted(connection: sa.Connection, tenant: str, text: str) -> Iterator[Draft | list[Mistake]]:
    """The tenant's newest catalog with the file `text` applied to it, or what is wrong with the file."""
    newest = catalog_rows.load(connection, tenant, store.newest_version(connection))
    beside = sa.create_engine("sqlite://")
    with beside.connect() as own:
        metadata.create_all(own)
        store.apply_catalog(own, tenant, Catalog(), newest, "", "", 0)
        applied = store.apply(own, tenant, text, "", 0)
        yield applied if isinstance(applied, list) else Draft(own, applied.version)
    beside.dispose()


def charged_again(ledger: Record, connection: sa.Connection, run: Run, draft: Draft) -> Again:
    """The charges of `run`, and those it would have under the draft."""
    charges = ledger.read_charges(run.id)
    # At other prices credit would have lasted longer or shorter, so what is charged is compared before it pays.
    before = charges.filter(pc.invert(pc.is_in(charges["kind"], pa.array([CREDIT, PROMOTION]))))
    known = books.load(connection, run.tenant, run.manifest.catalog_version)
    wanted = books.load(draft.connection, run.tenant, draft.version)
    cutoff = run.manifest.cutoff
    period = parse_period(run.period)
    if cuts_alike(known, wanted) and not needs_more_than_sums(wanted.prices):
        held = spans(wanted, period)
        lines = in_order(wanted, with_idle(wanted, held, _lines(wanted, before)))
        charged = Charged(lines, *charge(wanted, held, lines, Beyond([], None), cutoff))
        return Again(before, settle(wanted, held, charged, cutoff).charges, from_charges=True)
    after = calculate(ledger, draft.connection, run.tenant, draft.version, period, cutoff, now_ms=0).charges
    return Again(before, after, from_charges=False)


def cuts_alike(one: Book, other: Book) -> bool:
    """Whether both books divide any usage into the same lines, at whatever prices."""
    return _usage_of(one) == _usage_of(other) and _price_days_of(one) == _price_days_of(other)


def _usage_of(book: Book) -> tuple[pa.Table, ...]:
    """Whose each subject is, and when each contract holds."""
    contracts = book.contracts
    return (
        pa.table({"subject": book.subjects.subject, "owner": book.customers.take(pa.array(book.subjects.customer))}),
        pa.table(
            {
                "id": contracts.id,
                "customer": book.customers.take(pa.array(contracts.customer)),
                "zone": pa.array(book.zones).take(pa.array(contracts.zone)),
                "starts": contracts.starts,
                "ends": contracts.ends,
            }
        ),
    )


def _price_days_of(book: Book) -> pa.Table:
    """Of each contract: the meters that are priced, and from which day to which."""
    prices, meters = book.prices, book.meters.to_pylist()
    of_usage = np.flatnonzero(~prices.is_fee)
    days: dict[int, list[tuple[str, int, int]]] = {one: [] for one in np.unique(book.contracts.prices).tolist()}
    columns = (prices.set, prices.meter, prices.since, prices.until)
    for one, meter, since, until in zip(*(column[of_usage].tolist() for column in columns), strict=True):
        days.setdefault(one, []).append((meters[meter], since, until))
    said = {one: repr(sorted(of_set)) for one, of_set in days.items()}
    different, which = np.unique(book.contracts.prices, return_inverse=True)
    texts = pa.array([said[one] for one in different.tolist()], pa.string())
    return pa.table({"days": texts.take(pa.array(which))})


def _lines(book: Book, charges: pa.Table) -> Lines:
    """The lines of the charges for usage, at the book's prices."""
    charges = charges.filter(pc.greater(charges["events"], 0)).combine_chunks()
    columns = {name: charges[name].combine_chunks() for name in charges.column_names}
    contract = positions(columns["contract"], book.contracts.id)
    start: Int64s = columns["window_start"].to_numpy()
    row, price = prices_in_force(book, contract, positions(columns["meter"], book.meters), start)
    assert np.array_equal(row, np.arange(len(charges))), "a charge has one price in a book that cuts alike"
    count = len(charges)
    return Lines(
        contract,
        price,
        start,
        columns["window_end"].to_numpy(),
        columns["events"].to_numpy().astype(np.int64),
        decimal_integers(columns["quantity"].buffers()[1].slice(columns["quantity"].offset * 16, count * 16)),
        digests(columns["digest"].buffers()[1].slice(columns["digest"].offset * 16, count * 16)),
    )


def differences(periods: Sequence[Again]) -> list[Difference]:
    """Of every customer and currency over all periods, the greatest change first."""
    sums: dict[tuple[str, str], list[int]] = {}
    for again in periods:
        for place, charges in enumerate((again.before, again.after)):
            for key, amount in _amounts(charges).items():
                sums.setdefault(key, [0, 0])[place] += amount
    found = [Difference(*key, *both) for key, both in sums.items()]
    return sorted(found, key=lambda one: (-abs(one.change), one.customer, one.currency))


def _amounts(charges: pa.Table) -> dict[tuple[str, str], int]:
    """What each customer is charged in each currency."""
    customer, currency = (charges[name].combine_chunks().dictionary_encode() for name in ("customer", "currency"))
    key = customer.indices.to_numpy().astype(np.int64) * len(currency.dictionary) + currency.indices.to_numpy()
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    sums = group_sums(charges["amount"].to_numpy()[order], starts).tolist()
    customers, currencies = customer.dictionary.to_pylist(), currency.dictionary.to_pylist()
    places = [divmod(one, len(currencies)) for one in key[order][starts].tolist()]
    return {(customers[who], currencies[what]): amount for (who, what), amount in zip(places, sums, strict=True)}
