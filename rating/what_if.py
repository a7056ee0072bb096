"""Price past periods under a draft of the catalog: what each customer would have been charged.

A close keeps what that takes: the quantity of every charge. They are priced again as they are, as long as the draft
cuts time and usage the way the close did (the same subjects, contracts and days of price changes, whatever the
prices); where it does not, usage is summed again at the close's cutoff. Credit is left out: it pays what is charged.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from ledger.charges import CARRIED, CREDIT, PROMOTION
from ledger.meters import meters, meters_at, write_meters
from ledger.scale import decimal_integers
from rating import book as books
from rating import catalog_store as store
from rating.beyond_sums import Beyond, by_line
from rating.book import Book, positions
from rating.calculation import UsageReader, calculate
from rating.catalog_rows import ROWS
from rating.catalog_tables import catalog_versions, rows_at
from rating.commitment_windows import Earlier, so_far, summed
from rating.exact import Exact, Int64s, group_sums
from rating.lines import Lines, in_order, with_idle
from rating.made import Charged
from rating.match import prices_in_force
from rating.periods import Period, parse_period
from rating.price_sets import needs_more_than_sums
from rating.ranges import Terms, minor_amounts, ranges
from rating.rate import charge
from rating.runs import Run, standing_before
from rating.settle import settle
from rating.spans import spans
from rating.yaml_page import Mistake


class Record(UsageReader, Protocol):
    """What is known of closed periods."""

    def read_priced(self, run: int) -> pa.Table:
        """Of a run's lines, in any order: what was priced, and what it came to."""


class Sums(NamedTuple):
    """What customers are charged, once for each currency, in its minor units."""

    customer: pa.Array
    currency: pa.Array
    amount: Exact


class Again(NamedTuple):
    """A closed period under the draft."""

    before: Sums
    after: Sums
    charges: int
    """How many it has after."""
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
    beside = sa.create_engine("sqlite://")
    with beside.connect() as own:
        for table in (catalog_versions, *ROWS):
            own.execute(sa.schema.CreateTable(table))  # without indexes: it is written and read once
        _copy(connection, own, tenant, store.newest_version(connection))
        applied = store.apply(own, tenant, text, "", 0)
        yield applied if isinstance(applied, list) else Draft(own, applied.version)
    beside.dispose()


def _copy(connection: sa.Connection, own: sa.Connection, tenant: str, version: int) -> None:
    """Write the catalog at `version` into an empty store, as the rows that it is."""
    named = {"version": version, "tenant": tenant, "applied_at": 0, "actor": "", "source": "", "digest": ""}
    own.execute(sa.insert(catalog_versions).values(named))
    write_meters(own, tenant, version, meters_at(connection, version, tenant).get(tenant, []))
    for table in ROWS:
        if table is meters:
            continue
        names = [column.name for column in table.columns if column.name != "superseded"]
        rows = list(map(tuple, connection.execute(rows_at(table, tenant, version, *names)).all()))
        if rows:
            # Past the mapping of names to values: a catalog has a row for every customer.
            insert = sa.insert(table).values(dict.fromkeys(names)).compile(dialect=own.dialect)
            own.exec_driver_sql(str(insert), rows)


class Repricing:
    """Prices one closed period after the other under a draft; what they have in common is loaded once."""

    def __init__(self, ledger: Record, connection: sa.Connection, tenant: str, draft: Draft) -> None:
        self._ledger, self._connection, self._tenant, self._draft = ledger, connection, tenant, draft
        self._book = books.load(draft.connection, tenant, draft.version)
        self._is_enough: dict[int, bool] = {}
        committed = self._book.agreed.commitments
        self._in_windows = self._book.contracts.id.take(pa.array(committed.contract[committed.months > 1]))
        self._charged: dict[int, pa.Table] = {}
        """What commitments for several months count, of the runs that were priced under the draft."""

    def charged_again(self, runs: Sequence[Run]) -> Iterator[Again]:
        """Run by run, its charges, and those it would have under the draft; a month counts those before it."""
        with ThreadPoolExecutor(1) as engine:
            # The engine reads one period ahead of us: no more of them are in memory.
            ahead = [engine.submit(self._ledger.read_priced, run.id) for run in runs[:1]]
            for nth, run in enumerate(runs, start=1):
                priced = ahead.pop().result()
                ahead += [engine.submit(self._ledger.read_priced, after.id) for after in runs[nth : nth + 1]]
                yield self._again(run, priced)

    def _again(self, run: Run, priced: pa.Table) -> Again:
        said, period = run.manifest, parse_period(run.period)
        before, is_enough = _sums_of(_before_credit(priced)), self._charges_are_enough(said.catalog_version)
        if is_enough and self._book.agreed.is_nothing:
            return Again(before, *_from_charges(self._book, period, priced, said.cutoff), from_charges=True)
        earlier = Earlier(self, standing_before(self._connection, self._tenant, run.period))
        if is_enough:
            after = _settled_from_charges(self._book, period, priced, said.cutoff, earlier)
        else:
            usage = (self._ledger, self._draft.connection, self._tenant, self._draft.version)
            after = calculate(*usage, period, said.cutoff, now_ms=0, earlier=earlier).charges
        self._charged[run.id] = summed(after, run.id, self._in_windows)
        return Again(before, _sums_of(after), len(after), from_charges=is_enough)

    def charged_by_contract(self, runs: Sequence[int], contracts: Sequence[str]) -> pa.Table:
        """What some runs charged some contracts, or would have under the draft."""
        priced = [self._charged[run] for run in runs if run in self._charged]
        others = [run for run in runs if run not in self._charged]
        found = pa.concat_tables([self._ledger.charged_by_contract(others, contracts), *priced])
        return found.filter(pc.is_in(found["contract"], pa.array(contracts, pa.string())))

    def _charges_are_enough(self, version: int) -> bool:
        """Whether the quantities of charges under catalog `version` are those of charges under the draft."""
        if version not in self._is_enough:
            known = books.load(self._connection, self._tenant, version)
            self._is_enough[version] = cuts_alike(known, self._book) and not needs_more_than_sums(self._book.prices)
        return self._is_enough[version]


def _before_credit(charges: pa.Table) -> pa.Table:
    """What was charged before credit paid: at other prices it would have lasted longer or shorter."""
    return charges.filter(pc.invert(pc.is_in(charges["kind"], pa.array([CREDIT, PROMOTION, CARRIED]))))


def _settled_from_charges(book: Book, period: Period, priced: pa.Table, cutoff: int, earlier: Earlier) -> pa.Table:
    """The charges that the lines of charges make under `book`."""
    held = spans(book, period)
    lines = in_order(book, with_idle(book, held, _lines(book, priced)))
    charged = Charged(lines, *charge(book, held, lines, Beyond([], None), cutoff))
    return settle(book, held, charged, so_far(earlier, book, period), cutoff).charges


def _from_charges(book: Book, period: Period, priced: pa.Table, cutoff: int) -> tuple[Sums, int]:
    """What the lines of charges come to under `book`, where nothing is agreed, and how many charges that are."""
    held = spans(book, period)
    lines = with_idle(book, held, _lines(book, priced))
    terms = Terms(book, held, cutoff)
    amounts = [minor_amounts(terms, one) for one in ranges(lines, by_line(book, held, lines, Beyond([], None)))]
    currencies = pa.array(book.currencies, pa.string())
    customer, currency = (
        book.contracts.customer[lines.contract],
        book.plan_currency[book.contracts.plan[lines.contract]],
    )
    pair, sums = _by_key(customer * len(currencies) + currency, np.concatenate(amounts))
    return Sums(*_named(pair, book.customers, currencies), sums), len(lines.contract)


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
                "zone": pa.array(book.zones).take(pa.array(contracts.calendar)),
                "anchor": np.array([calendar.anchor for calendar in book.calendars])[contracts.calendar],
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


def _lines(book: Book, priced: pa.Table) -> Lines:
    """The lines of the charges for usage, at the book's prices; without digests, which no price looks at."""
    used = priced.filter(pc.greater(priced["events"], 0)).combine_chunks()
    columns = {name: used[name].combine_chunks() for name in used.column_names}
    contract = positions(columns["contract"], book.contracts.id)
    start: Int64s = columns["window_start"].to_numpy()
    row, found = prices_in_force(book, contract, positions(columns["meter"], book.meters), start)
    count = len(used)
    assert np.array_equal(row, np.arange(count)), "a charge has one price in a book that cuts alike"
    return Lines(
        contract,
        found,
        start,
        columns["window_end"].to_numpy(),
        columns["events"].to_numpy().astype(np.int64),
        decimal_integers(columns["quantity"].buffers()[1].slice(columns["quantity"].offset * 16, count * 16)),
        np.zeros((count, 2), dtype=np.uint64),
    )


def _sums_of(charges: pa.Table) -> Sums:
    """What each customer is charged in each currency."""
    pair, names = _pairs(charges["customer"], charges["currency"])
    pair, sums = _by_key(pair, charges["amount"].to_numpy())
    return Sums(*_named(pair, *names), sums)


def _pairs(customer: pa.ChunkedArray, currency: pa.ChunkedArray) -> tuple[Int64s, tuple[pa.Array, pa.Array]]:
    """A number for each row's customer and currency, and the names behind the numbers."""
    who, what = (column.combine_chunks().dictionary_encode() for column in (customer, currency))
    number = who.indices.to_numpy().astype(np.int64) * len(what.dictionary) + what.indices.to_numpy()
    return number, (who.dictionary, what.dictionary)


def _named(pair: Int64s, customers: pa.Array, currencies: pa.Array) -> tuple[pa.Array, pa.Array]:
    who, what = np.divmod(pair, max(len(currencies), 1))
    return customers.take(pa.array(who)), currencies.take(pa.array(what))


def _by_key(key: Int64s, *columns: Exact) -> tuple[Any, ...]:
    """The different keys, and what each column adds up to for them."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    return ordered[starts], *(group_sums(column[order], starts) for column in columns)


def differences(periods: Sequence[Again]) -> list[Difference]:
    """Of every customer and currency over all periods, the greatest change first."""
    if not periods:
        return []
    sides = [one.before for one in periods] + [one.after for one in periods]
    pair, names = _pairs(*(pa.chunked_array([one[place] for one in sides], pa.string()) for place in range(2)))
    amount = np.concatenate([one.amount for one in sides])
    is_before = np.arange(len(amount)) < sum(len(one.before.amount) for one in periods)
    pair, before, after = _by_key(pair, np.where(is_before, amount, 0), np.where(is_before, 0, amount))
    texts = (column.to_pylist() for column in _named(pair, *names))
    found = [Difference(*row) for row in zip(*texts, before.tolist(), after.tolist(), strict=True)]
    return sorted(found, key=lambda one: (-abs(one.change), one.customer, one.currency))
