"""A price in blocks is told tier by tier: what each takes, and what is left for the next."""

from fractions import Fraction

from rating.derivation.derive import derivation
from rating.derivation.steps import Unit
from rating.derivation.used import Quantity
from rating.pricing.parts import Blocks, BlockTier, Price, Rounding

F = Fraction
TIERS = (BlockTier(F(100), F("2.95"), F(10)), BlockTier(F(1000), F("5.95")))


def told(charge: Blocks, quantity: int) -> list[str]:
    found = derivation(Price(charge=charge, rounding=Rounding(2)), Quantity(F(quantity)), Unit("calls"), Unit("EUR", 2))
    return [found.summary, *(f"{step.what}: {step.text}" for step in found.steps)]


def test_each_tier_is_told_with_what_is_left_for_the_next() -> None:
    assert told(Blocks(TIERS), 2001) == [
        "2,001 calls -> 2 tiers -> rounding +0.00 = 41.40 EUR",
        "measured: 2,001 calls",
        "tier 1, blocks of 100: 2,001 in started 100 = 21 blocks",
        "tier 1 takes: 21, at most 10 = 10 blocks",
        "tier 1 holds: 10 x 100 = 1,000 calls",
        "beyond tier 1: 2,001 - 1,000 = 1,001 calls",
        "tier 2, blocks of 1,000: 1,001 in started 1,000 = 2 blocks",
        "tier 1 at 2.95 a block: 10 x 2.95 = 29.50 EUR",
        "tier 2 at 5.95 a block: 2 x 5.95 = 11.90 EUR",
        "together: 29.5 + 11.9 = 41.40 EUR",
        "rounded: 41.4 to the nearest 0.01 = 41.40 EUR",
    ]


def test_the_top_tier_is_told_with_all_in_its_blocks() -> None:
    said = told(Blocks(TIERS, of_top_tier=True), 2001)
    assert said[0] == "2,001 calls -> all in tier 2 -> rounding +0.00 = 17.85 EUR"
    assert said[7:9] == [
        "all in blocks of 1,000: 2,001 in started 1,000 = 3 blocks",
        "tier 2 at 5.95 a block: 3 x 5.95 = 17.85 EUR",
    ]


def test_nothing_is_in_no_tier() -> None:
    assert told(Blocks(TIERS, of_top_tier=True), 0)[0] == "0 calls -> no tiers -> rounding +0.00 = 0.00 EUR"
