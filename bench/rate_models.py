"""The models that `bench.rate` measures: a hundred prices each, for our engine and for the Decimal loop."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from bench import decimal_loop
from rating import ratios
from rating.exact import Int64s
from rating.pricing.buckets import bucket_fees
from rating.pricing.cells import Keyed, cell_fees
from rating.pricing.details import Amounts, rounded_once
from rating.pricing.entries import moving_money, totals
from rating.pricing.events import event_fees
from rating.pricing.increments import in_advance, period_entries
from rating.pricing.parts import (
    Blocks,
    BlockTier,
    Bucketed,
    Capacity,
    CapacityTier,
    Cell,
    Charge,
    Duration,
    Dynamic,
    Every,
    Flat,
    Matrix,
    Maximum,
    Minimum,
    Packages,
    Percentage,
    PercentOff,
    PerUnit,
    Price,
    Reading,
    Rounding,
    Tier,
    Tiers,
    TimeRate,
)
from rating.pricing.peaks import Peaks, tier_prices
from rating.pricing.rate import Rated, rate
from rating.pricing.running import fees_of, line_sums
from rating.pricing.shapes import PriceList
from rating.pricing.usage import Fees, Ragged, Usage
from rating.proration.recurring import Events, recurring_amounts
from rating.ratios import Ratios

CENTS = Rounding(2)
UNIT_PRICES = [Fraction(1 + place, 1000) for place in range(100)]
BOUNDS = (Fraction(1_000), Fraction(10_000), Fraction(100_000), None)
METERS = ("seats", "stored")
REGIONS = (("eu",), ("us",), ("asia",))
SIZE, FREE_UNITS, FEE, OFF = Fraction(1000), Fraction(100), Fraction(3, 10), Fraction(10)
LEAST, MOST = Fraction(5), Fraction(500)
MINUTE = Fraction(60)

Rows = list[tuple[Fraction | None, Fraction]]
Engine = Callable[[PriceList, Int64s, Ragged], Amounts]


class Model(NamedTuple):
    """One price model on both sides."""

    prices: Sequence[Price]
    engine: Engine
    loop: decimal_loop.Loop
    parameters: Sequence[Any]
    """Per price: what the loop prices with."""
    parts: int = 1
    """Quantities a line: events, keys, buckets, totals."""


def one_total(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line with one quantity."""
    return _both(rate(prices, of_line, Usage(quantities.quantity)))


def by_event(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line whose events are priced one by one."""
    fees = fees_of(quantities, event_fees(prices, of_line, quantities))
    return _both(rate(prices, of_line, Usage(line_sums(quantities), fees=fees)))


def by_key(prices: PriceList, of_line: Int64s, quantities: Ragged) -> Amounts:
    """A line with a quantity for each region."""
    keys = np.tile(np.arange(len(REGIONS)), len(of_line))
    fees = fees_of(quantities, cell_fees(prices, of_line, Keyed(quantities, keys, REGIONS)).fee)
    return _both(rate(prices, of_line, Usage(line_sums(quantities), fees=fees)))


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


def _prices(charges: Sequence[Charge], **around: Any) -> list[Price]:
    return [Price(charge=charge, rounding=CENTS, **around) for charge in charges]


def _rows(unit_price: Fraction) -> Rows:
    """Four tiers, each cheaper than the one before."""
    return [(bound, unit_price * (4 - place) / 40) for place, bound in enumerate(BOUNDS)]


def _graduated(rows: Rows) -> Tiers:
    return Tiers(tuple(Tier(bound, unit_price=price) for bound, price in rows))


def _with_fees(rows: Rows) -> Tiers:
    return Tiers(tuple(Tier(bound, unit_price=price, flat_fee=price * 1000) for bound, price in rows))


def _volume(rows: Rows) -> Tiers:
    return Tiers(tuple(Tier(bound, unit_price=price) for bound, price in rows), Reading.VOLUME)


def _stairstep(rows: Rows) -> Tiers:
    return Tiers(tuple(Tier(bound, flat_fee=price * 1000) for bound, price in rows), Reading.VOLUME)


def _percents(rows: Rows) -> Tiers:
    return Tiers(tuple(Tier(bound, percent=price) for bound, price in rows))


def _matrix(unit_price: Fraction) -> Matrix:
    return Matrix(tuple(Cell(key, unit_price * (place + 1)) for place, key in enumerate(REGIONS)))


def _capacity(rows: Rows) -> Capacity:
    return Capacity(METERS, tuple(CapacityTier(price * 1000, (bound,) * len(METERS)) for bound, price in rows))


def _duration(unit_price: Fraction) -> Duration:
    """A minute as a whole, then in tenths at half the price."""
    first = TimeRate(unit_price, MINUTE, MINUTE)
    return Duration((first, TimeRate(unit_price / 2, MINUTE, MINUTE / 10, start=MINUTE)), connect_fee=FEE)


def _blocks(unit_price: Fraction) -> Blocks:
    """A hundred small blocks, then as many large ones, then the largest."""
    sizes = ((SIZE / 10, FREE_UNITS), (SIZE, FREE_UNITS), (SIZE * 10, None))
    return Blocks(tuple(BlockTier(size, unit_price * size, most) for size, most in sizes))


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)


def _decimals(rows: Rows, factor: Decimal = Decimal(1)) -> list[decimal_loop.Row]:
    return [(None if bound is None else _decimal(bound), _decimal(price) * factor) for bound, price in rows]


PLAIN = [_decimal(price) for price in UNIT_PRICES]
ROWS = [_rows(price) for price in UNIT_PRICES]
TIERS = [_decimals(rows) for rows in ROWS]
STEPS = [_decimals(rows, Decimal(1000)) for rows in ROWS]
TIERS_AND_FEES = list(zip(TIERS, STEPS, strict=True))
PERCENTS = [_decimals(rows, Decimal("0.01")) for rows in ROWS]
PERCENTAGES = [(price / 100, _decimal(FEE), _decimal(FREE_UNITS)) for price in PLAIN]
DURATIONS = [
    (_decimal(FEE), [(Decimal(0), Decimal(60), Decimal(60), price), (Decimal(60), None, Decimal(6), price / 20)])
    for price in PLAIN
]
BLOCKS = [
    [
        (Decimal(100), Decimal(100), price * 100),
        (Decimal(1000), Decimal(100), price * 1000),
        (Decimal(10_000), None, price * 10_000),
    ]
    for price in PLAIN
]
PACKAGES = [(_decimal(SIZE), price, _decimal(FREE_UNITS)) for price in PLAIN]
CELLS = [[price * (place + 1) for place in range(len(REGIONS))] for price in PLAIN]
BOUNDED = [(price, _decimal(OFF), _decimal(MOST), _decimal(LEAST)) for price in PLAIN]

_packages = [Packages(SIZE, price) for price in UNIT_PRICES]
_percentages = [Percentage(price, fee=FEE, free_amount=FREE_UNITS) for price in UNIT_PRICES]
_per_unit = [PerUnit(price) for price in UNIT_PRICES]
_buckets = [Bucketed(Every.HOUR, price) for price in _prices([_volume(rows) for rows in ROWS])]
_bounds = (PercentOff(OFF), Maximum(MOST), Minimum(LEAST))
_exact = [Price(charge=_graduated(rows)) for rows in ROWS]

MODELS = {
    "flat": Model(_prices([Flat(price) for price in UNIT_PRICES]), one_total, decimal_loop.flat, PLAIN),
    "per_unit": Model(_prices(_per_unit), one_total, decimal_loop.per_unit, PLAIN),
    "graduated": Model(_prices([_graduated(rows) for rows in ROWS]), one_total, decimal_loop.graduated, TIERS),
    "volume": Model(_prices([_volume(rows) for rows in ROWS]), one_total, decimal_loop.volume, TIERS),
    "stairstep": Model(_prices([_stairstep(rows) for rows in ROWS]), one_total, decimal_loop.stairstep, STEPS),
    "graduated_percentage": Model(
        _prices([_percents(rows) for rows in ROWS]), one_total, decimal_loop.graduated, PERCENTS
    ),
    "package": Model(_prices(_packages, free_units=FREE_UNITS), one_total, decimal_loop.package, PACKAGES),
    "blocks": Model(_prices([_blocks(one) for one in UNIT_PRICES]), one_total, decimal_loop.blocks, BLOCKS),
    "dynamic": Model(_prices([Dynamic(one) for one in UNIT_PRICES]), one_total, decimal_loop.per_unit, PLAIN),
    "percentage": Model(_prices(_percentages), by_event, decimal_loop.percentage, PERCENTAGES, 3),
    "duration": Model(_prices([_duration(one) for one in UNIT_PRICES]), by_event, decimal_loop.duration, DURATIONS, 3),
    "matrix": Model(_prices([_matrix(price) for price in UNIT_PRICES]), by_key, decimal_loop.matrix, CELLS, 3),
    "capacity": Model(_prices([_capacity(rows) for rows in ROWS]), by_capacity, decimal_loop.capacity, STEPS, 2),
    "bucketed": Model(_prices(_buckets), by_bucket, decimal_loop.bucketed, TIERS, 4),
    "bounded": Model(_prices(_per_unit, adjustments=_bounds), one_total, decimal_loop.bounded, BOUNDED),
    "in_advance": Model(
        _prices([_graduated(rows) for rows in ROWS]), event_by_event, decimal_loop.in_advance, TIERS, 3
    ),
    "prorated_graduated": Model(
        _prices([_with_fees(rows) for rows in ROWS]), by_the_week, decimal_loop.prorated, TIERS_AND_FEES, 4
    ),
    "rerated": Model(_exact, from_total_to_total, decimal_loop.rerated, TIERS, 2),
}
