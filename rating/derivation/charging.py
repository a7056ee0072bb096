"""The steps from units to what each part of a charge costs: an amount, a price, packages, tiers, cells."""

from collections.abc import Sequence
from fractions import Fraction

from rating.derivation.by_blocks import by_blocks
from rating.derivation.measuring import Units
from rating.derivation.numbers import exactly
from rating.derivation.steps import ROUNDED, Steps, Unit, Value, given
from rating.derivation.used import Cells, Key
from rating.pricing.parts import (
    Beyond,
    Blocks,
    Cell,
    Dynamic,
    Flat,
    Matrix,
    Packages,
    PerUnit,
    PricedWith,
    Reading,
    Tier,
    Tiers,
)
from rating.ratios import UP

PACKAGES = Unit("packages")


def charged(
    steps: Steps, charge: Flat | PerUnit | Packages | Dynamic | Tiers | Blocks | PricedWith, units: Units
) -> list[Value]:
    """What the units cost, part by part."""
    match charge:
        case Flat():
            return [steps.owed("given", "the amount", given(charge.amount))]
        case PerUnit():
            return [steps.owed("times", f"at {exactly(charge.unit_price)}", units.value, given(charge.unit_price))]
        case Packages():
            count = _packages(steps, units.value, charge.size, charge.rounding)
            steps.say(f"-> {exactly(count.number)} packages")
            return [steps.owed("times", f"at {exactly(charge.price)} a package", count, given(charge.price))]
        case Dynamic():
            return [steps.owed("times", "the usage is money", units.value, given(charge.multiplier))]
        case PricedWith():
            steps.say(f"-> priced with {charge.meter}")
            return [steps.owed("given", f"priced with {charge.meter}", given(0))]
        case Tiers():
            return (
                _graduated(steps, charge, units)
                if charge.reading is Reading.GRADUATED
                else _volume(steps, charge, units)
            )
        case Blocks():
            return by_blocks(steps, charge, units)


def _packages(steps: Steps, units: Value, size: Fraction, mode: int) -> Value:
    exact = steps.take("divided", f"in packages of {exactly(size)}", [units, given(size)], PACKAGES)
    return steps.take(ROUNDED[mode], "whole packages", [exact, given(1)], PACKAGES)


def _graduated(steps: Steps, charge: Tiers, units: Units) -> list[Value]:
    """Each tier prices what it holds."""
    found: list[Value] = []
    lower, reached = Fraction(0), 0
    for place, tier in enumerate(charge.tiers):
        is_entered = units.value.number > lower or (place == 0 and charge.charges_zero)
        if not is_entered:
            break
        reached += 1
        name, upper = _name(charge, place, lower), _upper(charge, place)
        if _prices_units(tier):
            bounds = [given(lower)] if upper is None else [given(lower), given(upper)]
            held = steps.take("held_by_tier", f"{name} holds", [units.value, *bounds], units.unit)
            found.append(_tier_units(steps, tier, place, held))
        found += _tier_fee(steps, tier, place)
        lower = units.value.number if upper is None else upper
    steps.say(f"-> {reached or 'no'} tier{'' if reached == 1 else 's'}")
    return found


def _volume(steps: Steps, charge: Tiers, units: Units) -> list[Value]:
    """The tier reached prices all."""
    quantity = units.value.number
    uppers = [_upper(charge, place) for place in range(len(charge.tiers))]
    reached = next((place for place, upper in enumerate(uppers) if upper is None or quantity <= upper), None)
    if reached is None or (quantity == 0 and not charge.charges_zero):
        return []
    tier = charge.tiers[reached]
    steps.say(f"-> all in tier {reached + 1}")
    found = _tier_fee(steps, tier, reached)
    if _prices_units(tier) and quantity > 0:
        found.append(_tier_units(steps, tier, reached, units.value))
    return found


def _tier_units(steps: Steps, tier: Tier, place: int, held: Value) -> Value:
    name = f"tier {place + 1}"
    if tier.percent is not None:
        cost = steps.owed("percent", f"{name} at {exactly(tier.percent)} %", held, given(tier.percent))
    else:
        price = tier.unit_price or Fraction(0)
        if tier.package_size is not None:
            held = _packages(steps, held, tier.package_size, UP)
        a_package = "" if tier.package_size is None else " a package"
        cost = steps.owed("times", f"{name} at {exactly(price)}{a_package}", held, given(price))
    return cost if tier.cap is None else steps.owed("at_most", f"{name} costs at most", cost, given(tier.cap))


def _tier_fee(steps: Steps, tier: Tier, place: int) -> list[Value]:
    return [steps.owed("given", f"tier {place + 1}, flat fee", given(tier.flat_fee))] if tier.flat_fee else []


def _upper(charge: Tiers, place: int) -> Fraction | None:
    is_last = place == len(charge.tiers) - 1
    return None if is_last and charge.beyond is Beyond.EXTENDED else charge.tiers[place].up_to


def _name(charge: Tiers, place: int, lower: Fraction) -> str:
    upper = _upper(charge, place)
    above = f" above {exactly(lower)}" if lower else ""
    return f"tier {place + 1}{above}{'' if upper is None else f' up to {exactly(upper)}'}"


def _prices_units(tier: Tier) -> bool:
    return tier.unit_price is not None or tier.percent is not None


def by_cells(steps: Steps, charge: Matrix, used: Cells) -> list[Value]:
    """What each cell's quantity costs at its price."""
    quantities: dict[int, Fraction] = {}
    for key, quantity in used.quantities:
        place = _cell_of(charge.cells, key)
        quantities[place] = quantities.get(place, Fraction(0)) + quantity
    places = sorted(quantities)
    steps.take("sum", "measured", [given(quantities[place]) for place in places], steps.measured)
    steps.say(f"{exactly(sum(quantities.values(), Fraction(0)))} {steps.measured.name} -> {len(places)} cells")
    return [_by_cell(steps, charge.cells[place : place + 1], quantities[place]) for place in places]


def _by_cell(steps: Steps, cell: Sequence[Cell], quantity: Fraction) -> Value:
    if not cell:
        return steps.owed("times", "of no cell: costs nothing", given(quantity), given(0))
    name = "/".join(value or "any" for value in cell[0].key)
    return steps.owed("times", f"{name} at {exactly(cell[0].unit_price)}", given(quantity), given(cell[0].unit_price))


def _cell_of(cells: Sequence[Cell], key: Key) -> int:
    """The first that takes the key, or one more than there are."""
    takes = (
        place for place, cell in enumerate(cells) if all(w in (None, v) for w, v in zip(cell.key, key, strict=True))
    )
    return next(takes, len(cells))
