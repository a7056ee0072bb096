"""Say whose line has the amount of meters that are priced together, and find for it the highest value of each of them.

The catalog has a price for every one of such meters, from the same day until the same day: each has its own line with
what was counted, and that of the first has the amount.
"""

import numpy as np

from ledger.errors import Damaged
from ledger.scale import QUANTITY_SCALE
from ledger.usage import Peaks
from rating.book import Book, positions
from rating.exact import Int64s, narrowed
from rating.groups import offsets
from rating.lines import Lines, line_key
from rating.match import RATED, match, plain
from rating.pricing import peaks
from rating.pricing.parts import Capacity, PricedWith
from rating.pricing.usage import Ragged
from rating.ragged import expand
from rating.ratios import Bools, of_scale
from rating.spans import Spans


def meters_together(book: Book) -> list[str]:
    """The meters whose highest values a price looks at."""
    return [book.meters[meter].as_py() for meter in np.unique(book.prices.meter[_looks(book)]).tolist()]


def _looks(book: Book) -> Bools:
    return book.prices.charged_by(Capacity) | book.prices.charged_by(PricedWith)


def leaders(book: Book) -> Int64s:
    """Per price: the one whose line has the amount, itself where it goes with no other."""
    prices, found = book.prices, np.arange(len(book.prices.set))
    for code, shape in enumerate(prices.listed.shapes):
        charge = shape.example.charge
        if isinstance(charge, PricedWith):
            rows = np.flatnonzero(prices.listed.shape[prices.terms] == code)
            found[rows] = _of_meter(book, rows, book.meters.index(charge.meter).as_py())
    return found


def _of_meter(book: Book, rows: Int64s, meter: int) -> Int64s:
    """The price of `meter` from the same day, in the same set, as each of some prices."""
    prices, meters = book.prices, len(book.meters)
    key, wanted = prices.set * meters + prices.meter, prices.set[rows] * meters + meter
    nth, price = expand(np.searchsorted(key, wanted, side="left"), np.searchsorted(key, wanted, side="right"))
    same_day = prices.since[price] == prices.since[rows[nth]]
    assert np.array_equal(nth[same_day], np.arange(len(rows))), "the catalog keeps what is priced together together"
    leading: Int64s = price[same_day]
    return leading


def of_lines(book: Book, spans: Spans, lines: Lines, usage: Peaks) -> peaks.Peaks:
    """The highest values that each line with such an amount is priced on; none is below zero."""
    matched, looks = match(book, spans, usage), _looks(book)
    row = np.flatnonzero((matched.outcome == RATED) & looks[matched.price])
    contract, price = matched.contract[row], matched.price[row]
    _check_used(book, lines, looks, line_key(book, contract, price))
    known = line_key(book, lines.contract, lines.price)
    by_key = np.argsort(known)
    line = by_key[np.searchsorted(known, line_key(book, contract, leaders(book)[price]), sorter=by_key)]
    meter = positions(plain(usage.meter), book.meters)[row]
    order = np.lexsort((meter, line))
    group = (line * len(book.meters) + meter)[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    quantity = np.maximum(narrowed(usage.quantity[row])[order], 0)
    highest = np.maximum.reduceat(quantity, starts) if len(starts) else quantity
    parts = Ragged(
        offsets(np.bincount(line[order][starts], minlength=len(known))), of_scale(narrowed(highest), QUANTITY_SCALE)
    )
    return peaks.Peaks(parts, meter[order][starts], book.meters.to_pylist())


def _check_used(book: Book, lines: Lines, looks: Bools, found: Int64s) -> None:
    """Refuse values of other lines than those that were used."""
    used = line_key(book, lines.contract, lines.price)[(lines.events > 0) & looks[lines.price]]
    if different := np.setxor1d(used, found).tolist():
        contract = book.contracts.id[different[0] // len(book.prices.set)]
        raise Damaged(f"contract {contract}", "its usage read in detail does not belong to the lines of its sums")
