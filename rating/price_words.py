"""Say a price in words that a person can check: what the difference of a catalog shows, and what explains a line."""

from collections.abc import Iterator, Sequence

from rating.pricing.parts import (
    DAY_MINUTES,
    AmountOff,
    Blocks,
    BlockTier,
    Bucketed,
    Capacity,
    Charge,
    Conversion,
    Duration,
    Dynamic,
    Flat,
    Interval,
    Matrix,
    Maximum,
    Minimum,
    Packages,
    Percentage,
    PercentOff,
    PerUnit,
    Price,
    PricedWith,
    Reading,
    Rounding,
    Slot,
    Tier,
    Tiers,
    TimeRate,
)
from rating.pricing.written import number_text as text
from rating.ratios import DOWN, HALF_UP, UP

CELLS_SHOWN = 8
MODES = {HALF_UP: "to the nearest", UP: "up", DOWN: "down"}


def price_in_words(price: Price, dimensions: Sequence[str] = ()) -> str:
    """Everything that the price says, in the order in which it is applied."""
    weights = ("" if one.weight == 1 else f"{text(one.weight)} x " for one in price.summed)
    summed = " + ".join(f"{weight}{one.meter}" for weight, one in zip(weights, price.summed, strict=True))
    said = [charge_in_words(price.charge, dimensions), *_around(price)]
    return f"{summed}{': ' if summed else ''}{', '.join(said)}"


def charge_in_words(charge: Charge, dimensions: Sequence[str] = ()) -> str:
    """What units cost."""
    match charge:
        case Flat():
            in_advance = "" if charge.interval is Interval.MONTH else ", in advance"
            return f"{text(charge.amount)} a {charge.interval.value}{in_advance}"
        case PerUnit():
            return f"{text(charge.unit_price)} a unit"
        case Packages():
            how = {UP: "started", DOWN: "full", HALF_UP: "nearest"}[charge.rounding]
            return f"{text(charge.price)} for each {how} package of {text(charge.size)}"
        case Dynamic():
            return "what the usage says" + ("" if charge.multiplier == 1 else f" times {text(charge.multiplier)}")
        case Percentage():
            return " and ".join(_percentage(charge))
        case Duration():
            return ", ".join(_duration(charge))
        case Matrix():
            return _matrix(charge, dimensions)
        case Tiers():
            return _tiers(charge)
        case Blocks():
            reached = "all at the tier reached: " if charge.of_top_tier else ""
            return reached + ", then ".join(_block_tier(tier) for tier in charge.tiers)
        case Bucketed():
            return f"each {charge.every.value} alone ({price_in_words(charge.price)})"
        case Capacity():
            return _capacity(charge)
        case PricedWith():
            return f"priced with {charge.meter}"


def _percentage(charge: Percentage) -> Iterator[str]:
    yield f"{text(charge.percent)} %"
    if charge.fee:
        yield f"{text(charge.fee)} an event"
    if charge.least:
        yield f"at least {text(charge.least)} an event"
    if charge.most is not None:
        yield f"at most {text(charge.most)} an event"
    if charge.free_events is not None:
        yield f"the first {text(charge.free_events)} events free"
    if charge.free_amount is not None:
        yield f"the first {text(charge.free_amount)} free"


def _duration(charge: Duration) -> Iterator[str]:
    if charge.connect_fee:
        yield f"{text(charge.connect_fee)} to connect"
    for rate in charge.rates:
        yield f"{f'from {text(rate.start)} on ' if rate.start else ''}{_time_rate(rate)}"
    if charge.most is not None:
        yield f"at most {text(charge.most)} an event"
    if charge.increment_rounding is not None:
        yield f"each increment {_rounding(charge.increment_rounding)}"


def _time_rate(rate: TimeRate) -> str:
    return f"{text(rate.rate)} per {text(rate.per)} in increments of {text(rate.increment)}"


def _matrix(charge: Matrix, dimensions: Sequence[str]) -> str:
    shown = charge.cells[:-1][:CELLS_SHOWN]
    said = [f"{text(cell.unit_price)} for {'/'.join(value or 'any' for value in cell.key)}" for cell in shown]
    hidden = len(charge.cells) - 1 - len(shown)
    more = [f"{hidden} more"] if hidden else []
    by = [*dimensions, *(["slot"] if charge.slots else [])]
    slots = "".join(f"; {_slot(slot)}" for slot in charge.slots)
    return f"by {', '.join(by)}: {', '.join([*said, *more, f'else {text(charge.cells[-1].unit_price)}'])}{slots}"


def _slot(slot: Slot) -> str:
    days = ", ".join([*slot.days, *(day.isoformat() for day in slot.dates)])
    is_whole = (slot.start_minute, slot.end_minute) == (0, DAY_MINUTES)
    times = "" if is_whole else f" from {_time(slot.start_minute)} to {_time(slot.end_minute)}"
    return f"{slot.name} is{f' on {days}' if days else ''}{times}"


def _time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _tiers(charge: Tiers) -> str:
    reached = "all at the tier reached: " if charge.reading is Reading.VOLUME else ""
    steps = [
        _tier(tier)
        if tier.up_to is None and not place
        else f"then {_tier(tier)}"
        if tier.up_to is None
        else f"{_tier(tier)} up to {text(tier.up_to)}"
        for place, tier in enumerate(charge.tiers)
    ]
    return reached + ", ".join(steps)


def _tier(tier: Tier) -> str:
    said = []
    if tier.unit_price is not None:
        package = "" if tier.package_size is None else f" for each started package of {text(tier.package_size)}"
        said.append(f"{text(tier.unit_price)}{package}")
    if tier.percent is not None:
        said.append(f"{text(tier.percent)} %")
    if tier.flat_fee is not None:
        said.append(f"{text(tier.flat_fee)} flat")
    return " and ".join(said)


def _block_tier(tier: BlockTier) -> str:
    blocks = f"{text(tier.price)} for each started block of {text(tier.size)}"
    return blocks if tier.most is None else f"{blocks} up to {text(tier.most)} blocks"


def _capacity(charge: Capacity) -> str:
    steps = []
    for place, tier in enumerate(charge.tiers):
        limits = zip(charge.meters, tier.limits, strict=True)
        held = " and ".join(f"{text(limit)} {meter}" for meter, limit in limits if limit is not None)
        then = "then " if place and not held else ""
        steps.append(f"{then}{text(tier.price)}{' up to ' if held else ''}{held}")
    return f"a month by the highest {' and '.join(charge.meters)}: {', '.join(steps)}"


def _around(price: Price) -> Iterator[str]:
    if price.conversion is not None:
        yield _conversion(price.conversion)
    if price.free_units is not None:
        yield f"the first {text(price.free_units)} free"
    for adjustment in price.adjustments:
        match adjustment:
            case PercentOff():
                yield f"{text(adjustment.percent)} % off"
            case AmountOff():
                yield f"{text(adjustment.amount)} off"
            case Maximum():
                yield f"at most {text(adjustment.amount)}"
            case Minimum():
                yield f"at least {text(adjustment.amount)}"
    if price.rounding is not None:
        yield _rounding(price.rounding)


def _rounding(rule: Rounding) -> str:
    return f"rounded {MODES[rule.mode]} to {rule.scale} decimals"


def _conversion(rule: Conversion) -> str:
    said = ["units"]
    if rule.factor != 1:
        said.append(f"times {text(rule.factor)}")
    if rule.per != 1:
        said.append(f"by {text(rule.per)}")
    if rule.rounding is not None:
        said.append(f"{MODES[rule.rounding]} to a multiple of {text(rule.multiple)}")
    return " ".join(said)
