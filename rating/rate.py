"""Rate a whole period at once: from usage summed per meter and subject to charges, in columns.

A charge is one price of one contract in one window, and a function of sums and of what its price looks at beside them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.usage import Totals
from rating.beyond_sums import Beyond, by_line
from rating.book import Book
from rating.exact import Int64s, total
from rating.gathered import joined
from rating.lines import Lines, lines_of
from rating.match import OTHER_PERIOD, REASONS, Match, match, plain
from rating.processes import charged_by
from rating.ranges import Terms, ranges
from rating.ratios import Ratios
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
    exact: Ratios
    """What each costs before it was rounded."""
    unrated: list[Unrated]
    other_period: dict[str, Measured]
    """Per meter: usage between the first and the last boundary that is of another period in its contract's calendar."""
    lines: Lines
    """What the charges were priced from, row by row."""


def rate(book: Book, spans: Spans, totals: Totals, beyond: Beyond, cutoff: int, processes: int = 1) -> Rated:
    """The charges of the period of `spans`, and what of `totals` is in none of them."""
    matched = match(book, spans, totals)
    lines = lines_of(book, spans, totals, matched)
    charges, exact = charge(book, spans, lines, beyond, cutoff, processes)
    return Rated(charges, exact, _unrated(totals, matched), _other_period(totals, matched), lines)


def charge(
    book: Book, spans: Spans, lines: Lines, beyond: Beyond, cutoff: int, processes: int = 1
) -> tuple[pa.Table, Ratios]:
    """The charges that `lines` make, in their order, and what each costs exactly; whatever number of processes."""
    found = charged_by(processes, Terms(book, spans, cutoff), ranges(lines, by_line(book, spans, lines, beyond)))
    return pa.concat_tables([one.charges for one in found]), joined([one.exact for one in found])


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
    meter = plain(totals.meter.take(pa.array(rows))).dictionary_encode()
    codes = meter.indices.to_numpy()
    named = sorted((name, code) for code, name in enumerate(meter.dictionary.to_pylist()))
    return [(name, rows[codes == code]) for name, code in named]
