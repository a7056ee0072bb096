"""From a case's parameters to the parts of a price: names and switches change, numbers stay."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from rating.pricing.parts import (
    Adjustment,
    Beyond,
    Blocks,
    BlockTier,
    Cell,
    Charge,
    Conversion,
    Duration,
    Dynamic,
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
from rating.ratios import DOWN, HALF_UP, UP
from tests.conformance.figures import Case, RefusedOnPurpose

Parameters = Mapping[str, Any]

MODES = {"half_up": HALF_UP, "up": UP, "ceiling": UP, "down": DOWN, "floor": DOWN}
BEYOND = {"error": Beyond.REFUSED, "drop": Beyond.DROPPED, "extend": Beyond.EXTENDED}
MINOR_UNITS = {"BIF": 0, "CLP": 0, "JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "KWD": 3, "TND": 3, "CLF": 4}


def parameters(case: Case) -> dict[str, Any]:
    """The parameters of the price and of what it wraps, and the model that charges."""
    price = case["price"]
    inner = price.get("base", {"model": case["model"]})
    return {**inner, **{name: value for name, value in price.items() if name != "base"}}


def price_of(given: Parameters) -> Price:
    """The price of these parameters."""
    if "dedupe" in given:
        raise RefusedOnPurpose("an id is counted once for ever; a correction says what it replaces")
    free = given.get("usage_discount", given.get("free_units"))
    return Price(
        charge=CHARGES[given["model"]](given),
        conversion=_conversion(given),
        free_units=None if free in {None, "unlimited"} else Fraction(free),
        all_units_free=free == "unlimited",
        is_mirrored=given.get("negative") == "mirror",
        adjustments=_adjustments(given),
        rounding=rounding_of(given),
    )


def rounding_of(given: Parameters) -> Rounding | None:
    """The rule of a line, or of each of its details."""
    return _rounding(given.get("rounding", given.get("total_rounding")))


def _rounding(rule: Parameters | None) -> Rounding | None:
    if rule is None:
        return None
    return Rounding(int(rule["scale"]), MODES[rule["mode"]], rule.get("when") == "line")


def currency_rounding(currency: str, given: Parameters) -> Rounding:
    """To the currency's minor unit, which is the unit itself where the price is in cents."""
    return Rounding(0 if given.get("unit") == "cents" else MINOR_UNITS.get(currency, 2))


def number(given: Parameters, name: str) -> Fraction | None:
    """The number of this name, or None."""
    return None if given.get(name) is None else Fraction(given[name])


def _or_nothing(given: Parameters, name: str) -> Fraction:
    return number(given, name) or Fraction(0)


def _conversion(given: Parameters) -> Conversion | None:
    if given.get("round_up_to") is not None:
        return Conversion(rounding=UP, multiple=Fraction(given["round_up_to"]))
    rule = given.get("unit_conversion")
    if rule is None:
        return None
    factor, mode = Fraction(rule["factor"]), MODES.get(rule.get("rounding", "none"))
    if rule["operation"] == "round_up_to_multiple":
        return Conversion(rounding=UP, multiple=factor)
    return (
        Conversion(factor, rounding=mode) if rule["operation"] == "multiply" else Conversion(per=factor, rounding=mode)
    )


def _adjustments(given: Parameters) -> tuple[Adjustment, ...]:
    """The percent discount, then the most, then the least: the cases' one order."""
    kinds: dict[str, type[Adjustment]] = {"discount_percent": PercentOff, "maximum": Maximum, "minimum": Minimum}
    return tuple(kind(Fraction(given[name])) for name, kind in kinds.items() if given.get(name) is not None)


def _flat(given: Parameters) -> Charge:
    return Flat(Fraction(given["amount"]), given.get("payment_term") == "in_advance")


def _per_unit(given: Parameters) -> Charge:
    return PerUnit(Fraction(given["unit_price"]))


def _packages(given: Parameters) -> Charge:
    mode = MODES[given.get("rounding_packages", "up")]
    return Packages(Fraction(given["package_size"]), Fraction(given["package_price"]), mode)


def _dynamic(given: Parameters) -> Charge:
    return Dynamic(Fraction(given["multiplier"]))


def _percentage(given: Parameters) -> Charge:
    return Percentage(
        Fraction(given["rate_percent"]),
        fee=_or_nothing(given, "fixed_fee_per_event"),
        free_events=number(given, "free_events"),
        free_amount=number(given, "free_amount"),
        least=_or_nothing(given, "min_per_event"),
        most=number(given, "max_per_event"),
        charges_zero=bool(given.get("fixed_on_zero_units")),
    )


def _duration(given: Parameters) -> Charge:
    slots = ("rate", "rate_unit", "increment", "start")
    return Duration(
        tuple(TimeRate(*(Fraction(slot[name]) for name in slots)) for slot in given["slots"]),
        connect_fee=_or_nothing(given, "connect_fee") if given.get("connect_fee_charged", True) else Fraction(0),
        most=number(given, "max_cost") if given.get("max_cost_strategy") == "free" else None,
        increment_rounding=_rounding(given.get("increment_rounding")),
    )


def _matrix(given: Parameters) -> Charge:
    cells = [Cell((cell["key"],), Fraction(cell["unit_price"])) for cell in given["matrix"]]
    default = number(given, "default_unit_price")
    return Matrix((*cells, *([] if default is None else [Cell((None,), default)])))


def _graduated(given: Parameters) -> Charge:
    return _tiers(given, Reading.GRADUATED, "drop")


def _volume(given: Parameters) -> Charge:
    return _tiers(given, Reading.VOLUME, "error")


def _stairstep(given: Parameters) -> Charge:
    """The tier reached, or all up to it, where the case says so."""
    return _graduated(given) if given.get("cumulative") else _volume(given)


def _blocks(given: Parameters) -> Charge:
    return Blocks(tuple(_block_tier(tier) for tier in given["tiers"]), given["mode"] == "TOP_TIER")


def _block_tier(tier: Parameters) -> BlockTier:
    most = Fraction(tier["max_blocks"])
    return BlockTier(Fraction(tier["block_size"]), Fraction(tier["price"]), None if most < 0 else most)


def _no_charge(_: Parameters) -> Charge:
    """The case asks for quantities alone."""
    return PerUnit(Fraction(0))


def _tiers(given: Parameters, reading: Reading, beyond: str) -> Tiers:
    return Tiers(
        tuple(_tier(tier) for tier in given["tiers"]),
        reading,
        BEYOND[given.get("overflow", beyond)],
        bool(given.get("zero_quantity_bills_first_flat")),
    )


def _tier(tier: Parameters) -> Tier:
    return Tier(
        number(tier, "up_to"),
        unit_price=number(tier, "package_price" if "package_price" in tier else "unit_price"),
        percent=number(tier, "rate_percent"),
        package_size=number(tier, "package_size"),
        flat_fee=number(tier, "flat_price" if "flat_price" in tier else "flat_fee"),
        cap=number(tier, "cap"),
    )


CHARGES = {
    "flat": _flat,
    "per_unit": _per_unit,
    "package": _packages,
    "dynamic": _dynamic,
    "percentage": _percentage,
    "time_rated": _duration,
    "matrix": _matrix,
    "graduated": _graduated,
    "prorated_graduated": _graduated,
    "graduated_percentage": _graduated,
    "volume": _volume,
    "stairstep": _stairstep,
    "tiered_blocks": _blocks,
    "unit_conversion": _no_charge,
    "usage_discount": _no_charge,
}
