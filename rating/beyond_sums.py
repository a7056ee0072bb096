"""Read what sums do not tell, and price it: usage by dimensions and times, single events, highest values of meters.

It is read for the meters of such prices alone. What a line is priced on this way has to add up to the line, or, where
that is a highest value, to be of the line.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from ledger.errors import Damaged
from ledger.scale import QUANTITY_SCALE
from ledger.usage import Keyed, Peaks, Singles, Slots, Stretched
from rating import together
from rating.book import Book
from rating.clocks import bucket_starts, slot_starts
from rating.exact import Int64s, group_sums, narrowed
from rating.groups import offsets
from rating.lines import Lines, line_key
from rating.match import RATED, match
from rating.price_sets import Prices
from rating.pricing import buckets, cells, events, peaks
from rating.pricing.parts import Bucketed, ByEvent, Charge, Every, Matrix, Slot
from rating.pricing.running import fees_of, line_sums
from rating.pricing.usage import Fees, Ragged, chosen
from rating.ragged import expand
from rating.ratios import Bools, Ratios, is_equal, of_scale, plus, taken, zeros
from rating.spans import Spans


class Reader(Protocol):
    """Usage up to a cutoff in more detail than its sums."""

    def keyed(
        self, tenant: str, meter: str, names: Sequence[str], slots: Slots, boundaries: Sequence[int], cutoff: int
    ) -> Keyed:
        """Sums of a meter per subject, stretch, values of dimensions, and slots if there are any."""

    def stretched(self, tenant: str, meter: str, boundaries: Sequence[int], cutoff: int) -> Stretched:
        """Sums of a meter per subject and stretch."""

    def singles(self, tenant: str, meters: Sequence[str], boundaries: Sequence[int], cutoff: int) -> Singles:
        """Every single usage of some meters, in the order of time."""

    def peaks(self, tenant: str, meters: Sequence[str], boundaries: Sequence[int], cutoff: int) -> Peaks:
        """The highest single usage of some meters per subject and stretch."""


class Cut(NamedTuple):
    """By which of its dimensions and by which slots a meter is cut."""

    meter: str
    dimensions: tuple[str, ...]
    slots: tuple[Slot, ...]
    zone: str | None
    """Whose clock the slots are of: the usage is for contracts of this zone. None without slots."""


class Filled(NamedTuple):
    """Into which buckets a meter's usage is put, for contracts of one zone."""

    meter: str
    every: Every
    zone: str


class Beyond(NamedTuple):
    """What was read."""

    keyed: list[tuple[Cut, Keyed]]
    singles: Singles | None
    buckets: Sequence[tuple[Filled, Stretched]] = ()
    highest: Peaks | None = None


class Details(NamedTuple):
    """What was read, line by line; a line whose price does not look at it has none of it."""

    keyed: list[cells.Keyed]
    events: Ragged | None
    buckets: Sequence[Ragged] = ()
    highest: peaks.Peaks | None = None
    summed: Ratios | None = None

    @property
    def parts(self) -> list[Ragged]:
        """The quantities of all of it."""
        one_a_line = [self.events, self.highest and self.highest.parts]
        found = [parts for parts in one_a_line if parts is not None]
        return [*(one.parts for one in self.keyed), *self.buckets, *found]


def read(reader: Reader, book: Book, boundaries: Sequence[int], cutoff: int) -> Beyond:
    """What the book's prices look at beyond sums."""
    prices = book.prices
    meters = book.meters.to_pylist()
    highest = together.meters_with_limits(book)
    by_event = sorted({meters[meter] for meter in prices.meter[prices.charged_by(ByEvent)]})
    return Beyond(
        [(cut, _read_keyed(reader, book.tenant, cut, boundaries, cutoff)) for cut in _cuts(book, meters)],
        reader.singles(book.tenant, by_event, boundaries, cutoff) if by_event else None,
        [(filled, _read_buckets(reader, book.tenant, filled, boundaries, cutoff)) for filled in _filled(book, meters)],
        reader.peaks(book.tenant, highest, boundaries, cutoff) if highest else None,
    )


def _read_keyed(reader: Reader, tenant: str, cut: Cut, boundaries: Sequence[int], cutoff: int) -> Keyed:
    slots: Slots = ()
    if cut.zone is not None:
        slots = slot_starts(cut.slots, cut.zone, boundaries[0], boundaries[-1])
    return reader.keyed(tenant, cut.meter, cut.dimensions, slots, boundaries, cutoff)


def _read_buckets(reader: Reader, tenant: str, filled: Filled, boundaries: Sequence[int], cutoff: int) -> Stretched:
    """A bucket may be in several stretches: months and days begin at other instants in other zones."""
    begun = bucket_starts(filled.every, filled.zone, boundaries[0], boundaries[-1])
    return reader.stretched(tenant, filled.meter, sorted({*boundaries, *begun}), cutoff)


def _cuts(book: Book, meters: Sequence[str]) -> list[Cut]:
    """Each once, whatever number of prices and contracts look at it."""
    prices, charges = book.prices, book.prices.charges
    found: dict[Cut, None] = {}
    for price, zone in _in_zones(book, Matrix):
        terms = prices.terms[price]
        slots = _slots(charges[terms])
        found[Cut(meters[prices.meter[price]], prices.dimensions[terms], slots, zone if slots else None)] = None
    return list(found)


def _filled(book: Book, meters: Sequence[str]) -> list[Filled]:
    """Each once."""
    prices, charges = book.prices, book.prices.charges
    found: dict[Filled, None] = {}
    for price, zone in _in_zones(book, Bucketed):
        charge = charges[prices.terms[price]]
        assert isinstance(charge, Bucketed)
        found[Filled(meters[prices.meter[price]], charge.every, zone)] = None
    return list(found)


def _in_zones(book: Book, charge: type) -> list[tuple[int, str]]:
    """Each price with such a charge, with each zone of contracts that are under it."""
    price = np.flatnonzero(book.prices.charged_by(charge))
    if not len(price):
        return []
    under = np.unique(book.contracts.prices * len(book.calendars) + book.contracts.calendar)
    sets, calendar = np.divmod(under, len(book.calendars))
    own = book.prices.set[price]
    nth, place = expand(np.searchsorted(sets, own, side="left"), np.searchsorted(sets, own, side="right"))
    return [(one, book.zones[where]) for one, where in zip(price[nth].tolist(), calendar[place].tolist(), strict=True)]


def _slots(charge: Charge) -> tuple[Slot, ...]:
    return charge.slots if isinstance(charge, Matrix) else ()


def by_line(book: Book, spans: Spans, lines: Lines, beyond: Beyond) -> Details:
    """What was read for each line whose price looks at it, line by line; it adds up to the line."""
    return Details(
        [_keyed(book, spans, lines, cut, usage) for cut, usage in beyond.keyed],
        None if beyond.singles is None else _events(book, spans, lines, beyond.singles),
        [_buckets(book, spans, lines, filled, usage) for filled, usage in beyond.buckets],
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
    return Details(
        keyed,
        None if details.events is None else chosen(details.events, lines)[1],
        [chosen(one, lines)[1] for one in details.buckets],
        highest,
        details.summed and taken(details.summed, lines),
    )


def fees(prices: Prices, lines: Lines, details: Details) -> Fees | None:
    """What each line's events, keys or buckets cost, where its price is for them."""
    terms = prices.terms[lines.price]
    found = [fees_of(one.parts, cells.cell_fees(prices.listed, terms, one).fee) for one in details.keyed]
    found += [fees_of(one, buckets.bucket_fees(prices.listed, terms, one)) for one in details.buckets]
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
    prices = book.prices
    cut_so = [
        names == cut.dimensions and _slots(charge) == cut.slots
        for names, charge in zip(prices.dimensions, prices.charges, strict=True)
    ]
    row, parts = _parts(book, spans, lines, usage, _looking(book, Matrix, cut.meter, cut_so, cut.zone))
    return cells.Keyed(parts, usage.key[row], usage.keys)


def _buckets(book: Book, spans: Spans, lines: Lines, filled: Filled, usage: Stretched) -> Ragged:
    """Bucket by bucket, whatever number of subjects and stretches it is of."""
    filled_so = [isinstance(one, Bucketed) and one.every is filled.every for one in book.prices.charges]
    looking = _looking(book, Bucketed, filled.meter, filled_so, filled.zone)
    row, parts = _parts(book, spans, lines, usage, looking)
    if not len(row):
        return parts
    segment = usage.segment[row]
    begun = bucket_starts(filled.every, filled.zone, int(segment.min()), int(segment.max()) + 1)
    line, bucket = parts.line, np.searchsorted(begun, segment, side="right")
    order = np.lexsort((bucket, line))
    line, bucket, quantity = line[order], bucket[order], taken(parts.quantity, order)
    starts = np.flatnonzero((np.diff(line, prepend=-1) != 0) | (np.diff(bucket, prepend=-1) != 0))
    counts = np.bincount(line[starts], minlength=len(parts.start) - 1)
    return Ragged(offsets(counts), Ratios(group_sums(quantity.numerator, starts), quantity.denominator))


def _events(book: Book, spans: Spans, lines: Lines, usage: Singles) -> Ragged:
    looking = Looking(book.prices.charged_by(ByEvent), np.ones(len(book.contracts.id), dtype=np.bool_))
    _, parts = _parts(book, spans, lines, usage, looking)
    return parts


class Looking(NamedTuple):
    """Who looks at usage in detail: these prices, under these contracts."""

    price: Bools
    contract: Bools

    def at(self, contract: Int64s, price: Int64s) -> Bools:
        """Whether each price under the contract beside it does."""
        found: Bools = self.price[price] & self.contract[contract]
        return found


def _looking(book: Book, charge: type, meter: str, of_terms: Sequence[bool], zone: str | None) -> Looking:
    """The prices of a meter with such a charge and terms; with a zone, under its contracts alone."""
    prices, contracts = book.prices, book.contracts
    own = np.array(of_terms, dtype=np.bool_)[prices.terms] & (prices.meter == book.meters.index(meter).as_py())
    here = np.array([zone in (None, one) for one in book.zones], dtype=np.bool_)[contracts.calendar]
    return Looking(prices.charged_by(charge) & own, here)


def _parts(
    book: Book, spans: Spans, lines: Lines, usage: Keyed | Stretched | Singles, looking: Looking
) -> tuple[Int64s, Ragged]:
    """The rows of `usage` that lines of prices that look at it are priced on, line by line and else in their order."""
    matched = match(book, spans, usage)
    row = np.flatnonzero(matched.outcome == RATED)
    row = row[looking.at(matched.contract[row], matched.price[row])]
    known = line_key(book, lines.contract, lines.price)
    by_key = np.argsort(known)
    line = by_key[np.searchsorted(known, line_key(book, matched.contract[row], matched.price[row]), sorter=by_key)]
    order = np.argsort(line, kind="stable")
    row, line = row[order], line[order]
    quantity = of_scale(narrowed(usage.quantity[row]), QUANTITY_SCALE)
    parts = Ragged(offsets(np.bincount(line, minlength=len(known))), quantity)
    own = np.flatnonzero(looking.at(lines.contract, lines.price))
    same = is_equal(taken(line_sums(parts), own), of_scale(lines.quantity[own], QUANTITY_SCALE))
    if not same.all():
        contract = book.contracts.id[int(lines.contract[own[np.flatnonzero(~same)[0]]])]
        raise Damaged(f"contract {contract}", "its usage read in detail does not add up to its sum")
    return row, parts
