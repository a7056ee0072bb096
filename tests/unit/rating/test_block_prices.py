"""A price in blocks is read as it is written, told in words, and refused with its place where it can't be meant."""

from fractions import Fraction

import pytest

from rating.catalog_file import parse
from rating.price_words import price_in_words
from rating.pricing.parts import Blocks, BlockTier, Price
from rating.pricing.written import read, written

CATALOG = """\
meters:
  - {name: messages, event_type: message, aggregation: count}
plans:
  - name: bulk
    currency: EUR
    prices:
      - product: Messages
        meter: messages
        model: blocks
        tiers:
          - {block_size: 100, block_price: 2.95, blocks: 10}
          - {block_size: 1000, block_price: 5.95}
        bills: top_tier
"""
CHARGE = Blocks(
    (
        BlockTier(Fraction(100), Fraction("2.95"), Fraction(10)),
        BlockTier(Fraction(1000), Fraction("5.95")),
    ),
    of_top_tier=True,
)


def test_a_price_in_blocks_is_read_whole_and_kept_whole() -> None:
    catalog, mistakes = parse(CATALOG)
    assert catalog is not None, mistakes
    (price,) = catalog.plans[0].prices
    assert price.terms == Price(charge=CHARGE, is_mirrored=True)
    assert read(written(price.terms)) == price.terms


def test_every_tier_bills_unless_the_price_says_otherwise() -> None:
    said = {CATALOG.replace("        bills: top_tier\n", ""), CATALOG.replace("top_tier", "every_tier")}
    for text in said:
        catalog, mistakes = parse(text)
        assert catalog is not None, mistakes
        assert catalog.plans[0].prices[0].terms.charge == Blocks(CHARGE.tiers)


def test_it_is_told_tier_by_tier() -> None:
    blocks = "2.95 for each started block of 100 up to 10 blocks, then 5.95 for each started block of 1000"
    assert price_in_words(Price(charge=Blocks(CHARGE.tiers))) == blocks
    assert price_in_words(Price(charge=CHARGE)) == f"all at the tier reached: {blocks}"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "5.95}",
            "5.95, blocks: 7}",
            "line 12, column 13: plans[0].prices[0].tiers[1]: usage past its blocks has no price",
        ),
        (", blocks: 10", "", "line 11, column 13: plans[0].prices[0].tiers[0]: only the last tier is without `blocks`"),
        ("blocks: 10", "blocks: 0", "tiers[0].blocks: expected a whole number above 0, found 0"),
        ("blocks: 10", "blocks: 1.5", "tiers[0].blocks: expected a whole number of at most 0 decimals"),
        ("block_size: 100,", "", "tiers[0].block_size: block_size is missing: add it"),
        ("top_tier", "top", "bills: expected every_tier or top_tier, found 'top'"),
        ("model: blocks", "model: volume", "volume has no bills: remove it"),
    ],
)
def test_each_mistake_is_told_with_its_place(before: str, after: str, said: str) -> None:
    assert before in CATALOG
    catalog, mistakes = parse(CATALOG.replace(before, after, 1))
    assert catalog is None
    assert any(said in str(mistake) for mistake in mistakes), [str(mistake) for mistake in mistakes]
