"""Prices of several meters are read as one of each, and refused where their tiers or their meters don't go together."""

from datetime import date
from fractions import Fraction

import pytest

from rating.catalog import Catalog, Price, Proration, difference
from rating.catalog_reading import Reading, read
from rating.pricing.parts import Capacity, CapacityTier, PricedWith
from rating.pricing.parts import Price as Terms
from tests.unit.rating.test_catalog_file import mistakes
from tests.unit.rating.test_catalog_file import read as parsed
from tests.unit.rating.test_together import CATALOG, SUMMED
from tests.unit.rating.world import TENANT, applied, store

PLAN = "plans: [{name: space, currency: EUR, prices: [%s]}]"
CONTRACT = "contracts: [{id: C-1, customer: acme, plan: space, entity: DE01, start: 2026-01-01, prices: [%s]}]"
SEATS_ALONE = "{product: Workspace, meter: seats, model: per_unit, unit_price: 1%s}"
STORED_ALONE = "{product: Workspace, meter: stored, model: per_unit, unit_price: 1%s}"
BOTH = "{product: Workspace, meters: [%s], model: capacity, tiers: [{price: 1}]%s}"


def test_a_price_of_several_meters_is_one_of_each() -> None:
    first, second = parsed(CATALOG).plans[0].prices
    tiers = (
        CapacityTier(Fraction(100), (Fraction(10), Fraction(50))),
        CapacityTier(Fraction(250), (Fraction(20), None)),
        CapacityTier(Fraction(900), (None, None)),
    )
    terms = Terms(charge=Capacity(("seats", "stored"), tiers), is_mirrored=True)
    assert first == Price("Workspace", "seats", terms)
    assert second == Price("Workspace", "stored", Terms(charge=PricedWith("seats")))


def test_a_date_and_a_category_are_those_of_all_meters() -> None:
    text = CATALOG.replace("model: capacity", "model: capacity\n        from: 2026-02-01\n        tax_category: books")
    text += "taxes: [{name: VAT, rate: 7, place: DE, category: books}]\n"
    found = parsed(text.replace("model: capacity", "model: capacity\n        proration: second")).plans[0].prices
    assert {(one.since, one.tax_category) for one in found} == {(date(2026, 2, 1), "books")}
    assert found[0].proration is Proration.SECOND


def test_the_difference_says_both() -> None:
    text = CATALOG.replace("model: capacity", "model: capacity\n        proration: none")
    said = {change.id: change.after for change in difference(Catalog(), parsed(text)) if change.kind == "price"}
    assert said == {
        "space/seats": (
            "Workspace: a month by the highest seats and stored: 100 up to 10 seats and 50 stored, 250 up to 20 seats, "
            "then 900, prorated by none"
        ),
        "space/stored": "Workspace: priced with seats",
    }


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("meters: [seats, stored]", "meter: seats", "meters is missing: capacity needs it"),
        ("meters: [seats, stored]", "meter: seats", "capacity has no meter: remove it"),
        ("meters: [seats, stored]", "meters: []", "prices[0].meters: expected at least one meter"),
        ("[seats, stored]", "[seats, stored, seats]", "prices[0].meters: seats is in the list twice: keep one"),
        ("[seats, stored]", "[seats, stored, disk]", "prices[0].meters: there is no meter disk in the file"),
        ("limits: {seats: 20}", "limits: {seat: 20}", "tiers[1].limits.seat: seat is not known here; did you mean"),
        ("limits: {seats: 20}", "limits: {seats: -1}", "expected a quantity that is not negative"),
        ("price: 250, ", "", "tiers[1].price: price is missing: add it"),
        (", limits: {seats: 20}", "", "tiers[1]: only the last tier is without `limits`"),
        ("{price: 900}", "{price: 900, limits: {seats: 30}}", "tiers[2]: usage above its limits has no price"),
        ("limits: {seats: 20}", "limits: {seats: 10, stored: 50}", "tiers[1].limits: the tier before holds all"),
        ("limits: {seats: 20}", "limits: {seats: 9, stored: 3}", "tiers[1].limits: the tier before holds all"),
        ("model: capacity", "model: capacity, free_units: 3", "free_units"),
    ],
)
def test_each_mistake_says_what_was_expected(before: str, after: str, said: str) -> None:
    assert before in CATALOG
    after = after.replace("capacity, ", "capacity\n        ")
    found = mistakes(CATALOG.replace(before, after))
    assert any(said in mistake for mistake in found), found


def test_a_tier_that_limits_another_meter_less_may_limit_one_more() -> None:
    assert parsed(CATALOG.replace("limits: {seats: 20}", "limits: {seats: 9, stored: 51}"))


@pytest.mark.parametrize(
    ("meters", "said"),
    [
        ("meters: {seats: 1, stored: 0}", "prices[0].meters.stored: expected a number above 0, found 0"),
        ("meters: {seats: 1, disk: 2}", "prices[0].meters: there is no meter disk in the file"),
        ("meters: {}", "prices[0].meters: expected at least one meter"),
        ("meters: {seats: 1}\n        meter: stored", "prices[0].meters: a price has one meter, or several"),
        ("dimensions: [x]", "prices[0].meter: meter is missing: graduated needs it"),
    ],
)
def test_each_mistake_of_weights_says_what_was_expected(meters: str, said: str) -> None:
    found = mistakes(SUMMED.replace("meters: {seats: 1, stored: 2.5}", meters))
    assert any(said in mistake for mistake in found), found


def test_a_model_of_single_events_reads_one_meter() -> None:
    text = SUMMED.replace("model: graduated", "model: percentage\n        percent: 1")
    assert any("percentage has no meters: remove it" in mistake for mistake in mistakes(text))


def test_a_sum_by_weight_is_said_in_words() -> None:
    changes = difference(Catalog(), parsed(SUMMED.replace("seats: 1, stored: 2.5", "stored: 2.5, seats: 1")))
    assert {change.id: change.after for change in changes if change.kind == "price"} == {
        "space/seats": "Workspace: priced with stored",
        "space/stored": "Workspace: 2.5 x stored + seats: 1 up to 10, then 0.1",
    }


def said(text: str, stored: str = CATALOG) -> list[str]:
    """The mistakes of a file on top of what is stored, which it reads no more of than it has to."""
    relational = store()
    version = applied(relational, stored).version
    with relational.connect() as connection:
        found = read(connection, TENANT, version, text)
    return [] if isinstance(found, Reading) else [mistake.message for mistake in found]


@pytest.mark.parametrize("owner", [PLAN, CONTRACT])
@pytest.mark.parametrize("since", ["", ", from: 2026-06-01"])
def test_meters_that_are_priced_together_end_together(owner: str, since: str) -> None:
    assert said(owner % (SEATS_ALONE % since)) != []
    assert said(owner % (STORED_ALONE % since)) != []
    assert said(owner % (BOTH % ("seats", since))) != []
    assert said(owner % f"{SEATS_ALONE % since}, {STORED_ALONE % since}") == []
    assert said(owner % (BOTH % ("stored, seats", since))) == []


def test_what_comes_later_for_one_of_them_is_told_with_what_to_do() -> None:
    (message,) = said(PLAN % (SEATS_ALONE % ", from: 2026-06-01"))
    assert message == (
        "stored and seats are priced together without a date, and later only one of them has another price: end both "
        "on the same day"
    )
    (message,) = said(CONTRACT % (SEATS_ALONE % ""))
    assert message == (
        "C-1 on space: stored is priced together with seats without a date, and seats is not priced with it there: "
        "name both in one price, or give stored one of its own"
    )


def test_a_contract_that_the_file_does_not_name_keeps_a_plan_from_pricing_together() -> None:
    alone = CATALOG.replace(CATALOG[CATALOG.index("      - product") : CATALOG.index("customers:")], "").replace(
        "    prices:\n", f"    prices: [{SEATS_ALONE % ''}, {STORED_ALONE % ''}]\n"
    )
    with_own = alone.replace(
        "start: 2026-01-01}", f"start: 2026-01-01, prices: [{SEATS_ALONE % ', from: 2026-06-01'}]}}"
    )
    together = PLAN % (BOTH % ("seats, stored", ""))
    assert said(together, alone) == []
    (message,) = said(together, with_own)
    assert message.startswith("C-1 on space: stored and seats are priced together")


def test_two_prices_of_a_meter_from_one_day_are_refused_whatever_they_are() -> None:
    found = said(PLAN % f"{BOTH % ('seats, stored', '')}, {STORED_ALONE % ''}")
    assert "there are two prices of stored without a date: keep one, or give one a date" in found
