"""Find what lines are priced on whose price reads several meters: the highest value of each, or their weighted sum."""

import numpy as np

from ledger.errors import Damaged
from ledger.scale import QUANTITY_SCALE
from ledger.usage import Peaks
from rating.book import Book, positions
from rating.exact import Int64s, group_sums, narrowed
from rating.gathered import Gathered
from rating.groups import offsets
from rating.leaders import leaders
from rating.lines import Lines, line_key
from rating.match import RATED, match, plain
from rating.pricing import peaks
from rating.pricing.parts import Capacity
from rating.pricing.usage import Ragged
from rating.ratios import Bools, Ratios, of_scale, over_one_denominator, taken, times
from rating.spans import Spans


def meters_with_limits(book: Book) -> list[str]:
    """The meters whose highest values a price looks at."""
    return [book.meters[meter].as_py() for meter in np.unique(book.prices.meter[_has_limits(book)]).tolist()]


def _has_limits(book: Book) -> Bools:
    """Which prices are led by one that looks at highest values."""
    found: Bools = book.prices.charged_by(Capacity)[leaders(book)]
    return found


def highest_of_lines(book: Book, spans: Spans, lines: Lines, usage: Peaks) -> peaks.Peaks:
    """The highest values that each line with such an amount is priced on; none is below zero."""
    matched, looks = match(book, spans, usage), _has_limits(book)
    row = np.flatnonzero((matched.outcome == RATED) & looks[matched.price])
    contract, price = matched.contract[row], matched.price[row]
    _check_used(book, lines, looks, line_key(book, contract, price))
    line = _led_by(book, lines, contract, price)
    meter = positions(plain(usage.meter), book.meters)[row]
    order = np.lexsort((meter, line))
    group = (line * len(book.meters) + meter)[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    quantity = np.maximum(narrowed(usage.quantity[row])[order], 0)
    highest = np.maximum.reduceat(quantity, starts) if len(starts) else quantity
    parts = Ragged(
        offsets(np.bincount(line[order][starts], minlength=len(lines.contract))),
        of_scale(narrowed(highest), QUANTITY_SCALE),
    )
    return peaks.Peaks(parts, meter[order][starts], book.meters.to_pylist())


def _check_used(book: Book, lines: Lines, looks: Bools, found: Int64s) -> None:
    """Refuse values of other lines than those that were used."""
    used = line_key(book, lines.contract, lines.price)[(lines.events > 0) & looks[lines.price]]
    if different := np.setxor1d(used, found).tolist():
        contract = book.contracts.id[different[0] // len(book.prices.set)]
        raise Damaged(f"contract {contract}", "its usage read in detail does not belong to the lines of its sums")


def _led_by(book: Book, lines: Lines, contract: Int64s, price: Int64s) -> Int64s:
    """The line that has the amount for each pair of a contract and a price."""
    known = line_key(book, lines.contract, lines.price)
    by_key = np.argsort(known)
    found: Int64s = by_key[np.searchsorted(known, line_key(book, contract, leaders(book)[price]), sorter=by_key)]
    return found


def summed(book: Book, lines: Lines) -> Ratios | None:
    """What each line's price is for where it sums several meters by weight, else nothing; None where no price does."""
    prices = book.prices
    if not prices.is_summed.any():
        return None
    row = np.flatnonzero(prices.is_summed[leaders(book)[lines.price]])
    weighed = over_one_denominator(
        times(of_scale(lines.quantity[row], QUANTITY_SCALE), taken(_weights(book), lines.price[row]))
    )
    line = _led_by(book, lines, lines.contract[row], lines.price[row])
    return added_up(weighed, line, len(lines.contract))


def added_up(weighed: Ratios, line: Int64s, lines: int) -> Ratios:
    """What each line's parts add up to, in whatever order they are; nothing where it has none."""
    order = np.argsort(line, kind="stable")
    starts = np.flatnonzero(np.diff(line[order], prepend=-1))
    found = Gathered(lines)
    found.put(line[order][starts], Ratios(group_sums(weighed.numerator[order], starts), weighed.denominator))
    return found.column()


def _weights(book: Book) -> Ratios:
    """How much a unit of each price's meter counts at the price that leads it, where that sums."""
    prices, lead = book.prices, leaders(book)
    terms = prices.terms[lead]
    of_leader, row = prices.listed.shape[terms], prices.listed.row[terms]
    found = Gathered(len(lead))
    for code, shape in enumerate(prices.listed.shapes):
        for nth, one in enumerate(shape.example.summed):
            meter = book.meters.index(one.meter).as_py()
            own = np.flatnonzero((of_leader == code) & (prices.meter == meter))
            found.put(own, taken(shape.numbers[f"summed.{nth}.weight"], row[own]))
    return found.column()
