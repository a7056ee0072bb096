"""The steps from units to what the blocks of tiers cost."""

from collections.abc import Sequence

from rating.derivation.measuring import Units
from rating.derivation.numbers import exactly
from rating.derivation.steps import Steps, Unit, Value, given
from rating.pricing.parts import Blocks, BlockTier

BLOCKS = Unit("blocks")


def by_blocks(steps: Steps, charge: Blocks, units: Units) -> list[Value]:
    """Each tier prices the blocks that it takes, or the last one that takes any prices all in its own."""
    counts = _taken(steps, charge.tiers, units)
    if charge.of_top_tier and counts:
        steps.say(f"-> all in tier {len(counts)}")
        size = charge.tiers[len(counts) - 1].size
        every = steps.take("started", f"all in blocks of {exactly(size)}", [units.value, given(size)], BLOCKS)
        return [_cost(steps, charge.tiers, len(counts), every)]
    steps.say(f"-> {len(counts) or 'no'} tier{'' if len(counts) == 1 else 's'}")
    return [_cost(steps, charge.tiers, tier, count) for tier, count in enumerate(counts, start=1)]


def _taken(steps: Steps, tiers: Sequence[BlockTier], units: Units) -> list[Value]:
    """The blocks of each tier that takes any."""
    left, found = units.value, list[Value]()
    for place, tier in enumerate(tiers, start=1):
        if left.number <= 0:
            break
        found.append(
            steps.take("started", f"tier {place}, blocks of {exactly(tier.size)}", [left, given(tier.size)], BLOCKS)
        )
        if tier.most is None:
            break
        found[-1] = steps.take("at_most", f"tier {place} takes", [found[-1], given(tier.most)], BLOCKS)
        held = steps.take("times", f"tier {place} holds", [found[-1], given(tier.size)], units.unit)
        left = steps.take("beyond", f"beyond tier {place}", [left, held], units.unit)
    return found


def _cost(steps: Steps, tiers: Sequence[BlockTier], number: int, count: Value) -> Value:
    price = tiers[number - 1].price
    return steps.owed("times", f"tier {number} at {exactly(price)} a block", count, given(price))
