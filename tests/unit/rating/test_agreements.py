"""What a file agrees beside prices is read, told in words, kept where it is not named, and refused where wrong."""

import pytest

from rating.catalog import Catalog, Change, difference, merged
from rating.catalog_file import parse

CATALOG = """\
meters:
  - {name: calls, event_type: call, aggregation: count}
plans:
  - name: standard
    currency: EUR
    prices: [{product: API, meter: calls, model: per_unit, unit_price: 1, tax_category: books}]
    discounts: [{name: Launch, percent: 10}]
    pricing_unit: {name: credits, rate: 0.5}
customers:
  - {id: acme, subjects: [a], tax_place: DE}
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-01-01,
     commitment: {product: Minimum, true_up: true, overage_factor: 1.5,
       steps: [{amount: 200, from: 2027-01-01}, {amount: 100}]},
     discounts: [{name: API off, percent: 5, products: [API]}, {name: Launch, amount: 5}]}
taxes:
  - {name: VAT, rate: 7, place: DE, category: books}
  - {name: VAT, rate: 19, place: DE}
"""
CONTRACT = "contracts: [{id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-01-01"


def catalog_of(text: str, stored: Catalog | None = None) -> Catalog:
    found, mistakes = parse(text, stored)
    assert found is not None, [str(mistake) for mistake in mistakes]
    return found


def told(text: str, stored: Catalog | None = None) -> list[str]:
    return [str(mistake) for mistake in parse(text, stored)[1]]


STORED = merged(Catalog(), catalog_of(CATALOG))


def changes(text: str) -> list[Change]:
    return difference(STORED, catalog_of(text, STORED))


def test_what_is_agreed_is_told_in_words() -> None:
    words = {(change.kind, change.id): change.after for change in difference(Catalog(), catalog_of(CATALOG))}
    assert words["plan", "standard"] == "in EUR; priced in credits at 0.5 EUR; Launch: 10 % off"
    assert words["price", "standard/calls"] == "API: 1 a unit, taxed as books"
    assert words["customer", "acme"] == "acme: a; taxed in DE"
    assert words["contract", "C-1"] == (
        "acme on standard with DE01, from 2026-01-01; commits to 100 a month, 200 a month from 2027-01-01 "
        "(Minimum: what is missing is charged, what is above it times 1.5); API off: 5 % off API, Launch: 5 off"
    )
    assert words["tax", "DE/standard/VAT"] == "19 %"


@pytest.mark.parametrize(
    "text", [CATALOG, CONTRACT + "}]", "plans: [{name: standard, currency: EUR, prices: []}]", "taxes: []"]
)
def test_what_a_file_does_not_name_stays(text: str) -> None:
    assert changes(text) == []


def test_an_empty_list_takes_discounts_away() -> None:
    (change,) = changes("plans: [{name: standard, currency: EUR, prices: [], discounts: []}]")
    in_credits = "in EUR; priced in credits at 0.5 EUR"
    assert (change.before, change.after) == (f"{in_credits}; Launch: 10 % off", in_credits)
    (change,) = changes(CONTRACT + ", discounts: []}]")
    assert "Launch" not in change.after


def test_a_window_and_a_units_rates_are_told_in_their_order() -> None:
    yearly = "commitment: {product: Minimum, true_up: false, amount: 1200, months: 12}"
    (change,) = changes(f"{CONTRACT}, {yearly}}}]")
    assert "commits to 1200 in 12 months (Minimum: what is missing is not charged)" in change.after
    rates = "rates: [{from: 2027-01-01, rate: 0.25}, {rate: 0.5}]"
    (change,) = changes(
        f"plans: [{{name: standard, currency: EUR, prices: [], pricing_unit: {{name: points, {rates}}}}}]"
    )
    assert "priced in points at 0.5 EUR, 0.25 EUR from 2027-01-01" in change.after


def test_a_new_rate_ends_the_one_before_and_stands_beside_it() -> None:
    (change,) = changes("taxes: [{name: VAT, rate: 20, place: DE, from: 2027-01-01}]")
    assert (change.kind, change.id, change.action) == ("tax", "DE/standard/VAT from 2027-01-01", "added")
    (change,) = changes("taxes: [{name: VAT, rate: 20, place: DE}]")
    assert (change.before, change.after) == ("19 %", "20 %")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("percent: 10}", "percent: 10, amount: 1}", "either a percent or an amount"),
        ("percent: 10}", "percent: 101}", "at most 100 percent"),
        ("name: Launch, amount: 5", "name: API off, amount: 5", "API off is in the list twice"),
        ("percent: 5, products", "amount: 5, products", "a product may have several lines"),
        ("products: [API]", "products: [APY]", "APY is not sold here, so nothing is taken off; did you mean API?"),
        ("products: [API]", "products: [API, API]", "API is in the list twice"),
        ("products: [API]", "products: []", "expected at least one product"),
        ("true_up: true, ", "", "true_up is missing"),
        ("true_up: true", "true_up: maybe", "expected true or false"),
        ("overage_factor: 1.5", "overage_factor: 0", "expected a number above 0"),
        ("overage_factor: 1.5,", "amount: 5,", "either an amount, or steps"),
        ("overage_factor: 1.5", "months: 0", "expected a whole number from 1 to 60, found '0'"),
        ("rate: 0.5}", "rate: 0.5, rates: [{rate: 1}]}", "either a rate, or rates"),
        ("rate: 0.5}", "rate: 0}", "expected a number above 0"),
        ("rate: 0.5}", "rates: [{rate: 1, from: 2027-01-01}]}", "expected one rate without `from`"),
        ("rate: 0.5}", "rates: []}", "expected one rate without `from`"),
        ("rate: 0.5}", "rates: [{rate: 1}, {rate: 2}]}", "two rates begin on the same day"),
        ("name: credits, ", "", "name is missing"),
        (", {amount: 100}", ", {amount: 1, from: 2027-01-01}", "two steps begin on the same day"),
        ("tax_place: DE", "tax_place: FR", "no tax has the place FR"),
        ("tax_category: books", "tax_category: book", "no tax has the category book: add its rates under `taxes`"),
        ("category: books}\n", "category: standard}\n", "VAT of DE has two rates without a date"),
        ("rate: 19", "rate: -19", "expected a percentage that is not negative"),
    ],
)
def test_a_mistake_is_told_with_its_line(before: str, after: str, message: str) -> None:
    assert before in CATALOG
    text = CATALOG.replace(before, after)
    line = CATALOG[: CATALOG.index(before)].count("\n") + 1
    assert any(message in one and abs(int(one.split()[1].rstrip(",")) - line) <= 1 for one in told(text)), told(text)


def test_nobody_is_told_that_a_rate_with_a_mistake_is_missing() -> None:
    only = CATALOG.replace("  - {name: VAT, rate: 19, place: DE}\n", "").replace("rate: 7", "rate: many")
    assert len(told(only)) == 1
