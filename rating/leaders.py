"""Say whose line has the amount of meters that are priced together.

The catalog has a price for every one of such meters, from the same day until the same day: each has its own line with
what was counted, and that of the first, the leader, has the amount.
"""

import numpy as np

from rating.book import Book
from rating.exact import Int64s
from rating.pricing.parts import PricedWith
from rating.ragged import expand


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
