"""The models that `bench.rate` measures: a hundred prices each, for our engine and for the Decimal loop."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from bench import decimal_loop as loop
from bench import rate_engines as engine
from bench.rate_engines import CENTS, METERS, MONTHS, REGIONS, SLOTS, WEIGHTS
from rating.pricing.parts import (
    AmountOff,
    Blocks,
    BlockTier,
    Bucketed,
    Capacity,
    CapacityTier,
    Cell,
    Charge,
    Conversion,
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
    Weighted,
)
from rating.ratios import UP

UNIT_PRICES = [Fraction(1 + place, 1000) for place in range(100)]
UNITS_MAX = 10**7
BOUNDS = (Fraction(1_000), Fraction(10_000), Fraction(100_000), None)
SIZE, FREE_UNITS, FEE, OFF = Fraction(1000), Fraction(100), Fraction(3, 10), Fraction(10)
LEAST, MOST = Fraction(5), Fraction(500)
CAP, FREE_EVENTS, LEAST_EACH, MOST_EACH = Fraction(100), Fraction(1), Fraction(1, 2), Fraction(20)
MINUTE = Fraction(60)
DIVIDED = 13_020
"""Fees are multiples of what the days of every month divide: the loop's quotients end."""

Rows = list[tuple[Fraction | None, Fraction]]


class Model(NamedTuple):
    """One price model on both sides."""

    prices: Sequence[Price]
    engine: engine.Engine
    loop: loop.Loop
    parameters: Sequence[Any]
    """Per price: what the loop prices with."""
    parts: int = 1
    """Quantities a line: events, keys, buckets, totals."""
    below: int = UNITS_MAX
    """What every quantity is."""


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


def _packaged(rows: Rows, reading: Reading) -> Tiers:
    """Packages of a thousand, all of a tier for a hundred at most, and a fee for it."""
    tiers = (
        Tier(bound, unit_price=price * SIZE, package_size=SIZE, cap=CAP, flat_fee=price * 1000) for bound, price in rows
    )
    return Tiers(tuple(tiers), reading)


def _matrix(unit_price: Fraction, keys: Sequence[tuple[str, ...]]) -> Matrix:
    return Matrix(tuple(Cell(key, unit_price * (place + 1)) for place, key in enumerate(keys)))


def _capacity(rows: Rows) -> Capacity:
    return Capacity(METERS, tuple(CapacityTier(price * 1000, (bound,) * len(METERS)) for bound, price in rows))


def _duration(unit_price: Fraction) -> Duration:
    """A minute as a whole, then in tenths at half the price."""
    first = TimeRate(unit_price, MINUTE, MINUTE)
    return Duration((first, TimeRate(unit_price / 2, MINUTE, MINUTE / 10, start=MINUTE)), connect_fee=FEE)


def _blocks(unit_price: Fraction, *, of_top_tier: bool) -> Blocks:
    """A hundred small blocks, then as many large ones, then the largest; each size cheaper by the unit."""
    sizes = ((SIZE / 10, FREE_UNITS), (SIZE, FREE_UNITS), (SIZE * 10, None))
    tiers = [BlockTier(size, unit_price * size * (10 - n) / 10, most) for n, (size, most) in enumerate(sizes)]
    return Blocks(tuple(tiers), of_top_tier)


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)


def _decimals(rows: Rows, factor: Decimal = Decimal(1)) -> list[loop.Row]:
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
        (Decimal(1000), Decimal(100), price * 900),
        (Decimal(10_000), None, price * 8_000),
    ]
    for price in PLAIN
]
PACKAGES = [(_decimal(SIZE), price, _decimal(FREE_UNITS)) for price in PLAIN]
CONVERTED = [(_decimal(SIZE), Decimal(10), price) for price in PLAIN]
WEIGHED = [(price, [_decimal(weight) for weight in WEIGHTS]) for price in PLAIN]
PACKAGED = [
    [(bound, _decimal(SIZE), price * 1000, _decimal(CAP), price * 1000) for bound, price in tiers] for tiers in TIERS
]
EVENTS = [(price / 100, _decimal(FEE), int(FREE_EVENTS), _decimal(LEAST_EACH), _decimal(MOST_EACH)) for price in PLAIN]
LESS = [(price, _decimal(LEAST), _decimal(OFF)) for price in PLAIN]
FEES = [price * DIVIDED for price in PLAIN]
SHARED = [(fee, Decimal(MONTHS[place % len(MONTHS)])) for place, fee in enumerate(FEES)]
CHANGED = [(fee, FEES[(place + 1) % len(FEES)], days) for place, (fee, days) in enumerate(SHARED)]
SLOT_CELLS = [[price * (place + 1) for place in range(len(SLOTS))] for price in PLAIN]
CELLS = [[price * (place + 1) for place in range(len(REGIONS))] for price in PLAIN]
BOUNDED = [(price, _decimal(OFF), _decimal(MOST), _decimal(LEAST)) for price in PLAIN]

_packages = [Packages(SIZE, price) for price in UNIT_PRICES]
_percentages = [Percentage(price, fee=FEE, free_amount=FREE_UNITS) for price in UNIT_PRICES]
_per_unit = [PerUnit(price) for price in UNIT_PRICES]
_buckets = [Bucketed(Every.HOUR, price) for price in _prices([_volume(rows) for rows in ROWS])]
_discounts = (AmountOff(LEAST), PercentOff(OFF))
_bounds = (PercentOff(OFF), Maximum(MOST), Minimum(LEAST))
_in_blocks = [[_blocks(price, of_top_tier=top) for price in UNIT_PRICES] for top in (False, True)]
_slots = [_matrix(price, SLOTS) for price in UNIT_PRICES]
_graduated_packages, _volume_packages = ([_packaged(rows, reading) for rows in ROWS] for reading in Reading)
_few_events = [
    Percentage(price, fee=FEE, free_events=FREE_EVENTS, least=LEAST_EACH, most=MOST_EACH) for price in UNIT_PRICES
]
_thousands = Conversion(per=SIZE, rounding=UP, multiple=Fraction(10))
_several = tuple(Weighted(f"meter {weight}", weight) for weight in WEIGHTS)
_details = [Price(charge=_graduated(rows), rounding=Rounding(2, of_details=True)) for rows in ROWS]
_fees = _prices([PerUnit(price * DIVIDED) for price in UNIT_PRICES])
_exact = [Price(charge=_graduated(rows)) for rows in ROWS]

MODELS = {
    "flat": Model(_prices([Flat(price) for price in UNIT_PRICES]), engine.one_total, loop.flat, PLAIN),
    "per_unit": Model(_prices(_per_unit), engine.one_total, loop.per_unit, PLAIN),
    "graduated": Model(_prices([_graduated(rows) for rows in ROWS]), engine.one_total, loop.graduated, TIERS),
    "volume": Model(_prices([_volume(rows) for rows in ROWS]), engine.one_total, loop.volume, TIERS),
    "stairstep": Model(_prices([_stairstep(rows) for rows in ROWS]), engine.one_total, loop.stairstep, STEPS),
    "graduated_percentage": Model(
        _prices([_percents(rows) for rows in ROWS]), engine.one_total, loop.graduated, PERCENTS
    ),
    "package": Model(_prices(_packages, free_units=FREE_UNITS), engine.one_total, loop.package, PACKAGES),
    "converted": Model(_prices(_per_unit, conversion=_thousands), engine.one_total, loop.converted, CONVERTED),
    "graduated_packages": Model(_prices(_graduated_packages), engine.one_total, loop.graduated_packages, PACKAGED),
    "volume_packages": Model(_prices(_volume_packages), engine.one_total, loop.volume_packages, PACKAGED),
    "rounded_tiers": Model(_details, engine.one_total, loop.rounded_tiers, TIERS),
    "blocks": Model(_prices(_in_blocks[0]), engine.one_total, loop.blocks, BLOCKS),
    "blocks_of_top_tier": Model(_prices(_in_blocks[1]), engine.one_total, loop.blocks_of_top_tier, BLOCKS),
    "dynamic": Model(_prices([Dynamic(one) for one in UNIT_PRICES]), engine.one_total, loop.per_unit, PLAIN),
    "percentage": Model(_prices(_percentages), engine.by_event, loop.percentage, PERCENTAGES, 3),
    "bounded_events": Model(_prices(_few_events), engine.by_event, loop.bounded_events, EVENTS, 3),
    "duration": Model(_prices([_duration(one) for one in UNIT_PRICES]), engine.by_event, loop.duration, DURATIONS, 3),
    "matrix": Model(
        _prices([_matrix(price, REGIONS) for price in UNIT_PRICES]), engine.by_region, loop.matrix, CELLS, 3
    ),
    "slots": Model(_prices(_slots), engine.by_slot, loop.matrix, SLOT_CELLS, 4),
    "several_meters": Model(_prices(_per_unit, summed=_several), engine.by_weight, loop.weighted, WEIGHED, 3),
    "capacity": Model(_prices([_capacity(rows) for rows in ROWS]), engine.by_capacity, loop.capacity, STEPS, 2),
    "bucketed": Model(_prices(_buckets), engine.by_bucket, loop.bucketed, TIERS, 4),
    "bounded": Model(_prices(_per_unit, adjustments=_bounds), engine.one_total, loop.bounded, BOUNDED),
    "less": Model(_prices(_per_unit, adjustments=_discounts), engine.one_total, loop.less, LESS),
    "split": Model(_prices([_graduated(rows) for rows in ROWS]), engine.after_others, loop.split, TIERS, 2),
    "in_advance": Model(_prices([_graduated(rows) for rows in ROWS]), engine.event_by_event, loop.in_advance, TIERS, 3),
    "above_highest": Model(
        _prices([_graduated(rows) for rows in ROWS]), engine.above_highest, loop.above_highest, TIERS, 4
    ),
    "share_of_fee": Model(_fees, engine.by_share, loop.share_of_fee, SHARED, below=min(MONTHS) + 1),
    "change_of_fee": Model(_fees, engine.by_change, loop.change_of_fee, CHANGED, below=min(MONTHS) + 1),
    "prorated_graduated": Model(
        _prices([_with_fees(rows) for rows in ROWS]), engine.by_the_week, loop.prorated, TIERS_AND_FEES, 4
    ),
    "rerated": Model(_exact, engine.from_total_to_total, loop.rerated, TIERS, 2),
}
