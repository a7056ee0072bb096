"""Price past periods under a draft of the catalog: what each customer would have been charged.

A close keeps what that takes: the quantity of every charge. They are priced again as they are, as long as the draft
cuts time and usage the way the close did (the same subjects, contracts and days of price changes, whatever the
prices); where it does not, usage is summed again at the close's cutoff. Credit is left out: it pays what is charged.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from ledger.charges import OF_CONTRACTS, TAX
from rating import book as books
from rating import commitment_windows as windows
from rating.beyond_sums import Beyond, by_line
from rating.book import Book, positions
from rating.calculation import UsageReader, calculate
from rating.catalog_tables import plans
from rating.catalog_trial import Draft
from rating.commitment_windows import Earlier, so_far
from rating.cuts import are_untouched, cut_alike
from rating.differences import Sums, encoded, summed
from rating.exact import Exact, Int64s, from_decimals
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

    def read_priced(self, run: int, meters: Sequence[str], currencies: Sequence[str]) -> pa.Table:
        """Of a run's lines that are contracts', in any order: what was priced, and what it came to."""

    def charged_by_customer(self, run: int, kinds: Sequence[str]) -> pa.Table:
        """What a run's lines of some kinds charged customers, in any order."""


class Kept(NamedTuple):
    """What a close kept of its charges, before credit paid: at other prices it would have lasted longer or shorter."""

    priced: pa.Table | None
    """The lines of contracts, where their quantities are enough."""
    by_customer: pa.Table
    """The sums of all others."""


class Again(NamedTuple):
    """A closed period under the draft."""

    before: Sums
    after: Sums
    charges: int
    """How many it has after."""
    from_charges: bool
    """Whether the quantities of its charges were enough."""


class Repricing:
    """Prices one closed period after the other under a draft; what they have in common is loaded once."""

    def __init__(self, ledger: Record, connection: sa.Connection, tenant: str, draft: Draft) -> None:
        self._ledger, self._connection, self._tenant, self._draft = ledger, connection, tenant, draft
        self._book = books.load(draft.connection, tenant, draft.version)
        self._currencies = _currencies(draft.connection, tenant)
        self._is_enough: dict[int, bool] = {}
        committed = self._book.agreed.commitments
        self._in_windows = self._book.contracts.id.take(pa.array(committed.contract[committed.months > 1]))
        self._charged: dict[int, pa.Table] = {}
        """What commitments for several months count, of the runs that were priced under the draft."""

    def charged_again(self, runs: Sequence[Run]) -> Iterator[Again]:
        """Run by run, its charges, and those it would have under the draft; a month counts those before it."""
        with ThreadPoolExecutor(1) as engine:

            def asked(run: Run) -> Future[Kept]:
                return engine.submit(self._kept, run.id, self._charges_are_enough(run.manifest.catalog_version))

            # The engine reads one period ahead of us: no more of them are in memory.
            ahead = [asked(run) for run in runs[:1]]
            for nth, run in enumerate(runs, start=1):
                kept = ahead.pop().result()
                ahead += [asked(after) for after in runs[nth : nth + 1]]
                yield self._again(run, kept)

    def _kept(self, run: int, is_enough: bool) -> Kept:
        if not is_enough:
            return Kept(None, self._ledger.charged_by_customer(run, (*OF_CONTRACTS, TAX)))
        priced = self._ledger.read_priced(run, self._book.meters.to_pylist(), self._currencies)
        return Kept(priced, self._ledger.charged_by_customer(run, (TAX,)))

    def _again(self, run: Run, kept: Kept) -> Again:
        book, period, cutoff = self._book, parse_period(run.period), run.manifest.cutoff
        if kept.priced is None:
            before = _sums_of(kept.by_customer, from_decimals(kept.by_customer["amount"]))
            usage = (self._ledger, self._draft.connection, self._tenant, self._draft.version)
            after = calculate(*usage, period, cutoff, now_ms=0, earlier=self._earlier(run)).charges
        else:
            contract = positions(kept.priced["contract"], book.contracts.id)
            before = _sums_before(book, contract, kept, self._currencies)
            lines = _lines(book, contract, kept.priced)
            if book.agreed.is_nothing:
                return Again(before, *_priced(book, period, lines, cutoff), from_charges=True)
            after = _settled(book, period, lines, cutoff, self._earlier(run))
        self._charged[run.id] = windows.summed(after, run.id, self._in_windows)
        sums = _sums_of(after, after["amount"].to_numpy())
        return Again(before, sums, len(after), from_charges=kept.priced is not None)

    def _earlier(self, run: Run) -> Earlier:
        return Earlier(self, standing_before(self._connection, self._tenant, run.period))

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


def _currencies(connection: sa.Connection, tenant: str) -> list[str]:
    """All that plans ever had."""
    query = sa.select(plans.c.currency).where(plans.c.tenant == tenant).distinct()
    return sorted(connection.execute(query).scalars())


def _sums_of(charges: pa.Table, amount: Exact) -> Sums:
    """What charges come to, or what stands for them."""
    customer, currency = (charges[name].combine_chunks().dictionary_encode() for name in ("customer", "currency"))
    return summed(customer, currency, amount)


def _sums_before(book: Book, contract: Int64s, kept: Kept, currencies: Sequence[str]) -> Sums:
    """What was charged, where `book` has the same customers and contracts as the one it was charged under."""
    assert kept.priced is not None
    names = pa.array(currencies, pa.string())
    customer = np.append(book.contracts.customer[contract], positions(kept.by_customer["customer"], book.customers))
    currency = np.append(kept.priced["currency"].to_numpy(), positions(kept.by_customer["currency"], names))
    amount = np.append(kept.priced["amount"].to_numpy(), from_decimals(kept.by_customer["amount"]))
    return summed(encoded(customer, book.customers), encoded(currency, names), amount)


def _lines(book: Book, contract: Int64s, priced: pa.Table) -> Lines:
    """The lines of the charges for usage, at the book's prices; without digests, which no price looks at."""
    used = np.flatnonzero(priced["events"].to_numpy())
    columns = {name: priced[name].to_numpy()[used] for name in ("meter", "window_start", "window_end", "events")}
    contract = contract[used]
    row, found = prices_in_force(book, contract, columns["meter"].astype(np.int64), columns["window_start"])
    assert np.array_equal(row, np.arange(len(used))), "a charge has one price in a book that cuts alike"
    return Lines(
        contract,
        found,
        columns["window_start"],
        columns["window_end"],
        columns["events"].astype(np.int64),
        from_decimals(priced["quantity"])[used],
        np.zeros((len(used), 2), dtype=np.uint64),
    )


def _priced(book: Book, period: Period, lines: Lines, cutoff: int) -> tuple[Sums, int]:
    """What lines of usage, and those without, come to where nothing is agreed; and how many they are together."""
    held = spans(book, period)
    lines = with_idle(book, held, lines)
    terms = Terms(book, held, cutoff)
    amounts = [minor_amounts(terms, one) for one in ranges(lines, by_line(book, held, lines, Beyond([], None)))]
    customer = encoded(book.contracts.customer[lines.contract], book.customers)
    currency = encoded(book.plan_currency[book.contracts.plan[lines.contract]], pa.array(book.currencies, pa.string()))
    return summed(customer, currency, np.concatenate(amounts)), len(lines.contract)


def _settled(book: Book, period: Period, lines: Lines, cutoff: int, earlier: Earlier) -> pa.Table:
    """The charges that lines of usage make, with what is made of them."""
    held = spans(book, period)
    lines = in_order(book, with_idle(book, held, lines))
    charged = Charged(lines, *charge(book, held, lines, Beyond([], None), cutoff))
    return settle(book, held, charged, so_far(earlier, book, period), cutoff).charges
