"""Prices in tiers: graduated (each tier prices its part), volume (the tier reached prices all), stairstep.

Upper bounds are inclusive, a tier begins just above the one before, and fractions of a unit may cross. A flat fee is
owed in full once its tier holds anything; the first tier's also for nothing, where the price says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from tests.reference.exactness import ZERO, Parameters, number, optional
from tests.reference.lines import Line, Usage


@dataclass(frozen=True)
class Portion:
    """The part of a usage that one tier holds."""

    tier: Parameters
    ordinal: int
    units: Fraction
    entered: bool


def graduated(price: Parameters, usage: Usage) -> list[Line]:
    """A usage line and a flat line for every tier that the usage runs through; units past a bounded end are free."""
    return [line for portion in portions(price, usage) for line in _portion_lines(portion)]


def graduated_percentage(price: Parameters, usage: Usage) -> list[Line]:
    """The same over an amount of money, each tier with a rate in percent instead of a unit price."""
    tiers = [{**tier, "unit_price": number(tier["rate_percent"]) / 100} for tier in price["tiers"]]
    return graduated({**price, "tiers": tiers}, usage)


def volume(price: Parameters, usage: Usage) -> list[Line]:
    """The whole period's quantity at the tier reached, billed by the period's last line alone."""
    if not usage.closes_period or (usage.after == 0 and not _bills_nothing(price)):
        return []
    ordinal, tier = tier_reached(price["tiers"], usage.after)
    lines = []
    if flat_fee(tier):
        lines.append(_flat_line(ordinal, flat_fee(tier)))
    if charges_units(tier) and usage.after > 0:
        lines.append(_units_line("unit price", ordinal, tier, usage.after))
    return lines


def stairstep(price: Parameters, usage: Usage) -> list[Line]:
    """The flat price of the tier reached, nothing else; no usage reaches none."""
    return volume({"tiers": price["tiers"]}, usage)


def portions(price: Parameters, usage: Usage) -> Iterator[Portion]:
    """What each tier holds of the line's usage, and whether the line is the one that enters it."""
    lower = ZERO
    for ordinal, tier in enumerate(price["tiers"], start=1):
        upper = usage.after if tier["up_to"] is None else number(tier["up_to"])
        units = max(min(usage.after, upper) - max(usage.before, lower), ZERO)
        if ordinal == 1:
            entered = usage.opens_period and usage.before == 0 and (usage.after > 0 or _bills_nothing(price))
        else:
            entered = usage.before <= lower < usage.after
        if units > 0 or entered or (ordinal == 1 and usage.after == 0):
            yield Portion(tier, ordinal, units, entered)
        lower = upper


def tier_reached(tiers: list[Parameters], quantity: Fraction) -> tuple[int, Parameters]:
    """The first tier, and its ordinal, whose inclusive bound holds `quantity`."""
    for ordinal, tier in enumerate(tiers, start=1):
        if tier["up_to"] is None or quantity <= number(tier["up_to"]):
            return ordinal, tier
    raise ValueError(f"no tier holds {quantity}")


def flat_fee(tier: Parameters) -> Fraction:
    """What a tier costs once."""
    return optional(tier, "flat_fee") + optional(tier, "flat_price")


def charges_units(tier: Parameters) -> bool:
    """Whether a tier prices what it holds, be it at zero."""
    return "unit_price" in tier or "package_price" in tier


def _bills_nothing(price: Parameters) -> bool:
    return bool(price.get("zero_quantity_bills_first_flat"))


def _portion_lines(portion: Portion) -> Iterator[Line]:
    if charges_units(portion.tier):
        yield _units_line("usage price", portion.ordinal, portion.tier, portion.units)
    if portion.entered and flat_fee(portion.tier):
        yield _flat_line(portion.ordinal, flat_fee(portion.tier))


def _units_line(kind: str, ordinal: int, tier: Parameters, units: Fraction) -> Line:
    if "package_price" in tier:
        quantity, price = Fraction(ceil(units / number(tier["package_size"]))), number(tier["package_price"])
    else:
        quantity, price = units, number(tier["unit_price"])
    amount = quantity * price
    if tier.get("cap") is not None:
        amount = min(amount, number(tier["cap"]))
    return Line(f"units-{ordinal}", f"feature: {kind} for tier {ordinal}", quantity, price, amount, tier=ordinal)


def _flat_line(ordinal: int, fee: Fraction) -> Line:
    return Line(f"flat-{ordinal}", f"feature: flat price for tier {ordinal}", Fraction(1), fee, fee, tier=ordinal)
