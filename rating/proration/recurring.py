"""Price units that stay until they are given back, each for the share of the period it is there.

Whole units choose the tiers: an event moves the level from where the one before left it, and each unit on the way is
priced where it stands, at the event's share. An event below zero gives back the units on top. Tiers' flat fees go by
the highest level of the period; what the period comes to is never less than nothing.
"""

from typing import Final, NamedTuple

import numpy as np
from msgspec.structs import replace

from rating.exact import Int64s
from rating.gathered import Gathered
from rating.groups import highest
from rating.pricing.details import NOTHING, Amounts, rounded_once
from rating.pricing.parts import Beyond, Price, Reading, Tier, Tiers
from rating.pricing.rate import rate
from rating.pricing.running import line_sums, sums_so_far, what_each_adds
from rating.pricing.shapes import PriceList, Shape, Terms, stretches
from rating.pricing.usage import Ragged, Usage, chosen
from rating.ratios import Ratios, greater, plus, taken, times

UNITS: Final = "units"
FEES: Final = "fees"


class Events(NamedTuple):
    """Units that come and go, line by line and in order."""

    units: Ragged
    """Added, below zero where they are given back."""
    share: Ratios
    """Per event: how much of the period is left."""


def recurring_amounts(prices: PriceList, of_line: Int64s, events: Events) -> Amounts:
    """What each line's units come to; prices are graduated tiers and how a line is rounded."""
    exact, rounded = (Gathered(len(of_line), all_arrive=True) for _ in range(2))
    for lines, terms in stretches(prices, of_line):
        rows, units = chosen(events.units, lines)
        amounts = rounded_once(_exact(terms, Events(units, taken(events.share, rows))), terms.price.rounding)
        exact.put(lines, amounts.exact)
        rounded.put(lines, amounts.rounded)
    return Amounts(exact.column(), rounded.column())


def _exact(terms: Terms, events: Events) -> Ratios:
    units = events.units
    level = units._replace(quantity=sums_so_far(units))
    cost = level._replace(quantity=_cost(terms.shape, UNITS, terms.row[units.line], level.quantity))
    moved = times(events.share, what_each_adds(cost))
    fees = _cost(terms.shape, FEES, terms.row, highest(level.quantity, level.start))
    return greater(plus(line_sums(units._replace(quantity=moved)), fees), NOTHING)


def _cost(shape: Shape, part: str, row: Int64s, level: Ratios) -> Ratios:
    """What all units up to `level`, or the fees of the tiers that they enter, cost for a whole period."""
    if part not in shape.tables:
        every = np.arange(shape.prices)
        own = Shape(_only(shape.example, part), shape.prices, shape.numbers, {})
        shape.tables[part] = PriceList((own,), np.zeros_like(every), every)
    return rate(shape.tables[part], row, Usage(level)).exact


def _only(price: Price, part: str) -> Price:
    """One part of a price; of units there is no fee at zero, and of fees nothing for a unit."""
    charge = price.charge
    assert isinstance(charge, Tiers)
    assert charge.reading is Reading.GRADUATED
    assert charge.beyond is not Beyond.REFUSED or charge.tiers[-1].up_to is None
    assert price == Price(charge=charge, rounding=price.rounding)
    tiers = tuple(
        replace(tier, flat_fee=None) if part == UNITS else Tier(tier.up_to, flat_fee=tier.flat_fee)
        for tier in charge.tiers
    )
    return Price(charge=replace(charge, tiers=tiers))
