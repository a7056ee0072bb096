"""Price units in tiers that hold blocks of their own size: each tier takes as many as it can, started ones whole.

Unlike the bounds of graduated tiers, `most` counts the blocks of its tier alone.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

import numpy as np

from rating.ratios import (
    UP,
    Bools,
    Ratios,
    constant,
    greater,
    integers,
    is_above,
    lesser,
    minus,
    over,
    plus,
    times,
    where,
    whole,
)
from rating.rounding import Rounding, rounded


class Blocks(Enum):
    """Which tiers bill."""

    OF_ALL_TIERS = auto()
    """Every tier its own blocks; what the last one can't hold is free."""
    OF_TOP_TIER = auto()
    """The tier reached the whole quantity, in blocks of its size; the last one also what it can't hold."""


class BlockTier(NamedTuple):
    """One tier of every line's price."""

    size: Ratios
    most: Ratios | None
    """Blocks that it holds; open where there is none."""
    price: Ratios
    """Of a block."""


class TierBlocks(NamedTuple):
    """What one tier of every line bills."""

    is_billed: Bools
    amount: Ratios


def tier_blocks(quantity: Ratios, tiers: Sequence[BlockTier], mode: Blocks) -> list[TierBlocks]:
    """What each tier bills of one unit's quantities."""
    left, reached, held = quantity, list[Bools](), list[TierBlocks]()
    for tier in tiers:
        is_reached = is_above(left, constant(0))
        started = whole(integers(over(left, tier.size), UP))
        taken = started if tier.most is None else lesser(started, tier.most)
        held.append(TierBlocks(is_reached, where(is_reached, times(taken, tier.price), constant(0))))
        reached.append(is_reached)
        left = minus(left, times(greater(taken, constant(0)), tier.size))
    if mode is Blocks.OF_ALL_TIERS:
        return held
    beyond = [*reached[1:], np.zeros_like(reached[-1])]
    return [
        _of_top(quantity, tier, is_reached & ~is_passed)
        for tier, is_reached, is_passed in zip(tiers, reached, beyond, strict=True)
    ]


def block_amounts(units: Sequence[Sequence[TierBlocks]], billed: Ratios, rule: Rounding | None) -> Ratios:
    """What all units' blocks come to, less what was `billed` before."""
    amount = constant(0)
    for held in (held for unit in units for held in unit):
        amount = plus(amount, held.amount)
    return minus(rounded(amount, rule), billed)


def _of_top(quantity: Ratios, tier: BlockTier, is_top: Bools) -> TierBlocks:
    blocks = whole(integers(over(quantity, tier.size), UP))
    return TierBlocks(is_top, where(is_top, times(blocks, tier.price), constant(0)))
