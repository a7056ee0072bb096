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
from rating.cuts import are_untouched, changed, cut_alike, repriced
from rating.differences import Sums, by_neighbours, encoded, summed
from rating.exact import Exact, Int64s, from_decimals
from rating.leaders import leaders
from rating.lines import Lines, in_order, with_idle
from rating.made import Charged
from rating.match import prices_in_force
from rating.periods import Period, parse_period
from rating.price_sets import needs_more_than_sums
from rating.ranges import Terms, minor_amounts, ranges
from rating.rate import charge
from rating.runs import ENGINE_VERSION, Run, standing_before
from rating.settle import settle
from rating.spans import spans


class Record(UsageReader, Protocol):
    """What is known of closed periods."""

    def read_priced(self, run: int, meters: Sequence[str], currencies: Sequence[str]) -> pa.Table:
        """Of a run's lines for usage and fees of some meters, in any order: what was priced, and what it came to."""

    def charged_to_contracts(self, run: int, but: Sequence[str], currencies: Sequence[str]) -> pa.Table:
        """What all its other lines that are contracts' came to, in any order."""

    def charged_by_customer(self, run: int, kinds: Sequence[str]) -> pa.Table:
        """What a run's lines of some kinds charged customers, in any order."""


class Alike(NamedTuple):
    """What the catalog of a close has in common with the draft that cuts usage as it does."""

    repriced: list[str]
    """The meters that are priced again, all of them if need be; the empty one is that of fees."""
    is_rest_alike: bool
    """Whether all others cost under the draft what they did."""


class Kept(NamedTuple):
    """What a close kept of its charges, before credit paid: at other prices it would have lasted longer or shorter."""

    priced: pa.Table
    """What is priced again."""
    rest: pa.Table
    """What contracts were charged beside that."""
    taxes: pa.Table


class Amounts(NamedTuple):
    """What customers are charged, row by row, in minor units."""

    customer: Int64s
    currency: Int64s
    amount: Exact


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
        self._book = book = books.load(draft.connection, tenant, draft.version)
        self._currencies = pa.array(_currencies(draft.connection, tenant), pa.string())
        goes_alone = not book.prices.is_summed.any() and bool((leaders(book) == np.arange(len(book.prices.set))).all())
        self._is_by_meter = goes_alone and book.agreed.is_nothing
        """Whether no charge depends on another meter's."""
        self._alike: dict[int, Alike | None] = {}
        committed = book.agreed.commitments
        self._in_windows = book.contracts.id.take(pa.array(committed.contract[committed.months > 1]))
        self._charged: dict[int, pa.Table] = {}
        """What commitments for several months count, of the runs that were priced under the draft."""

    def charged_again(self, runs: Sequence[Run]) -> Iterator[Again]:
        """Run by run, its charges, and those it would have under the draft; a month counts those before it."""
        with ThreadPoolExecutor(1) as engine:

            def asked(run: Run) -> Future[Kept | Sums]:
                return engine.submit(self._kept, run.id, self._alike_with(run))

            # The engine reads one period ahead of us: no more of them are in memory.
            ahead = [asked(run) for run in runs[:1]]
            for nth, run in enumerate(runs, start=1):
                kept = ahead.pop().result()
                ahead += [asked(after) for after in runs[nth : nth + 1]]
                yield self._again(run, kept)

    def _kept(self, run: int, alike: Alike | None) -> Kept | Sums:
        """What `run` kept, as far as it is priced again; or what it comes to, where usage is."""
        if alike is None:
            every = self._ledger.charged_by_customer(run, (*OF_CONTRACTS, TAX))
            return _sums_of(every, from_decimals(every["amount"]))
        currencies = self._currencies.to_pylist()
        priced = self._ledger.read_priced(run, alike.repriced, currencies)
        rest = self._ledger.charged_to_contracts(run, alike.repriced, currencies)
        return Kept(priced, rest, self._ledger.charged_by_customer(run, (TAX,)))

    def _again(self, run: Run, kept: Kept | Sums) -> Again:
        period, cutoff, alike = parse_period(run.period), run.manifest.cutoff, self._alike_with(run)
        if isinstance(kept, Sums):
            usage = (self._ledger, self._draft.connection, self._tenant, self._draft.version)
            before, after = kept, calculate(*usage, period, cutoff, now_ms=0, earlier=self._earlier(run)).charges
        else:
            assert alike is not None
            # Together: what takes time is to lay out the contracts that these are looked for among.
            named = pa.chunked_array(kept.priced["contract"].chunks + kept.rest["contract"].chunks, pa.string())
            own, others = np.split(positions(named, self._book.contracts.id), [len(kept.priced)])
            rest = self._amounts(others, kept.rest)
            before = self._sums(self._amounts(own, kept.priced), rest, self._taxes(kept.taxes))
            lines = _lines(self._book, own, kept.priced, alike.repriced)
            if self._book.agreed.is_nothing:
                lines, amounts = self._priced(period, lines, cutoff, alike)
                same = [rest] if alike.is_rest_alike else []
                charges = len(lines.contract) + (len(kept.rest) if same else 0)
                return Again(before, self._sums(amounts, *same), charges, from_charges=True)
            after = _settled(self._book, period, lines, cutoff, self._earlier(run))
        self._charged[run.id] = windows.summed(after, run.id, self._in_windows)
        return Again(before, _sums_of(after, after["amount"].to_numpy()), len(after), from_charges=alike is not None)

    def _amounts(self, contract: Int64s, charged: pa.Table) -> Amounts:
        """What was charged to contracts, by customers; they are the same in a book that cuts alike."""
        return self._by_customer(contract, charged["currency"].to_numpy(), charged["amount"].to_numpy())

    def _by_customer(self, contract: Int64s, currency: Int64s, amount: Exact) -> Amounts:
        """Amounts of contracts, of which neighbours are added up."""
        assert not len(contract) or min(contract.min(), currency.min()) >= 0, "a contract that nobody knows is charged"
        key, amount = by_neighbours(contract * len(self._currencies) + currency, amount)
        contract, currency = np.divmod(key, max(len(self._currencies), 1))
        return Amounts(self._book.contracts.customer[contract], currency, amount)

    def _taxes(self, taxes: pa.Table) -> Amounts:
        customer = positions(taxes["customer"], self._book.customers)
        return Amounts(customer, positions(taxes["currency"], self._currencies), from_decimals(taxes["amount"]))

    def _sums(self, *parts: Amounts) -> Sums:
        customer, currency, amount = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return summed(encoded(customer, self._book.customers), encoded(currency, self._currencies), amount)

    def _priced(self, period: Period, lines: Lines, cutoff: int, alike: Alike) -> tuple[Lines, Amounts]:
        """The lines of usage, with those that go without, and what they come to where nothing is agreed."""
        book, held = self._book, spans(self._book, period)
        lines = with_idle(book, held, lines)
        if alike.is_rest_alike:
            is_repriced = pc.is_in(book.meters, pa.array(alike.repriced, pa.string())).to_numpy(zero_copy_only=False)
            lines = Lines._make(column[is_repriced[book.prices.meter[lines.price]]] for column in lines)
        terms = Terms(book, held, cutoff)
        each = [minor_amounts(terms, one) for one in ranges(lines, by_line(book, held, lines, Beyond([], None)))]
        currency = positions(pa.array(book.currencies, pa.string()), self._currencies)[book.plan_currency]
        plan = book.contracts.plan[lines.contract]
        return lines, self._by_customer(lines.contract, currency[plan], np.concatenate(each))

    def _earlier(self, run: Run) -> Earlier:
        return Earlier(self, standing_before(self._connection, self._tenant, run.period))

    def charged_by_contract(self, runs: Sequence[int], contracts: Sequence[str]) -> pa.Table:
        """What some runs charged some contracts, or would have under the draft."""
        priced = [self._charged[run] for run in runs if run in self._charged]
        others = [run for run in runs if run not in self._charged]
        found = pa.concat_tables([self._ledger.charged_by_contract(others, contracts), *priced])
        return found.filter(pc.is_in(found["contract"], pa.array(contracts, pa.string())))

    def _alike_with(self, run: Run) -> Alike | None:
        """What a close's catalog has in common with the draft; None where quantities of its charges are not enough."""
        version = run.manifest.catalog_version
        if version not in self._alike:
            self._alike[version] = self._compared(version)
        alike = self._alike[version]
        if alike is None or run.manifest.engine_version == ENGINE_VERSION:
            return alike
        return self._all_again()

    def _compared(self, version: int) -> Alike | None:
        draft, said = self._draft, changed(self._draft.connection, self._tenant, version, self._draft.version)
        if needs_more_than_sums(self._book.prices):
            return None
        if not are_untouched(draft.connection, said):
            known = books.load(self._connection, self._tenant, version)
            if not cut_alike(known, self._book):
                return None
        meters = repriced(draft.connection, said) if self._is_by_meter else None
        return self._all_again() if meters is None else Alike(sorted(meters), is_rest_alike=True)

    def _all_again(self) -> Alike:
        return Alike(self._book.meters.to_pylist(), is_rest_alike=False)


def _currencies(connection: sa.Connection, tenant: str) -> list[str]:
    """All that plans ever had."""
    query = sa.select(plans.c.currency).where(plans.c.tenant == tenant).distinct()
    return sorted(connection.execute(query).scalars())


def _sums_of(charges: pa.Table, amount: Exact) -> Sums:
    """What charges come to, or what stands for them."""
    customer, currency = (charges[name].combine_chunks().dictionary_encode() for name in ("customer", "currency"))
    return summed(customer, currency, amount)


def _lines(book: Book, contract: Int64s, priced: pa.Table, meters: Sequence[str]) -> Lines:
    """The lines of the charges for usage, at the book's prices; without digests, which no price looks at."""
    is_used = priced["events"].to_numpy() > 0
    used = slice(None) if is_used.all() else is_used
    columns = {name: priced[name].to_numpy()[used] for name in ("meter", "window_start", "window_end", "events")}
    contract = contract[used]
    meter = positions(pa.array(meters, pa.string()), book.meters)[columns["meter"]]
    row, found = prices_in_force(book, contract, meter, columns["window_start"])
    assert np.array_equal(row, np.arange(len(contract))), "a charge has one price in a book that cuts alike"
    return Lines(
        contract,
        found,
        columns["window_start"],
        columns["window_end"],
        columns["events"].astype(np.int64),
        from_decimals(priced["quantity"])[used],
        np.zeros((len(contract), 2), dtype=np.uint64),
    )


def _settled(book: Book, period: Period, lines: Lines, cutoff: int, earlier: Earlier) -> pa.Table:
    """The charges that lines of usage make, with what is made of them."""
    held = spans(book, period)
    lines = in_order(book, with_idle(book, held, lines))
    charged = Charged(lines, *charge(book, held, lines, Beyond([], None), cutoff))
    return settle(book, held, charged, so_far(earlier, book, period), cutoff).charges
