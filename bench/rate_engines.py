"""How our engine rates the lines of `bench.rate_models`: from prices and quantities to amounts."""

from collections.abc import Callable
from fractions import Fraction
from typing import Final

import numpy as np

from bench import decimal_loop
from rating import ratios
from rating.exact import Int64s
from rating.pricing.buckets import bucket_fees
from rating.pricing.cells import Key, Keyed, cell_fees
from rating.pricing.details import Amounts, rounded_once
from rating.pricing.entries import moving_money, totals
from rating.pricing.events import event_fees
from rating.pricing.increments import in_advance, period_entries
from rating.pricing.parts import Rounding
from rating.pricing.peaks import Peaks, tier_prices
from rating.pricing.rate import Rated, rate
from rating.pricing.running import fees_of, line_sums
from rating.pricing.shapes import PriceList
from rating.pricing.usage import Fees, Ragged, Splits, Usage
from rating.proration.changes import Changes, changed
from rating.proration.recurring import Events, recurring_amounts
from rating.proration.shares import share
from rating.ratios import HALF_UP, Ratios, of_fractions
from rating.rounding import Rounding as Rule
from rating.together import added_up

Engine = Callable[[PriceList, Int64s, Ragged], Amounts]

CENTS: Final = Rounding(2)
METERS: Final = ("seats", "stored")
REGIONS: Final = (("eu",), ("us",), ("asia",))
SLOTS: Final = (("eu", "day"), ("eu", "night"), ("us", "day"), ("us", "night"))
"""The last value of a key is a slot of time."""
WEIGHTS: Final = (Fraction(1), Fraction(5, 2), Fraction(1, 10))
"""How much units of each of several meters count."""
MONTHS: Final = (28, 30, 31)
"""Price after price in turn: the days of its period."""


def one_total(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line with one quantity."""
    return _both(rate(prices, of_line, Usage(quantities.quantity)))


def by_event(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line whose events are priced one by one."""
    fees = fees_of(quantities, event_fees(prices, of_line, quantities))
    return _both(rate(prices, of_line, Usage(line_sums(quantities), fees=fees)))


def by_region(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line with a quantity for each region."""
    return _by_key(prices, of_line, quantities, REGIONS)


def by_slot(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line with a quantity for each region and slot of time."""
    return _by_key(prices, of_line, quantities, SLOTS)


def _by_key(prices: PriceList, of_line: Int64s, quantities: Ragged, named: tuple[Key, ...]) -> Amounts:
    keys = np.tile(np.arange(len(named)), len(of_line))
    fees = fees_of(quantities, cell_fees(prices, of_line, Keyed(quantities, keys, named)).fee)
    return _both(rate(prices, of_line, Usage(line_sums(quantities), fees=fees)))


def by_weight(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line for what several meters add up to."""
    meters = np.tile(np.arange(len(WEIGHTS)), len(of_line))
    weighed = ratios.times(quantities.quantity, ratios.taken(of_fractions(WEIGHTS), meters))
    return _both(rate(prices, of_line, Usage(added_up(weighed, quantities.line, len(of_line)))))


def after_others(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """The last line of a period that has others: how much they had, and its own."""
    before, own = (ratios.taken(quantities.quantity, slice(place, None, 2)) for place in range(2))
    closes = np.ones(len(of_line), dtype=np.bool_)
    return _both(rate(prices, of_line, Usage(own, Splits(before, ~closes, closes, ratios.zeros(len(of_line))))))


def by_share(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A fee that is owed for some of its period's days."""
    return _both(rate(prices, of_line, Usage(_left(of_line, quantities))))


def by_change(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A fee that gives way to the next in the list for what is left of the period."""
    (shape,), rows = prices.shapes, np.stack([of_line, (of_line + 1) % len(prices.row)], axis=1).ravel()
    amounts = ratios.taken(shape.numbers["charge.unit_price"], rows)
    shares = ratios.taken(_left(of_line, quantities), np.repeat(np.arange(len(of_line)), 2))
    returned = np.tile(np.array([True, False]), len(of_line))
    found = changed(Changes(2 * np.arange(len(of_line) + 1), amounts, shares, returned), Rule(2, HALF_UP))
    return rounded_once(found.net, CENTS)


def _left(of_line: Int64s, quantities: Ragged) -> Ratios:
    days = np.array(MONTHS)[of_line % len(MONTHS)]
    return share(days - quantities.quantity.numerator, days, np.zeros_like(days), days)


def by_capacity(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line with the highest value of each meter, owed for the whole month."""
    meters = np.tile(np.arange(len(METERS)), len(of_line))
    fees = Fees(tier_prices(prices, of_line, Peaks(quantities, meters, METERS)), np.diff(quantities.start))
    return _both(rate(prices, of_line, Usage(ratios.whole(np.ones(len(of_line), dtype=np.int64)), fees=fees)))


def by_bucket(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line with several buckets."""
    fees = fees_of(quantities, bucket_fees(prices, of_line, quantities))
    return _both(rate(prices, of_line, Usage(line_sums(quantities), fees=fees)))


def event_by_event(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line paid in advance."""
    each = in_advance(prices, of_line, quantities, above_highest=False)
    return rounded_once(line_sums(quantities._replace(quantity=each)), CENTS)


def above_highest(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line paid in advance that gives back with every second event."""
    signs = ratios.whole(np.where(np.arange(len(quantities.line)) % 2, -1, 1))
    moved = quantities._replace(quantity=ratios.times(quantities.quantity, signs))
    each = in_advance(prices, of_line, moved, above_highest=True)
    return rounded_once(line_sums(moved._replace(quantity=each)), CENTS)


def from_total_to_total(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line that is known twice: what the later total adds, as entries."""
    earlier, later = (ratios.taken(quantities.quantity, slice(place, None, 2)) for place in range(2))
    opens = np.zeros(len(of_line), dtype=np.bool_)
    new = moving_money(period_entries(prices, of_line, earlier, later, opens))
    return rounded_once(totals(new, len(of_line)), CENTS)


def by_the_week(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line whose units come or go every week, and are owed for the rest of the period."""
    weeks = len(decimal_loop.WEEKS)
    directions = np.tile([direction for direction, _ in decimal_loop.WEEKS], len(of_line))
    left = Ratios(np.tile(np.arange(weeks, 0, -1), len(of_line)), np.array([weeks]))
    units = ratios.times(quantities.quantity, ratios.whole(directions))
    return recurring_amounts(prices, of_line, Events(quantities._replace(quantity=units), left))


def _both(found: Rated) -> Amounts:
    return Amounts(found.exact, found.amount)
