"""Calculate a period: its charges and the manifest that says what they are a function of.

The same cutoff, book and engine version give the same bytes, today and in the next audit.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from ledger.charges import digest as charges_digest
from ledger.memory import release_memory
from ledger.scale import add_digests
from ledger.usage import Totals
from rating import beyond_sums, commitment_windows
from rating import book as books
from rating.book import Book
from rating.boundaries import boundaries
from rating.commitment_windows import Earlier, SoFar
from rating.conservation import balances, unbilled
from rating.credit_life import Opening
from rating.credit_stage import draw
from rating.day_by_day import ByDay, come_to
from rating.exact import Int64s, scaled_text, total
from rating.invoicing.taxes import TaxService
from rating.made import Charged
from rating.periods import Period, instants
from rating.pricing.written import number_text
from rating.ranges import Terms
from rating.rate import Rated, rate
from rating.ratios import exact_total, taken
from rating.runs import ENGINE_VERSION, Manifest
from rating.settle import Settled, settle
from rating.spans import spans
from rating.tax_answers import Recorded


class UsageReader(beyond_sums.Reader, commitment_windows.Reader, Protocol):
    """Usage up to a cutoff: summed for rating, and counted independently of it."""

    def totals(self, tenant: str, boundaries: Sequence[int], cutoff: int) -> Totals:
        """Sums per meter, subject and stretch between two boundaries."""

    def counts(self, tenant: str, start: int, end: int, cutoff: int) -> dict[str, tuple[int, int]]:
        """Per meter: events and scaled quantity in [start, end)."""

    def chain_at(self, block: int) -> str:
        """The chain hash at a cutoff, in hex."""


class Calculated(NamedTuple):
    """What a period comes to."""

    manifest: Manifest
    charges: pa.Table
    movements: pa.Table
    """Of credit."""


def calculate(
    ledger: UsageReader,
    connection: sa.Connection,
    tenant: str,
    version: int,
    period: Period,
    cutoff: int,
    now_ms: int,
    credit: Opening | None = None,
    tax_service: TaxService | None = None,
    processes: int = 1,
    earlier: Earlier | None = None,
) -> Calculated:
    """The charges of a period under catalog `version`, paid by what is left of `credit`, and all that goes with them.

    Whoever knows the taxes goes by the catalog's codes; by default the catalog's table does. Commitments for several
    months look at the `earlier` ones.
    """
    cuts = boundaries(connection, tenant, version, period)
    chain = ledger.chain_at(cutoff)
    with ThreadPoolExecutor(1) as engine:
        # The engine sums while we load the book, and counts while we rate: neither waits for the other.
        summing = engine.submit(ledger.totals, tenant, cuts, cutoff)
        counting = engine.submit(ledger.counts, tenant, cuts[0], cuts[-1], cutoff)
        book = books.load(connection, tenant, version)
        totals = summing.result()
        beyond = beyond_sums.read(ledger, book, cuts, cutoff)
        held = spans(book, period)
        rated = rate(book, held, totals, beyond, cutoff, processes)
        accepted = counting.result()
    conservation, unrated = balances(accepted, rated), unbilled(rated)
    asked = None if tax_service is None else Recorded(tax_service)
    committed = commitment_windows.so_far(earlier or Earlier(ledger, {}), book, period)
    settled = settle(book, held, Charged(rated.lines, rated.charges, rated.exact), committed, cutoff, asked)
    rounding = _rounding(book, settled)
    input_digest = _input_digest(book, period, cuts, totals, cutoff, chain, credit, committed)
    charges, by_day = settled.charges, _by_day(ledger, Terms(book, held, cutoff), period, cuts, rated, credit)
    # What they were made of takes as much memory as the charges, and room for them twice is what credit needs.
    del summing, totals, beyond, rated, settled
    release_memory()
    drawn = draw(credit, charges, period, book.credit, by_day)
    del charges, by_day
    manifest = Manifest(
        tenant=book.tenant,
        period=str(period),
        complete=now_ms >= cuts[-1],
        cutoff=cutoff,
        chain=chain,
        catalog_version=book.version,
        engine_version=ENGINE_VERSION,
        input_digest=input_digest,
        output_digest=charges_digest(drawn.charges).hex(),
        charges=len(drawn.charges),
        events=int(drawn.charges["events"].to_numpy().sum()),
        totals=_due(book, drawn.charges),
        rounding=rounding,
        conservation=conservation,
        unrated=unrated,
        credits=drawn.said,
        counted=committed.counted,
        tax_answers=None if asked is None else asked.answers,
    )
    return Calculated(manifest, drawn.charges, drawn.movements)


def _by_day(
    ledger: UsageReader, terms: Terms, period: Period, cuts: Sequence[int], rated: Rated, credit: Opening | None
) -> ByDay | None:
    """How the lines came up that credit pays day by day; a month that is closed late it pays at once."""
    if credit is None or instants(period, "UTC")[1] <= credit.since:
        return None
    daily = pc.is_in(terms.book.customers, terms.book.credit.daily()).to_numpy(zero_copy_only=False)
    daily &= pc.is_in(terms.book.customers, credit.granted.customer).to_numpy(zero_copy_only=False)
    if not daily.any():
        return None
    return come_to(ledger, terms, period, cuts, rated.lines, rated.charges, daily)


def _input_digest(
    book: Book,
    period: Period,
    cuts: Sequence[int],
    totals: Totals,
    cutoff: int,
    chain: str,
    credit: Opening | None,
    committed: SoFar,
) -> str:
    """What the charges are a function of, whatever order it came in."""
    usage = []
    for name, rows in _rows_of(totals.meter):
        digest = str(add_digests(totals.digest[rows]))
        usage.append((name, total(totals.events[rows]), str(total(totals.quantity[rows])), digest))
    before = [committed.digest] if committed.counted else []
    said = (book.tenant, str(period), cutoff, chain, book.digest.hex(), cuts, usage, credit and credit.digest, *before)
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=32).hexdigest()


def _rows_of(meter: pa.Array) -> list[tuple[str, slice | Int64s]]:
    """The rows of each meter there is, in the order of names; mostly they lie together."""
    encoded = meter if pa.types.is_dictionary(meter.type) else meter.dictionary_encode()
    codes = encoded.indices.to_numpy()
    found: list[tuple[str, slice | Int64s]] = []
    for name, code in sorted((name, code) for code, name in enumerate(encoded.dictionary.to_pylist())):
        rows = np.flatnonzero(codes == code)
        if len(rows):
            together = slice(int(rows[0]), int(rows[-1]) + 1)
            found.append((name, together if together.stop - together.start == len(rows) else rows))
    return found


def _rounding(book: Book, settled: Settled) -> dict[str, str]:
    """Per currency: what rounding added."""
    found = {}
    for currency, (rows, amount) in _sums(settled.charges).items():
        billed = Fraction(amount, 10 ** _digits(book)[currency])
        found[currency] = number_text(billed - exact_total(taken(settled.exact, rows)))
    return found


def _due(book: Book, charges: pa.Table) -> dict[str, str]:
    """Per currency: what the charges come to."""
    digits = _digits(book)
    return {name: scaled_text(amount, digits[name], digits[name]) for name, (_, amount) in _sums(charges).items()}


def _digits(book: Book) -> dict[str, int]:
    return dict(zip(book.currencies, book.digits.tolist(), strict=True))


def _sums(charges: pa.Table) -> dict[str, tuple[Int64s, int]]:
    """Per currency: its rows, and what they come to."""
    charged = charges["currency"].combine_chunks().dictionary_encode()
    codes, amount = charged.indices.to_numpy(), charges["amount"].to_numpy()
    named = sorted((name, code) for code, name in enumerate(charged.dictionary.to_pylist()))
    rows_of = {name: np.flatnonzero(codes == code) for name, code in named}
    return {name: (rows, total(amount[rows])) for name, rows in rows_of.items() if len(rows)}
