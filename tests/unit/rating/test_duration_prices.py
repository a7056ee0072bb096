"""A price by duration is read as it is written, told in words, and refused with its place where it can't be meant."""

from fractions import Fraction

import pytest

from rating.catalog_file import parse
from rating.price_words import price_in_words
from rating.pricing.parts import Duration, Price, Rounding, TimeRate
from rating.pricing.written import read, written
from rating.ratios import UP

MINUTE = Fraction(60)
CATALOG = """\
meters:
  - {name: talk, event_type: call, aggregation: sum, value: seconds, unit: s}
  - {name: dials, event_type: call, aggregation: count}
plans:
  - name: voice
    currency: EUR
    prices:
      - product: Calls
        meter: talk
        model: duration
        connect_fee: 0.4
        rates:
          - {rate: 0.2, per: 60, increment: 60}
          - {from: 60, rate: 0.1, per: 60, increment: 1}
        most: 5
        increment_rounding: {decimals: 5, mode: up}
"""
CHARGE = Duration(
    (TimeRate(Fraction("0.2"), MINUTE, MINUTE), TimeRate(Fraction("0.1"), MINUTE, Fraction(1), MINUTE)),
    Fraction("0.4"),
    Fraction(5),
    Rounding(5, UP),
)


def test_a_price_by_duration_is_read_whole_and_kept_whole() -> None:
    catalog, mistakes = parse(CATALOG)
    assert catalog is not None, mistakes
    (price,) = catalog.plans[0].prices
    assert price.terms == Price(charge=CHARGE, is_mirrored=True)
    assert read(written(price.terms)) == price.terms


def test_it_is_told_in_the_order_of_a_call() -> None:
    assert price_in_words(Price(charge=CHARGE)) == (
        "0.4 to connect, 0.2 per 60 in increments of 60, from 60 on 0.1 per 60 in increments of 1, at most 5 an event, "
        "each increment rounded up to 5 decimals"
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("{rate: 0.2,", "{from: 1, rate: 0.2,", "line 13, column 20: plans[0].prices[0].rates[0].from: the first rate"),
        ("{from: 60,", "{", "line 14, column 13: plans[0].prices[0].rates[1].from: expected more than 0, where"),
        ("{from: 60,", "{from: 0,", "rates[1].from: expected more than 0, where the rate before begins, found 0"),
        ("meter: talk", "meter: dials", "line 9, column 16: plans[0].prices[0].meter: dials counts events"),
        (", increment: 1}", "}", "rates[1].increment: increment is missing: add it"),
        ("increment: 1}", "increment: 0}", "rates[1].increment: expected a quantity above 0, found 0"),
        ("per: 60, increment: 60}", "per: 0, increment: 60}", "rates[0].per: expected a quantity above 0, found 0"),
        ("rate: 0.2", "rate: -0.2", "rates[0].rate: expected a price that is not negative, found '-0.2'"),
        ("decimals: 5", "decimals: 13", "decimals: expected a whole number from 0 to 12, found '13'"),
        ("connect_fee", "conect_fee", "conect_fee is not known here; did you mean connect_fee?"),
        ("most: 5", "free_units: 5", "duration has no free_units: remove it, or change the model"),
    ],
)
def test_each_mistake_is_told_with_its_place(before: str, after: str, said: str) -> None:
    assert before in CATALOG
    catalog, mistakes = parse(CATALOG.replace(before, after))
    assert catalog is None
    assert any(said in str(mistake) for mistake in mistakes), [str(mistake) for mistake in mistakes]


def test_a_price_by_duration_needs_a_rate() -> None:
    rates = CATALOG[CATALOG.index("        rates:") : CATALOG.index("        most:")]
    for instead, said in (
        ("        rates: []\n", "expected at least one rate"),
        ("", "rates is missing: duration needs it"),
    ):
        _, mistakes = parse(CATALOG.replace(rates, instead))
        assert [said in str(mistake) for mistake in mistakes] == [True]
