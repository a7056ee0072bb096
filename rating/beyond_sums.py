"""Read what sums do not tell, and price it: usage by dimensions, single events, and the highest values of meters.

It is read for the meters of such prices alone. What a line is priced on this way has to add up to the line, or, where
that is a highest value, to be of the line.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from ledger.errors import Damaged
from ledger.scale import QUANTITY_SCALE
from ledger.usage import Keyed, Peaks, Singles
from rating import together
from rating.book import Book
from rating.exact import Int64s, narrowed
from rating.groups import offsets
from rating.lines import Lines, line_key
from rating.match import RATED, match
from rating.price_sets import Prices
from rating.pricing import cells, events, peaks
from rating.pricing.parts import ByEvent, Matrix
from rating.pricing.running import fees_of, line_sums
from rating.pricing.usage import Fees, Ragged, chosen
from rating.ratios import Bools, Ratios, is_equal, of_scale, plus, taken, zeros
from rating.spans import Spans


class Reader(Protocol):
    """Usage up to a cutoff in more detail than its sums."""

    def keyed(self, tenant: str, meter: str, names: Sequence[str], boundaries: Sequence[int], cutoff: int) -> Keyed:
        """Sums of a meter per subject, stretch and values of dimensions."""

    def singles(self, tenant: str, meters: Sequence[str], boundaries: Sequence[int], cutoff: int) -> Singles:
        """Every single usage of some meters, in the order of time."""

    def peaks(self, tenant: str, meters: Sequence[str], boundaries: Sequence[int], cutoff: int) -> Peaks:
        """The highest single usage of some meters per subject and stretch."""


class Cut(NamedTuple):
    """By which of its dimensions a meter is cut."""

    meter: str
    dimensions: tuple[str, ...]


class Beyond(NamedTuple):
    """What was read."""

    keyed: list[tuple[Cut, Keyed]]
    singles: Singles | None
    highest: Peaks | None = None


class Details(NamedTuple):
    """What was read, line by line; a line whose price does not look at it has none of it."""

    keyed: list[cells.Keyed]
    events: Ragged | None
    highest: peaks.Peaks | None = None
    summed: Ratios | None = None


def read(reader: Reader, book: Book, boundaries: Sequence[int], cutoff: int) -> Beyond:
    """What the book's prices look at beyond sums."""
    prices = book.prices
    meters = book.meters.to_pylist()
    matrices = np.flatnonzero(prices.charged_by(Matrix))
    cuts = sorted({Cut(meters[prices.meter[one]], prices.dimensions[prices.terms[one]]) for one in matrices})
    highest = together.meters_with_limits(book)
    by_event = sorted({meters[meter] for meter in prices.meter[prices.charged_by(ByEvent)]})
    return Beyond(
        [(cut, reader.keyed(book.tenant, *cut, boundaries, cutoff)) for cut in cuts],
        reader.singles(book.tenant, by_event, boundaries, cutoff) if by_event else None,
        reader.peaks(book.tenant, highest, boundaries, cutoff) if highest else None,
    )


def by_line(book: Book, spans: Spans, lines: Lines, beyond: Beyond) -> Details:
    """What was read for each line whose price looks at it, line by line; it adds up to the line."""
    keyed = [_keyed(book, spans, lines, cut, usage) for cut, usage in beyond.keyed]
    return Details(
        keyed,
        None if beyond.singles is None else _events(book, spans, lines, beyond.singles),
        None if beyond.highest is None else together.highest_of_lines(book, spans, lines, beyond.highest),
        together.summed(book, lines),
    )


def of_some(details: Details, lines: slice) -> Details:
    """What belongs to some of the lines."""
    keyed = []
    for one in details.keyed:
        rows, parts = chosen(one.parts, lines)
        keyed.append(cells.Keyed(parts, one.key[rows], one.keys))
    highest = details.highest
    if highest is not None:
        rows, parts = chosen(highest.parts, lines)
        highest = highest._replace(parts=parts, meter=highest.meter[rows])
    own_events = None if details.events is None else chosen(details.events, lines)[1]
    return Details(keyed, own_events, highest, details.summed and taken(details.summed, lines))


def parts_of(details: Details) -> list[Ragged]:
    """Everything that lines are priced on beside sums."""
    one_a_line = [details.events, details.highest and details.highest.parts]
    return [*(one.parts for one in details.keyed), *(parts for parts in one_a_line if parts is not None)]


def fees(prices: Prices, lines: Lines, details: Details) -> Fees | None:
    """What each line's events or keys cost, where its price is for them."""
    terms = prices.terms[lines.price]
    found = [fees_of(one.parts, cells.cell_fees(prices.listed, terms, one).fee) for one in details.keyed]
    if details.events is not None:
        found.append(fees_of(details.events, events.event_fees(prices.listed, terms, details.events)))
    if details.highest is not None:
        tier_prices = peaks.tier_prices(prices.listed, terms, details.highest)
        found.append(Fees(tier_prices, np.diff(details.highest.parts.start)))
    if not found:
        return None
    amount, parts = zeros(len(terms)), np.zeros(len(terms), dtype=np.int64)
    for one in found:
        amount, parts = plus(amount, one.amount), parts + one.parts
    return Fees(amount, parts)


def _keyed(book: Book, spans: Spans, lines: Lines, cut: Cut, usage: Keyed) -> cells.Keyed:
    prices, meter = book.prices, book.meters.index(cut.meter).as_py()
    cut_so = np.array([one == cut.dimensions for one in prices.dimensions], dtype=np.bool_)[prices.terms]
    looks = prices.charged_by(Matrix) & cut_so & (prices.meter == meter)
    row, parts = _parts(book, spans, lines, usage, looks)
    return cells.Keyed(parts, usage.key[row], usage.keys)


def _events(book: Book, spans: Spans, lines: Lines, usage: Singles) -> Ragged:
    _, parts = _parts(book, spans, lines, usage, book.prices.charged_by(ByEvent))
    return parts


def _parts(book: Book, spans: Spans, lines: Lines, usage: Keyed | Singles, looks: Bools) -> tuple[Int64s, Ragged]:
    """The rows of `usage` that lines of prices that look at it are priced on, line by line and else in their order."""
    matched = match(book, spans, usage)
    row = np.flatnonzero((matched.outcome == RATED) & looks[matched.price])
    known = line_key(book, lines.contract, lines.price)
    by_key = np.argsort(known)
    line = by_key[np.searchsorted(known, line_key(book, matched.contract[row], matched.price[row]), sorter=by_key)]
    order = np.argsort(line, kind="stable")
    row, line = row[order], line[order]
    quantity = of_scale(narrowed(usage.quantity[row]), QUANTITY_SCALE)
    parts = Ragged(offsets(np.bincount(line, minlength=len(known))), quantity)
    own = np.flatnonzero(looks[lines.price])
    same = is_equal(taken(line_sums(parts), own), of_scale(lines.quantity[own], QUANTITY_SCALE))
    if not same.all():
        contract = book.contracts.id[int(lines.contract[own[np.flatnonzero(~same)[0]]])]
        raise Damaged(f"contract {contract}", "its usage read in detail does not add up to its sum")
    return row, parts
