"""Price units in tiers that hold blocks of their own size: each tier takes as many as it can, started ones whole.

Unlike the bounds of graduated tiers, how many blocks a tier holds counts the blocks of that tier alone.
"""

import numpy as np

from rating import ratios
from rating.pricing.details import NOTHING, Detail, Kind, only
from rating.pricing.measure import Measured
from rating.pricing.parts import Blocks
from rating.pricing.shapes import Terms
from rating.pricing.usage import Usage
from rating.ratios import UP, Bools, Ratios


def blocks(terms: Terms, units: Measured, _: Usage) -> list[Detail]:
    """The blocks of every tier, or those of the one reached."""
    charge = terms.price.charge
    assert isinstance(charge, Blocks)
    taken = _taken(terms, charge, units.after)
    if charge.of_top_tier:
        return _of_top_tier(terms, units, taken)
    if units.splits is not None:
        earlier = _taken(terms, charge, units.splits.before)
        taken = [ratios.minus(one, before) for one, before in zip(taken, earlier, strict=True)]
    return [_detail(terms, place, one, _is_some(one)) for place, one in enumerate(taken)]


def _taken(terms: Terms, charge: Blocks, quantity: Ratios) -> list[Ratios]:
    """How many blocks each tier takes."""
    left, found = quantity, []
    for place, tier in enumerate(charge.tiers):
        name = f"charge.tiers.{place}"
        started = _started(terms, place, left)
        found.append(started if tier.most is None else ratios.lesser(started, terms.of(f"{name}.most")))
        left = ratios.greater(ratios.minus(left, ratios.times(found[-1], terms.of(f"{name}.size"))), NOTHING)
    return found


def _of_top_tier(terms: Terms, units: Measured, taken: list[Ratios]) -> list[Detail]:
    """All units in the blocks of the last tier that takes any."""
    bills = np.ones(len(terms.row), dtype=np.bool_) if units.splits is None else units.splits.closes
    reached = [_is_some(one) for one in taken]
    passed = [*reached[1:], np.zeros_like(reached[-1])]
    return [
        _detail(terms, place, _started(terms, place, units.after), bills & is_reached & ~is_passed)
        for place, (is_reached, is_passed) in enumerate(zip(reached, passed, strict=True))
    ]


def _started(terms: Terms, place: int, quantity: Ratios) -> Ratios:
    return ratios.whole(ratios.integers(ratios.over(quantity, terms.of(f"charge.tiers.{place}.size")), UP))


def _detail(terms: Terms, place: int, count: Ratios, present: Bools) -> Detail:
    price = terms.of(f"charge.tiers.{place}.price")
    amount = only(present, ratios.times(count, price))
    return Detail(Kind.USAGE, np.array([place + 1]), present, count, price, amount, NOTHING)


def _is_some(count: Ratios) -> Bools:
    return np.asarray(count.numerator != 0, dtype=np.bool_)
