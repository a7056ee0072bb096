"""Price units that stay until they are given back, each for the share of the period it is there.

Whole units choose the tiers: an event moves the level from where the one before left it, and each unit on the way is
priced where it stands, at the event's share. An event below zero gives back the units on top. Tiers' flat fees go by
the highest level of the period; what the period comes to is never less than nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rating.exact import Int64s
from rating.groups import above, group_of, highest, totals
from rating.ratios import (
    Ratios,
    constant,
    greater,
    is_above,
    lesser,
    minus,
    over,
    plus,
    taken,
    times,
    where,
)
from rating.rounding import Rounding, rounded


class LevelTier(NamedTuple):
    """One tier of every line's price."""

    up_to: Ratios | None
    """Inclusive; open where there is none. Units beyond the last tier are free."""
    unit_price: Ratios
    flat_fee: Ratios


class Events(NamedTuple):
    """Units that come and go, line by line and in order."""

    offset: Int64s
    full: Ratios
    """Units added, below zero where they are given back."""
    prorated: Ratios
    """The same times the share of the period that is left."""


def recurring_amounts(
    events: Events, tiers: Sequence[LevelTier], *, zero_bills_first_flat: bool, rule: Rounding | None
) -> Ratios:
    """What each line's units come to."""
    before = above(events.full, events.offset)
    level = plus(before, events.full)
    line = group_of(events.offset)
    own = [_of_lines(tier, line) for tier in tiers]
    apart = minus(_units_amount(level, own), _units_amount(before, own))
    # The way back from `level` to `before` is negative like the prorated units on it: their ratio is the share.
    is_still = events.full.numerator == 0
    share = over(events.prorated, where(is_still, constant(1), events.full))
    amount = totals(where(is_still, constant(0), times(share, apart)), events.offset)
    fees = _flat_fees(highest(level, events.offset), tiers, zero_bills_first_flat=zero_bills_first_flat)
    return rounded(greater(plus(amount, fees), constant(0)), rule)


def in_days(full: Ratios, share: Ratios) -> Ratios:
    """Units prorated by the days that are left."""
    return times(full, share)


def _of_lines(tier: LevelTier, line: Int64s) -> LevelTier:
    """A tier's parameters beside each event."""
    return LevelTier(*(None if part is None else taken(part, line) for part in tier))  # type: ignore[arg-type]


def _units_amount(level: Ratios, tiers: Sequence[LevelTier]) -> Ratios:
    """What all units up to `level` cost for a whole period, without flat fees."""
    amount, floor = constant(0), constant(0)
    for tier in tiers:
        ceiling = level if tier.up_to is None else lesser(level, tier.up_to)
        amount = plus(amount, times(greater(minus(ceiling, floor), constant(0)), tier.unit_price))
        floor = floor if tier.up_to is None else tier.up_to
    return amount


def _flat_fees(level: Ratios, tiers: Sequence[LevelTier], *, zero_bills_first_flat: bool) -> Ratios:
    """The fees of all tiers that `level` entered."""
    fees, floor = constant(0), constant(-1) if zero_bills_first_flat else constant(0)
    reached = greater(level, constant(0))
    for tier in tiers:
        fees = plus(fees, where(is_above(reached, floor), tier.flat_fee, constant(0)))
        floor = floor if tier.up_to is None else tier.up_to
    return fees
