"""A derivation reads as a person would write it, and a price is followed in the order in which it is applied."""

from fractions import Fraction

import pytest

from rating.derivation.derive import derivation
from rating.derivation.numbers import exactly, shown, signed
from rating.derivation.steps import Derivation, Unit
from rating.derivation.used import Cells, Events, Highest, Quantity, Share, Summed, Used
from rating.derivation_check import problems
from rating.pricing.parts import (
    AmountOff,
    Capacity,
    CapacityTier,
    Cell,
    Charge,
    Conversion,
    Dynamic,
    Matrix,
    Maximum,
    Percentage,
    PercentOff,
    PerUnit,
    Price,
    PricedWith,
    Reading,
    Rounding,
    Tier,
    Tiers,
    Weighted,
)
from rating.ratios import UP

F = Fraction
CENTS = Rounding(2)


def derived(price: Charge | Price, used: Used) -> Derivation:
    whole = price if isinstance(price, Price) else Price(charge=price, rounding=CENTS)
    return derivation(whole, used, Unit("calls"), Unit("EUR", 2))


def texts(found: Derivation) -> list[str]:
    return [f"{step.what}: {step.text}" for step in found.steps]


def test_the_summary_is_the_whole_way_in_one_line() -> None:
    tiers = (
        Tier(F(1_000_000), unit_price=F("0.0005")),
        Tier(F(10_000_000), unit_price=F("0.00040005")),
        Tier(None, unit_price=F("0.0003")),
    )
    price = Price(charge=Tiers(tiers), free_units=F(1_000_000), rounding=CENTS)
    assert derived(price, Quantity(F(12_345_678))).summary == (
        "12,345,678 calls - 1,000,000 included -> 3 tiers -> rounding -0.0034 = 4,504.15 EUR"
    )


def test_converted_units_are_told_before_what_is_free_of_them() -> None:
    conversion = Conversion(F(1), F(60), rounding=UP)
    price = Price(charge=PerUnit(F(2)), conversion=conversion, free_units=F(1), rounding=CENTS)
    assert texts(derived(price, Quantity(F(121)))) == [
        "measured: 121 calls",
        "converted: 121 / 60 = 121/60 (about 2.0167) units",
        "in whole multiples: 121/60 up to a multiple of 1 = 3 units",
        "the first 1 are included: 3 - 1 = 2 units",
        "at 2: 2 x 2 = 4.00 EUR",
        "rounded: 4 to the nearest 0.01 = 4.00 EUR",
    ]


@pytest.mark.parametrize(
    ("is_mirrored", "said", "amount"),
    [
        (True, "below zero: what it costs is given back: -3 x -1 = 3 calls", -6),
        (False, "below zero: costs what nothing costs: -3, at least 0 = 0 calls", 0),
    ],
)
def test_usage_below_zero_is_given_back_or_costs_nothing(is_mirrored: bool, said: str, amount: int) -> None:
    found = derived(Price(charge=PerUnit(F(2)), is_mirrored=is_mirrored, rounding=CENTS), Quantity(F(-3)))
    assert (texts(found)[1], found.amount) == (said, F(amount))


def test_a_share_of_a_month_is_told_in_days() -> None:
    found = derived(PerUnit(F(29)), Share(F(15), F(30), "days"))
    assert found.summary == "29.00 EUR a month x 15 of 30 days -> rounding +0.00 = 14.50 EUR"


def test_discounts_and_the_most_are_taken_off_in_the_order_of_the_price() -> None:
    adjustments = (AmountOff(F(10)), PercentOff(F(50)), Maximum(F(40)))
    price = Price(charge=Dynamic(), adjustments=adjustments, rounding=CENTS)
    assert texts(derived(price, Quantity(F(100))))[2:] == [
        "of 10 off: 10, at most 100 = 10.00 EUR",
        "less the discount: 100 - 10 = 90.00 EUR",
        "left to take off: 10 - 10 = 0.00 EUR",
        "discount of 50 %: 90 x 50 % = 45.00 EUR",
        "less the discount: 90 - 45 = 45.00 EUR",
        "above the most of 40: 45 - 40 = 5.00 EUR",
        "less what is above: 45 - 5 = 40.00 EUR",
        "rounded: 40 to the nearest 0.01 = 40.00 EUR",
    ]


def test_the_tier_reached_is_told_with_its_fee() -> None:
    tiers = (Tier(F(5), unit_price=F(8)), Tier(None, unit_price=F(7), flat_fee=F(3)))
    found = derived(Tiers(tiers, Reading.VOLUME), Quantity(F(6)))
    assert found.summary == "6 calls -> all in tier 2 -> rounding +0.00 = 45.00 EUR"
    assert texts(found)[1:3] == ["tier 2, flat fee: 3.00 EUR", "tier 2 at 7: 6 x 7 = 42.00 EUR"]


def test_a_first_cell_that_takes_a_key_prices_it() -> None:
    cells = (Cell(("eu", None), F(1)), Cell((None, "l"), F(2)), Cell((None, None), F(3)))
    used = Cells([(("eu", "l"), F(10)), (("us", "l"), F(20)), (("us", "s"), F(30)), (("eu", "s"), F(40))])
    assert texts(derived(Matrix(cells), used))[1:4] == [
        "eu/any at 1: 50 x 1 = 50.00 EUR",
        "any/l at 2: 20 x 2 = 40.00 EUR",
        "any/any at 3: 30 x 3 = 90.00 EUR",
    ]


def test_tiers_of_capacity_are_looked_at_until_one_holds_and_owed_for_a_part_of_the_month() -> None:
    tiers = (
        CapacityTier(F(100), (F(10), F(50))),
        CapacityTier(F(250), (F(20), None)),
        CapacityTier(F(900), (None, None)),
    )
    found = derived(Capacity(("seats", "stored"), tiers), Highest([("stored", F("50.5"))], Share(F(15), F(30), "days")))
    assert texts(found) == [
        "highest seats: 0 seats",
        "highest stored: 50.5 stored",
        "tier 1 holds: 0 within 10, 50.5 within 50 = 0",
        "tier 2 holds: 0 within 20 = 1",
        "the first tier that holds, 2: 100 if 0, 250 if 1 = 250.00 EUR",
        "days of the month: 15 of 30 = 0.5",
        "for this part of the month: 0.5 x 250 = 125.00 EUR",
        "rounded: 125 to the nearest 0.01 = 125.00 EUR",
    ]
    assert found.summary == (
        "at most 0 seats and 50.5 stored -> tier 2: 250.00 EUR a month x 15 of 30 days -> rounding +0.00 = 125.00 EUR"
    )


def test_meters_that_are_summed_are_told_one_by_one_with_what_they_weigh() -> None:
    price = Price(charge=PerUnit(F(2)), summed=(Weighted("seats"), Weighted("stored", F("2.5"))), rounding=CENTS)
    found = derived(price, Summed([("stored", F(4))]))
    assert texts(found)[:5] == [
        "measured seats: 0 seats",
        "measured stored: 4 stored",
        "by weight: 4 x 2.5 = 10 calls",
        "measured: 0 + 10 = 10 calls",
        "at 2: 10 x 2 = 20.00 EUR",
    ]
    assert found.summary == "10 calls -> rounding +0.00 = 20.00 EUR"


def test_what_is_priced_with_another_meter_says_with_which() -> None:
    found = derived(PricedWith("seats"), Quantity(F(3)))
    assert found.summary == "3 calls -> priced with seats -> rounding +0.00 = 0.00 EUR"


def test_events_past_the_twentieth_are_counted_at_their_bounds_and_summed_between() -> None:
    charge = Percentage(F(1), fee=F(1), least=F(2), most=F(5))
    amounts = [F(50)] * 20 + [F(10), F(20), F(200), F(300), F(1000)]
    found = derived(charge, Events(amounts))
    assert texts(found)[21:25] == [
        "2 more events at the least: 2 x 2 = 4.00 EUR",
        "1 more event at the most: 1 x 5 = 5.00 EUR",
        "2 more events at 1 % of what is paid of them: 500 x 1 % = 5.00 EUR",
        "2 more events at 1 each: 2 x 1 = 2.00 EUR",
    ]
    assert (found.unlisted, found.amount) == (5, F(20 * 2 + 4 + 5 + 5 + 2))


def test_free_events_owe_nothing_and_say_so() -> None:
    said = texts(derived(Percentage(F(1), free_events=F(1)), Events([F(50), F(60)])))
    assert said[1:3] == ["event 1 owes nothing: 50 x 0 = 0.00 EUR", "event 2: 60 x 1 % = 0.60 EUR"]


@pytest.mark.parametrize(
    ("number", "decimals", "text"),
    [
        (F(1234567), 0, "1,234,567"),
        (F("-1234.5"), 2, "-1,234.50"),
        (F("-0.5"), 0, "-0.5"),
        (F("0.0004"), 2, "0.0004"),
        (F(10**40), 2, f"{10**40:,}.00"),
        (F(-2000, 3), 2, "-2,000/3"),
    ],
)
def test_numbers_are_shown_with_thousands_apart_and_all_of_their_digits(
    number: Fraction, decimals: int, text: str
) -> None:
    assert exactly(number, decimals) == text


def test_a_ratio_without_end_is_shown_beside_what_it_is_about() -> None:
    assert shown(F(2, 3)) == "2/3 (about 0.6667)"
    assert [signed(one, 2) for one in (F("0.003"), F("-0.002"), F(0))] == ["+0.003", "-0.002", "+0.00"]


def test_the_evaluator_tells_an_operation_nobody_knows_and_operands_that_it_cannot_take() -> None:
    step = {"number": 1, "what": "", "operands": [{"value": "1"}, {"value": "0"}], "result": "1"}
    ends = {"exact": "1", "exact_step": 1, "amount": "1", "amount_step": 1}
    said = {"guessed": "step 1 is of no known operation: guessed"}
    said |= {name: f"step 1 has operands that {name} cannot take" for name in ("divided", "given")}
    said["within"] = "step 1 gives 0, and says 1"
    for operation, problem in said.items():
        assert problems({"steps": [{**step, "operation": operation}], **ends}) == [problem]
    alone = {**step, "operation": "within", "operands": [{"value": "1"}]}
    assert problems({"steps": [alone], **ends}) == ["step 1 has operands that within cannot take"]
