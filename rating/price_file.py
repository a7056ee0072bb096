"""Read one price of a catalog file.

A model is a way to write a charge down, and no kind of price of its own: what stands around the charge, its conversion
and free units, what is adjusted in which order and how it is rounded, is the same for all.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final, NamedTuple, TypeVar

import yaml

from rating import catalog_fields as read
from rating.agreements import STANDARD
from rating.catalog import Price, Proration
from rating.clocks import DAYS
from rating.pricing import parts
from rating.ratios import DOWN, HALF_UP, UP
from rating.yaml_page import Fields, Page, Place

Part = TypeVar("Part")

NOTHING: Final = Fraction(0)
ONE: Final = Fraction(1)
MODES: Final = {"half_up": HALF_UP, "up": UP, "down": DOWN}


class Found(NamedTuple):
    """What was read of a price."""

    prices: tuple[Price, ...]
    """One for each meter that it reads; none where there are mistakes in it."""
    meters: tuple[str, ...]
    """Which it names, as far as that can be read."""


def price(page: Page, node: yaml.Node, place: Place) -> Found:
    """The price at `node`; where it reads several meters, the first one's has its terms, and the others go with it."""
    before = len(page.mistakes)
    found = Fields(page, node, place, FIELDS, ("product", "model"))
    product, meter = found.scalar("product", read.product), found.scalar("meter", read.name)
    weights = _weights(found)
    meters = tuple(one.meter for one in weights) if meter is None else (meter,)
    model, since = found.scalar("model", _model), found.scalar("from", read.day)
    if model is None:
        return Found((), meters)
    _fits_model(found, model)
    summed = () if model == "capacity" else weights
    terms, dimensions = _terms(found, MODELS[model].charge, summed), found.scalars("dimensions", read.name)
    if terms is not None and parts.interval_of(terms.charge) is not parts.Interval.MONTH and "proration" in found:
        found.mistake("proration", "a fee for longer than a month is owed whole and in advance: remove the proration")
    proration = found.scalar("proration", _proration) or Proration.DAY
    category = found.scalar("tax_category", read.name) or STANDARD
    if len(page.mistakes) > before or product is None or terms is None:
        return Found((), meters)
    first, *others = meters or ("",)
    leading = Price(product, first, terms, since, dimensions, proration, category)
    with_it = parts.Price(charge=parts.PricedWith(first))
    return Found((leading, *(Price(product, one, with_it, since, tax_category=category) for one in others)), meters)


def _model(text: str) -> str:
    return read.one_of(text, MODELS, f"one of {', '.join(MODELS)}")


def _proration(text: str) -> Proration:
    return Proration(read.one_of(text, [one.value for one in Proration], "day, second or none"))


def _fits_model(found: Fields, model: str) -> None:
    """Tell of fields that the model has no use for, and of those that it needs."""
    own = MODELS[model]
    for field in FIELDS:
        if field in found and field not in (*COMMON, *own.needs, *own.takes):
            found.mistake(field, f"{model} has no {field}: remove it, or change the model")
    for field in own.needs:
        if field not in found and not (field == "meter" and "meters" in found and "meters" in own.takes):
            found.mistake(field, f"{field} is missing: {model} needs it")
    if "meter" in found and "meters" in found:
        found.mistake("meters", "a price has one meter, or several: keep `meter` or `meters`")
    if "bucket" in found and "meters" in found:
        found.mistake("bucket", "what several meters add up to has no buckets: remove it, or give each meter a price")


def _weights(found: Fields) -> tuple[parts.Weighted, ...]:
    """The meters that a price reads: a list, or a mapping that says how much a unit of each counts."""
    own = found.mapping("meters", ()) if isinstance(found.nodes.get("meters"), yaml.MappingNode) else None
    names = found.scalars("meters", read.name) if own is None else tuple(own.nodes)
    for name in sorted({one for one in names if names.count(one) > 1}):
        found.mistake("meters", f"{name} is in the list twice: keep one")
    if "meters" in found and not names:
        found.mistake("meters", "expected at least one meter")
    weights = (None if own is None else own.scalar(name, read.factor) for name in names)
    return tuple(parts.Weighted(name, weight or ONE) for name, weight in zip(names, weights, strict=True))


def _terms(
    found: Fields, charge_of: Callable[[Fields], parts.Charge | None], summed: tuple[parts.Weighted, ...]
) -> parts.Price | None:
    charge = charge_of(found)
    conversion, free_units = _conversion(found), found.scalar("free_units", read.quantity)
    adjustments = tuple(one for item in found.items("adjustments") if (one := _adjustment(found.page, *item)))
    every = found.scalar("bucket", _every)
    if charge is None:
        return None
    if every is not None:
        bucket = parts.Price(charge=charge, conversion=conversion, free_units=free_units, is_mirrored=True)
        charge, conversion, free_units = parts.Bucketed(every, bucket), None, None
    return parts.Price(
        charge=charge,
        summed=summed,
        conversion=conversion,
        free_units=free_units,
        # A minimum is owed as well when corrections outweigh the usage: it would be given back otherwise.
        is_mirrored=not any(isinstance(one, parts.Minimum) for one in adjustments),
        adjustments=adjustments,
        rounding=_rounding(found, "rounding", read.decimals),
    )


def _every(text: str) -> parts.Every:
    return parts.Every(read.one_of(text, [one.value for one in parts.Every], "hour or day"))


def _conversion(found: Fields) -> parts.Conversion | None:
    own = found.mapping("conversion", ("factor", "per", "rounding", "multiple"))
    if own is None:
        return None
    rounding, multiple = own.scalar("rounding", _mode), own.scalar("multiple", read.quantity)
    if multiple is not None and rounding is None:
        own.mistake("rounding", f"rounding is missing: say which way to the next {multiple}, up, down or half_up")
    factor, per = own.scalar("factor", read.factor), own.scalar("per", read.factor)
    return parts.Conversion(factor or Fraction(1), per or Fraction(1), rounding, multiple or Fraction(1))


def _rounding(found: Fields, field: str, decimals_of: Callable[[str], int]) -> parts.Rounding | None:
    own = found.mapping(field, ("decimals", "mode"), ("decimals",))
    decimals = None if own is None else own.scalar("decimals", decimals_of)
    if own is None or decimals is None:
        return None
    mode = own.scalar("mode", _mode)
    return parts.Rounding(decimals, HALF_UP if mode is None else mode)


def _mode(text: str) -> int:
    return MODES[read.one_of(text, MODES, "half_up, up or down")]


def _adjustment(page: Page, node: yaml.Node, place: Place) -> parts.Adjustment | None:
    found = Fields(page, node, place, tuple(ADJUSTMENTS))
    if len(found.nodes) != 1:
        page.mistake(node, place, f"expected one of {', '.join(ADJUSTMENTS)}: each adjustment is an item of its own")
        return None
    (name,) = found.nodes
    kind, read_value = ADJUSTMENTS[name]
    value = found.scalar(name, read_value)
    return None if value is None else kind(value)


def _flat(found: Fields) -> parts.Charge | None:
    amount, interval = found.scalar("amount", read.amount), found.scalar("interval", _interval)
    return None if amount is None else parts.Flat(amount, interval=interval or parts.Interval.MONTH)


def _interval(text: str) -> parts.Interval:
    return parts.Interval(read.one_of(text, [one.value for one in parts.Interval], "month, quarter or year"))


def _per_unit(found: Fields) -> parts.Charge | None:
    return _made(parts.PerUnit, found.scalar("unit_price", read.unit_price))


def _dynamic(found: Fields) -> parts.Charge | None:
    return parts.Dynamic(found.scalar("multiplier", read.factor) or Fraction(1))


def _made(part: Callable[[Fraction], Part], number: Fraction | None) -> Part | None:
    return None if number is None else part(number)


def _package(found: Fields) -> parts.Charge | None:
    size, price_ = found.scalar("package_size", read.quantity), found.scalar("package_price", read.unit_price)
    mode = found.scalar("packages", _mode)
    return None if size is None or price_ is None else parts.Packages(size, price_, UP if mode is None else mode)


def _percentage(found: Fields) -> parts.Charge | None:
    percent, fee = found.scalar("percent", read.percent), found.scalar("fee", read.amount)
    free_events, free_amount = found.scalar("free_events", read.count), found.scalar("free_amount", read.amount)
    least, most = found.scalar("least", read.amount), found.scalar("most", read.amount)
    if least is not None and most is not None and most < least:
        found.mistake("most", "expected at least as much as `least`")
    if percent is None:
        return None
    return parts.Percentage(percent, fee or NOTHING, free_events, free_amount, least or NOTHING, most)


def _duration(found: Fields) -> parts.Charge | None:
    rates = [_time_rate(one) for one in found.mappings("rates", TIME_RATE, ("rate", "per", "increment"))]
    fee, most = found.scalar("connect_fee", read.amount), found.scalar("most", read.amount)
    if "rates" in found and not rates:
        found.mistake("rates", "expected at least one rate: {rate: ..., per: ..., increment: ...}")
    whole = [one for one in rates if one is not None]
    rule = _rounding(found, "increment_rounding", read.fine_decimals)
    return parts.Duration(tuple(whole), fee or NOTHING, most, rule) if whole else None


def _time_rate(found: Fields) -> parts.TimeRate | None:
    rate, start = found.scalar("rate", read.unit_price), found.scalar("from", read.units)
    per, increment = found.scalar("per", read.quantity), found.scalar("increment", read.quantity)
    if rate is None or per is None or increment is None:
        return None
    return parts.TimeRate(rate, per, increment, start or NOTHING)


def _matrix(found: Fields) -> parts.Charge | None:
    dimensions, slots = found.scalars("dimensions", read.name), _slots(found)
    default = found.scalar("default", read.unit_price)
    by = (*dimensions, *(["slot"] if slots else []))
    cells = [
        (one, one.scalar("unit_price", read.unit_price), _key(one, dimensions, slots))
        for one in found.mappings("cells", (*by, "unit_price"), ("unit_price",))
    ]
    if "dimensions" not in found and "slots" not in found:
        found.mistake("dimensions", "dimensions is missing: matrix needs it, or slots of time")
    if "dimensions" in found and not dimensions:
        found.mistake("dimensions", "expected at least one dimension of the meter")
    if slots and "slot" in dimensions:
        found.mistake("dimensions", "cells say `slot` of the price's slots: give the meter's dimension another name")
    for cell, _, key in cells:
        if by and not any(key):
            found.page.mistake(cell.node, cell.place, "this cell takes all usage: write its price as the `default`")
    if default is None:
        return None
    priced = [parts.Cell(key, unit_price) for _, unit_price, key in cells if unit_price is not None]
    return parts.Matrix((*priced, parts.Cell((None,) * len(by), default)), slots)


def _key(cell: Fields, dimensions: Sequence[str], slots: Sequence[parts.Slot]) -> tuple[str | None, ...]:
    """What a cell takes: any value where it does not say."""
    values = tuple(cell.scalar(name, read.text) for name in dimensions)
    if not slots:
        return values
    named = {slot.name: slot for slot in slots}
    slot = cell.scalar("slot", lambda text: read.one_of(text, named, f"one of the price's slots, {', '.join(named)}"))
    return (*values, slot)


def _slots(found: Fields) -> tuple[parts.Slot, ...]:
    slots = tuple(_slot(one) for one in found.mappings("slots", SLOT, ("name",)))
    if "slots" in found and not slots:
        found.mistake("slots", "expected at least one slot: {name: night, from: 22:00, to: 06:00}")
    return slots


def _slot(found: Fields) -> parts.Slot:
    """A slot; with mistakes in it, nobody prices by it."""
    start, end = found.scalar("from", read.minute), found.scalar("to", read.minute)
    days, dates = found.scalars("days", _weekday), found.scalars("dates", read.day)
    if not any(field in found for field in SLOT[1:]):
        found.mistake("name", "this slot is always: say `from` and `to`, its `days` of the week, or its `dates`")
    for field in ("days", "dates"):
        if field in found and not found.items(field):
            found.mistake(field, f"expected at least one of its {field}")
    begins, ends = start or 0, parts.DAY_MINUTES if end is None else end
    if begins == ends:
        found.mistake("to" if "to" in found else "from", "the slot ends when it begins: say another time")
    return parts.Slot(found.scalar("name", read.name) or "", days, dates, begins, ends)


def _weekday(text: str) -> str:
    return read.one_of(text, DAYS, f"one of {', '.join(DAYS)}")


def _tiers(reading: parts.Reading) -> Callable[[Fields], parts.Charge | None]:
    def tiers(found: Fields) -> parts.Charge | None:
        read_tiers = [_tier(one) for one in found.mappings("tiers", TIER)]
        if "tiers" in found and not read_tiers:
            found.mistake("tiers", "expected at least one tier: {unit_price: ...}")
        return parts.Tiers(tuple(read_tiers), reading) if read_tiers else None

    return tiers


def _tier(found: Fields) -> parts.Tier:
    """A tier; with mistakes in it, nobody prices by it."""
    up_to, fee = found.scalar("up_to", read.quantity), found.scalar("flat_fee", read.amount)
    unit_price, percent = found.scalar("unit_price", read.unit_price), found.scalar("percent", read.percent)
    size, of_package = found.scalar("package_size", read.quantity), found.scalar("package_price", read.unit_price)
    if ("package_size" in found) != ("package_price" in found):
        missing = "package_price" if "package_size" in found else "package_size"
        found.mistake(missing, f"{missing} is missing: a package has a size and a price")
    priced = [name for name in ("unit_price", "percent", "package_price") if name in found]
    if len(priced) > 1:
        found.mistake(priced[1], f"a tier's units have one price: keep {priced[0]} or {priced[1]}")
    if not priced and "flat_fee" not in found:
        found.mistake("unit_price", "unit_price is missing: a tier has that, a percent, a package or a flat_fee")
    return parts.Tier(up_to, unit_price if of_package is None else of_package, percent, size, fee)


def _blocks(found: Fields) -> parts.Charge | None:
    listed = [_block_tier(one) for one in found.mappings("tiers", BLOCK_TIER, BLOCK_TIER[:2])]
    bills = found.scalar("bills", _bills)
    if "tiers" in found and not listed:
        found.mistake("tiers", "expected at least one tier: {block_size: ..., block_price: ...}")
    tiers = [one for one in listed if one is not None]
    return parts.Blocks(tuple(tiers), bills == TOP_TIER) if tiers else None


def _block_tier(found: Fields) -> parts.BlockTier | None:
    size, price_ = found.scalar("block_size", read.quantity), found.scalar("block_price", read.unit_price)
    most = found.scalar("blocks", read.several)
    return None if size is None or price_ is None else parts.BlockTier(size, price_, most)


def _bills(text: str) -> str:
    return read.one_of(text, ("every_tier", TOP_TIER), f"every_tier or {TOP_TIER}")


def _capacity(found: Fields) -> parts.Charge | None:
    meters = found.scalars("meters", read.name)
    tiers = [_capacity_tier(one, meters) for one in found.mappings("tiers", ("price", "limits"), ("price",))]
    if "tiers" in found and not tiers:
        found.mistake("tiers", "expected at least one tier: {price: ...}")
    return parts.Capacity(meters, tuple(tiers)) if tiers else None


def _capacity_tier(found: Fields, meters: Sequence[str]) -> parts.CapacityTier:
    """A tier; with mistakes in it, nobody prices by it."""
    price_, limits = found.scalar("price", read.amount), found.mapping("limits", meters)
    bounds = (None if limits is None else limits.scalar(meter, read.units) for meter in meters)
    return parts.CapacityTier(price_ or NOTHING, tuple(bounds))


class Model(NamedTuple):
    """How a charge is written."""

    charge: Callable[[Fields], parts.Charge | None]
    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()


TIME_RATE: Final = ("from", "rate", "per", "increment")
TIER: Final = ("up_to", "unit_price", "percent", "package_size", "package_price", "flat_fee")
BLOCK_TIER: Final = ("block_size", "block_price", "blocks")
TOP_TIER: Final = "top_tier"
COMMON: Final = ("product", "model", "from", "adjustments", "rounding", "tax_category")
SLOT: Final = ("name", "from", "to", "days", "dates")
OF_USAGE: Final = ("meters", "conversion", "free_units", "bucket")
MODELS: Final = {
    "flat": Model(_flat, ("amount",), ("interval", "proration")),
    "per_unit": Model(_per_unit, ("meter", "unit_price"), OF_USAGE),
    "graduated": Model(_tiers(parts.Reading.GRADUATED), ("meter", "tiers"), OF_USAGE),
    "volume": Model(_tiers(parts.Reading.VOLUME), ("meter", "tiers"), OF_USAGE),
    "blocks": Model(_blocks, ("meter", "tiers"), (*OF_USAGE, "bills")),
    "package": Model(_package, ("meter", "package_size", "package_price"), (*OF_USAGE, "packages")),
    "percentage": Model(_percentage, ("meter", "percent"), ("fee", "free_events", "free_amount", "least", "most")),
    "duration": Model(_duration, ("meter", "rates"), ("connect_fee", "most", "increment_rounding")),
    "matrix": Model(_matrix, ("meter", "cells", "default"), ("dimensions", "slots")),
    "dynamic": Model(_dynamic, ("meter",), ("multiplier",)),
    "capacity": Model(_capacity, ("meters", "tiers"), ("proration",)),
}
FIELDS: Final = tuple(
    dict.fromkeys((*COMMON, *(field for model in MODELS.values() for field in (*model.needs, *model.takes))))
)
ADJUSTMENTS: Final[dict[str, tuple[Callable[[Fraction], parts.Adjustment], Callable[[str], Fraction]]]] = {
    "percent_off": (parts.PercentOff, read.part),
    "amount_off": (parts.AmountOff, read.amount),
    "maximum": (parts.Maximum, read.amount),
    "minimum": (parts.Minimum, read.amount),
}
