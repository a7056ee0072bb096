"""Say how far the lines of some customers had come by each midnight of a period, for credit that pays day by day.

A line is priced on its usage until each midnight, in UTC, as it would have been charged then. What a later day takes
back, by a cheaper tier or a correction, has not come to anything before it, so no day asks for what another one gives
back. What is owed without any usage comes at the period's end.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.charges import FEE, USAGE
from ledger.usage import Totals
from rating import beyond_sums
from rating.beyond_sums import Beyond, by_line
from rating.book import Book, Subjects
from rating.exact import Exact, Int64s
from rating.lines import Lines, line_key, lines_of
from rating.match import match, plain
from rating.periods import Period, instants
from rating.proration.shares import DAY_MS
from rating.ranges import Terms, minor_amounts, ranges
from rating.ratios import Bools, products, sums


class Reader(beyond_sums.Reader, Protocol):
    """Usage up to a cutoff."""

    def totals(self, tenant: str, boundaries: Sequence[int], cutoff: int) -> Totals:
        """Sums per meter, subject and stretch between two boundaries."""


class ByDay(NamedTuple):
    """What some lines had come to."""

    line: Int64s
    midnights: list[int]
    """Those inside the period, UTC milliseconds."""
    amount: Exact
    """Midnights by lines, in minor units: from one to the next never less, and never more than `charged`."""
    charged: Int64s
    """What each line comes to in the end."""


class Parts(NamedTuple):
    """Parts of charges, row by row, and when they are paid."""

    row: Int64s
    amount: Int64s
    at: Int64s


def come_to(
    ledger: Reader, terms: Terms, period: Period, cuts: Sequence[int], lines: Lines, charges: pa.Table, whose: Bools
) -> ByDay | None:
    """How far the lines of some customers had come; `charges` are what each of all `lines` comes to in the end."""
    book = terms.book
    own = np.flatnonzero(whose[book.contracts.customer[lines.contract]])
    if not len(own):
        return None
    start, end = instants(period, "UTC")
    midnights = list(range(start + DAY_MS, end, DAY_MS))
    finer = sorted({*cuts, *midnights})
    totals = ledger.totals(book.tenant, finer, terms.cutoff)

    def come(terms: Terms, midnight: int) -> Int64s:
        beyond = beyond_sums.read(ledger, book, [cut for cut in finer if cut <= midnight], terms.cutoff)
        return _amounts(terms, lines, own, _before(totals, midnight), beyond)

    unused = come(_with_subjects_of(terms, np.zeros_like(whose)), midnights[0])
    theirs, charged = _with_subjects_of(terms, whose), charges["amount"].to_numpy()[own]
    every = np.array([*(come(theirs, midnight) for midnight in midnights), charged])
    for_good = np.minimum.accumulate(every[::-1])[::-1][:-1]
    return ByDay(own, midnights, np.clip(sums(for_good, -unused), 0, np.maximum(charged, 0)), charged)


def _with_subjects_of(terms: Terms, whose: Bools) -> Terms:
    """Terms under which all others' usage is nobody's."""
    subjects = terms.book.subjects
    rows = np.flatnonzero(whose[subjects.customer])
    known = Subjects(subjects.subject.take(pa.array(rows)), subjects.customer[rows])
    return terms._replace(book=terms.book._replace(subjects=known))


def _before(totals: Totals, midnight: int) -> Totals:
    rows = np.flatnonzero(totals.segment < midnight)
    names = (plain(column).take(pa.array(rows)) for column in (totals.meter, totals.subject))
    return Totals(*names, *(column[rows] for column in totals[2:]))


def _amounts(terms: Terms, lines: Lines, own: Int64s, totals: Totals, beyond: Beyond) -> Int64s:
    """What the lines `own` come to on some of their usage; a line that is not there yet costs nothing."""
    book, spans = terms.book, terms.spans
    found = lines_of(book, spans, totals, match(book, spans, totals))
    place, is_own = _places(book, _some(lines, own), found)
    known = _some(found, np.flatnonzero(is_own))
    amounts = [minor_amounts(terms, one) for one in ranges(known, by_line(book, spans, known, beyond))]
    come = np.zeros(len(own), dtype=np.int64)
    come[place[is_own]] = np.concatenate(amounts)
    return come


def _some(lines: Lines, rows: Int64s) -> Lines:
    return Lines._make(column[rows] for column in lines)


def _places(book: Book, lines: Lines, found: Lines) -> tuple[Int64s, Bools]:
    """Where each line that is found is among `lines`, and whether it is."""
    starts = np.unique(np.concatenate([lines.window_start, found.window_start]))
    wanted, given = (
        line_key(book, one.contract, one.price) * len(starts) + np.searchsorted(starts, one.window_start)
        for one in (lines, found)
    )
    by_key = np.argsort(wanted)
    place = by_key[np.minimum(np.searchsorted(wanted, given, sorter=by_key), len(wanted) - 1)]
    return place, wanted[place] == given


def parts(by_day: ByDay, charges: pa.Table, payable: Int64s) -> Parts:
    """What credit is asked to pay before the period's end: of each charge as much as it had come to of all it comes to.

    Lines are the charges for usage and fees, in their order; the others are made of them.
    """
    of_line = np.flatnonzero(pc.is_in(charges["kind"], pa.array([USAGE, FEE])).to_numpy())
    row = of_line[by_day.line]
    come = products(by_day.amount, payable[row]) // np.maximum(by_day.charged, 1)
    each = np.diff(come, axis=0, prepend=np.zeros((1, len(row)), dtype=np.int64)).astype(np.int64)
    nth, place = np.nonzero(each)
    at = np.array(by_day.midnights, dtype=np.int64) - 1
    return Parts(row[place], each[nth, place], at[nth])
