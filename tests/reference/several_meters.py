"""Prices that read several units at once: Kill Bill's blocks of a tier's own, and capacity by the highest values."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

from tests.reference.exactness import ZERO, Parameters, number, optional, rounded
from tests.reference.lines import Line, Usage

ONLY_UNIT = ""


def tiered_blocks(price: Parameters, case: Parameters) -> dict[str, Any]:
    """Blocks of every unit, priced apart and summed, less what was billed before."""
    tiers = price["units"] if "units" in price else {ONLY_UNIT: price["tiers"]}
    amounts = [
        blocks * number(tier["price"])
        for unit, quantity in _totals(case).items()
        for tier, blocks in _billed_blocks(price["mode"], tiers[unit], quantity)
    ]
    amount = rounded(sum(amounts, ZERO), price.get("rounding"))
    return {"amount": amount - optional(price, "previously_billed"), "lines": [{"amount": each} for each in amounts]}


def blocks(price: Parameters, usage: Usage) -> list[Line]:
    """One unit's: the blocks that each tier takes more than before; or all in the top tier's, as the period closes."""
    tiers = price["tiers"]
    after, before = ([count for _, count in _filled(tiers, one)] for one in (usage.after, usage.before))
    counts = [count - (before[place] if place < len(before) else 0) for place, count in enumerate(after)]
    if price["mode"] == "TOP_TIER":
        billed = _billed_blocks("TOP_TIER", tiers, usage.after) if usage.closes_period else []
        counts = [*([ZERO] * (len(after) - 1)), *(count for _, count in billed)]
    return [
        Line(f"units-{place}", f"tier {place}", count, number(tier["price"]), count * number(tier["price"]), tier=place)
        for place, (tier, count) in enumerate(zip(tiers, counts, strict=False), start=1)
        if count
    ]


def capacity(price: Parameters, usage: Sequence[Parameters]) -> dict[str, Any]:
    """The price of the first tier that no unit's highest value exceeds, less what was billed before."""
    highest: dict[str, Fraction] = {}
    for entry in usage:
        quantity = number(entry["quantity"])
        highest[entry["unit"]] = max(highest.get(entry["unit"], quantity), quantity)
    for tier in price["tiers"]:
        limits = tier["limits"]
        if limits is None or all(highest.get(unit, ZERO) <= number(limit) for unit, limit in limits.items()):
            return {"amount": number(tier["price"]) - optional(price, "previously_billed")}
    raise ValueError(f"no tier holds {highest}")


def _totals(case: Parameters) -> dict[str, Fraction]:
    if "quantity" in case:
        return {ONLY_UNIT: number(case["quantity"])}
    totals: dict[str, Fraction] = {}
    for entry in case["usage"]:
        totals[entry["unit"]] = totals.get(entry["unit"], ZERO) + number(entry["quantity"])
    return totals


def _billed_blocks(mode: str, tiers: Sequence[Parameters], quantity: Fraction) -> list[tuple[Parameters, Fraction]]:
    """All tiers that were filled with their blocks, or the top one reached with blocks of the whole quantity."""
    filled = list(_filled(tiers, quantity))
    if mode == "ALL_TIERS" or not filled:
        return filled
    assert mode == "TOP_TIER", mode
    tier, _ = filled[-1]
    return [(tier, Fraction(ceil(quantity / number(tier["block_size"]))))]


def _filled(tiers: Sequence[Parameters], quantity: Fraction) -> Iterator[tuple[Parameters, Fraction]]:
    """Tier after tier with the blocks it takes of its own size; what the last one can't hold is dropped."""
    left = quantity
    for tier in tiers:
        if left <= 0:
            return
        size, most = number(tier["block_size"]), number(tier["max_blocks"])
        blocks = Fraction(ceil(left / size))
        taken = blocks if most < 0 else min(blocks, most)
        yield tier, taken
        left -= taken * size
