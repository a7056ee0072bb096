"""Price past periods under a draft of the catalog: what each customer would have been charged.

A close keeps what that takes: the quantity of every charge. They are priced again as they are, as long as the draft
cuts time and usage the way the close did (the same subjects, contracts and days of price changes, whatever the
prices); where it does not, usage is summed again at the close's cutoff. Credit is left out: it pays what is charged.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from ledger.charges import CARRIED, CREDIT, PROMOTION
from ledger.scale import decimal_integers
from rating import book as books
from rating.beyond_sums import Beyond, by_line
from rating.book import Book, positions
from rating.calculation import UsageReader, calculate
from rating.catalog_trial import Draft
from rating.commitment_windows import Earlier, so_far, summed
from rating.cuts import are_untouched, cut_alike
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
            self._is_enough[version] = not needs_more_than_sums(self._book.prices) and self._cuts_alike(version)
        return self._is_enough[version]

    def _cuts_alike(self, version: int) -> bool:
        """Whether catalog `version` divides usage as the draft does."""
        if are_untouched(self._draft.connection, self._tenant, version, self._draft.version):
            return True
        return cut_alike(books.load(self._connection, self._tenant, version), self._book)


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
