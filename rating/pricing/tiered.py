"""Charges by tiers, in details: what each tier holds and costs, or what the tier reached costs.

Bounds are inclusive, a tier begins just above the one before, and fractions of a unit may cross. A flat fee is owed in
full once its tier holds anything.
"""

import numpy as np

from rating import ratios
from rating.exact import Int64s
from rating.gathered import joined
from rating.pricing.details import NOTHING, ONE, Detail, Kind, only
from rating.pricing.measure import Measured
from rating.pricing.parts import Beyond, Reading, Tier, Tiers
from rating.pricing.shapes import Shape, Terms
from rating.pricing.usage import Usage
from rating.ratios import UP, Bools, Ratios


def tiered(terms: Terms, units: Measured, _: Usage) -> list[Detail]:
    """The details of every tier, or of the one reached."""
    return graduated(terms, units) if tiers_of(terms.shape).reading is Reading.GRADUATED else volume(terms, units)


def tiers_of(shape: Shape) -> Tiers:
    """The tiers of a shape; only what is no number is that of every price."""
    charge = shape.example.charge
    assert isinstance(charge, Tiers)
    return charge


def graduated(terms: Terms, units: Measured) -> list[Detail]:
    """A usage and a fee detail for each tier, for what of it lies between the line's beginning and its end."""
    charge, after = tiers_of(terms.shape), units.after
    before = ratios.zeros(1) if units.splits is None else units.splits.before
    details, lower = [], ratios.zeros(1)
    for place, tier in enumerate(charge.tiers):
        last = place == len(charge.tiers) - 1
        is_open = tier.up_to is None or (last and charge.beyond is Beyond.EXTENDED)
        upper = after if is_open else terms.of(f"charge.tiers.{place}.up_to")
        from_, to = ratios.greater(before, lower), ratios.lesser(after, upper)
        held = ratios.spread(ratios.greater(ratios.minus(to, from_), NOTHING), len(terms.row))
        if charges_units(tier):
            present = held.numerator > 0
            details.append(_units(terms, place, held, present | (after.numerator == 0) if place == 0 else present))
        if tier.flat_fee is not None:
            entered = ratios.is_above(after, lower) & ~ratios.is_above(before, lower)
            details.append(_fee(terms, place, _opened(charge, units) if place == 0 else entered))
        lower = upper
    return details


def volume(terms: Terms, units: Measured) -> list[Detail]:
    """The fee of the tier reached, and the whole period's quantity at its price, on the period's last line."""
    charge, after = tiers_of(terms.shape), units.after
    reached = tier_reached(terms, after)
    held = np.asarray(reached < len(charge.tiers), dtype=np.bool_)
    tier = np.minimum(reached, len(charge.tiers) - 1)
    is_some = np.asarray(after.numerator > 0, dtype=np.bool_)
    billed = held if units.splits is None else held & units.splits.closes
    fee = _of_tier(terms, "flat_fee", tier)
    owes_fee = billed & (fee.numerator != 0) & (is_some | charge.charges_zero)
    details = [Detail(Kind.FLAT_FEE, tier + 1, owes_fee, ONE, fee, only(owes_fee, fee), NOTHING)]
    priced = np.array([charges_units(one) for one in charge.tiers])
    if priced.any():
        present = billed & is_some & priced[tier]
        details.append(_volume_units(terms, tier, after, present))
    return details


def unpriced(terms: Terms, units: Measured) -> Bools | None:
    """The lines that no tier holds, where the price refuses them."""
    charge = terms.price.charge
    if not isinstance(charge, Tiers) or charge.tiers[-1].up_to is None or charge.beyond is not Beyond.REFUSED:
        return None
    beyond = ratios.is_above(units.after, terms.of(f"charge.tiers.{len(charge.tiers) - 1}.up_to"))
    bills_here = charge.reading is Reading.GRADUATED or units.splits is None
    return beyond if bills_here or units.splits is None else beyond & units.splits.closes


def tier_reached(terms: Terms, quantity: Ratios) -> Int64s:
    """The first tier, from 0, whose bound holds the quantity; one more than there are where none does."""
    charge = tiers_of(terms.shape)
    reached = np.zeros(len(terms.row), dtype=np.int64)
    for place, tier in enumerate(charge.tiers):
        last = place == len(charge.tiers) - 1
        if tier.up_to is not None and not (last and charge.beyond is Beyond.EXTENDED):
            reached += ratios.is_above(quantity, terms.of(f"charge.tiers.{place}.up_to"))
    return reached


def charges_units(tier: Tier) -> bool:
    """Whether a tier prices what it holds, be it at zero."""
    return tier.unit_price is not None or tier.percent is not None


def tier_column(shape: Shape, place: int, name: str) -> Ratios:
    """A number of one tier, price by price: `unit_price` is a percent too, and what a tier has not is nothing."""
    tier = tiers_of(shape).tiers[place]
    if name == "unit_price" and tier.percent is not None:
        return ratios.times(shape.numbers[f"charge.tiers.{place}.percent"], ratios.constant(1, 100))
    if getattr(tier, name) is None:
        return ratios.zeros(shape.prices)
    return shape.numbers[f"charge.tiers.{place}.{name}"]


def _opened(charge: Tiers, units: Measured) -> Bools:
    """Where the line begins the first tier: once a period, and on a line that opens it."""
    some = np.asarray(units.after.numerator > 0, dtype=np.bool_)
    owes = np.ones_like(some) if charge.charges_zero else some
    if units.splits is None:
        return owes
    return owes & units.splits.opens & np.asarray(units.splits.before.numerator == 0, dtype=np.bool_)


def _units(terms: Terms, place: int, held: Ratios, present: Bools) -> Detail:
    tier = tiers_of(terms.shape).tiers[place]
    price = ratios.taken(tier_column(terms.shape, place, "unit_price"), terms.row)
    quantity = held
    if tier.package_size is not None:
        size = terms.of(f"charge.tiers.{place}.package_size")
        quantity = ratios.whole(ratios.integers(ratios.over(held, size), UP))
    amount = ratios.times(quantity, price)
    if tier.cap is not None:
        amount = ratios.lesser(amount, terms.of(f"charge.tiers.{place}.cap"))
    return Detail(Kind.USAGE, np.array([place + 1]), present, quantity, price, only(present, amount), NOTHING)


def _fee(terms: Terms, place: int, entered: Bools) -> Detail:
    fee = terms.of(f"charge.tiers.{place}.flat_fee")
    present = entered & (fee.numerator != 0)
    return Detail(Kind.FLAT_FEE, np.array([place + 1]), present, ONE, fee, only(present, fee), NOTHING)


def _volume_units(terms: Terms, tier: Int64s, after: Ratios, present: Bools) -> Detail:
    tiers, price, quantity = tiers_of(terms.shape).tiers, _of_tier(terms, "unit_price", tier), after
    in_packages = np.array([one.package_size is not None for one in tiers])
    if in_packages.any():
        size = _of_tier(terms, "package_size", tier)
        size = Ratios(np.where(in_packages[tier], size.numerator, size.denominator), size.denominator)
        packages = ratios.whole(ratios.integers(ratios.over(after, size), UP))
        quantity = ratios.where(in_packages[tier], packages, after)
    amount = ratios.times(quantity, price)
    has_cap = np.array([one.cap is not None for one in tiers])
    if has_cap.any():
        capped = ratios.lesser(amount, _of_tier(terms, "cap", tier))
        amount = ratios.where(has_cap[tier], capped, amount)
    return Detail(Kind.USAGE, tier + 1, present, quantity, price, only(present, amount), NOTHING)


def _of_tier(terms: Terms, name: str, tier: Int64s) -> Ratios:
    """A number of each line's own tier."""
    tables, shape = terms.shape.tables, terms.shape
    if name not in tables:
        tables[name] = joined([tier_column(shape, place, name) for place in range(len(tiers_of(shape).tiers))])
    return ratios.taken(tables[name], tier * shape.prices + terms.row)
