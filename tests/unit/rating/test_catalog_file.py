"""A catalog file is read as it is written, and told everything that is wrong with it, line by line."""

from datetime import date
from fractions import Fraction

import pytest

from ledger.meters import Meter
from rating.catalog import Catalog, Contract, Customer, Price
from rating.catalog_file import parse
from rating.credit_spending import Spending
from rating.pricing import parts
from rating.pricing.parts import PerUnit, Tier, Tiers
from tests.unit.rating.world import CATALOG

EGRESS = 'meter: gb_out, model: per_unit, unit_price: "0.05"'


def read(text: str, stored: Catalog | None = None) -> Catalog:
    catalog, mistakes = parse(text, stored)
    assert catalog is not None, [str(mistake) for mistake in mistakes]
    return catalog


def mistakes(text: str, stored: Catalog | None = None) -> list[str]:
    catalog, found = parse(text, stored)
    assert catalog is None
    return [str(mistake) for mistake in found]


def broken(before: str, after: str) -> list[str]:
    """The mistakes of the smallest catalog with something replaced in it."""
    assert before in CATALOG
    return mistakes(CATALOG.replace(before, after))


def test_the_smallest_catalog_is_read_whole() -> None:
    catalog = read(CATALOG)
    assert catalog.meters[1] == Meter("gb_out", "egress", "sum", "gb", "GB")
    assert catalog.plans[0].prices[0] == Price(
        "API",
        "api_calls",
        parts.Price(
            charge=Tiers((Tier(Fraction(1000), Fraction(0)), Tier(None, Fraction("0.0004")))), is_mirrored=True
        ),
    )
    assert catalog.customers == (Customer("acme", "Acme GmbH", ("acme-prod", "acme-test")),)
    assert catalog.contracts == (Contract("C-1", "acme", "standard", "DE01", date(2026, 1, 1)),)


def test_quotes_around_a_number_change_nothing() -> None:
    assert read(CATALOG.replace('"0.05"', "0.05")) == read(CATALOG)


def test_a_price_is_never_a_float() -> None:
    price = read(CATALOG.replace("0.05", "0.100000000001")).plans[0].prices[1]
    assert price.terms.charge == PerUnit(Fraction("0.100000000001"))


def test_words_that_yaml_1_1_took_for_truth_are_strings() -> None:
    customers = "customers: [{id: NO, name: on, subjects: [yes, off, 012, 1.0, null_]}]"
    assert read(customers).customers == (Customer("NO", "on", ("yes", "off", "012", "1.0", "null_")),)


def test_anchors_are_values_written_once() -> None:
    text = CATALOG.replace("subjects: [acme-prod, acme-test]", "subjects: &s [a]").replace(
        "entity: DE01", "entity: &e DE01"
    )
    assert read(
        text + "  - {id: C-2, customer: acme, plan: standard, entity: *e, start: 2025-01-01, end: 2026-01-01}\n"
    )


def test_optional_fields_may_be_null() -> None:
    text = CATALOG.replace("start: 2026-01-01", "start: 2026-01-01, end: ~, timezone: null")
    assert read(text) == read(CATALOG)


def test_every_mistake_is_told_with_its_place() -> None:
    text = (
        CATALOG.replace("aggregation: count", "aggregation: cuont")
        .replace("EUR", "EURO")
        .replace("meter: gb_out", "meter: gb_uot")
        .replace('unit_price: "0.05"', "unit_price: -1")
        .replace("acme-test", "acme-prod")
        .replace("plan: standard", "plan: standart")
        .replace("start: 2026-01-01", "start: 2026-02-30")
    )
    assert mistakes(text) == [
        "line 2, column 61: meters[0].aggregation: expected sum or count, found 'cuont'; did you mean count?",
        (
            "line 6, column 15: plans[0].currency: expected a currency's ISO 4217 code, as in EUR, found 'EURO'; "
            "did you mean EUR?"
        ),
        (
            "line 9, column 34: plans[0].prices[1].meter: there is no meter gb_uot in the file or in the catalog: "
            "add it; did you mean gb_out?"
        ),
        "line 9, column 71: plans[0].prices[1].unit_price: expected a price that is not negative, found '-1'",
        "line 11, column 44: customers[0].subjects[0]: acme-prod is in the list twice: keep one",
        "line 11, column 55: customers[0].subjects[1]: acme-prod is in the list twice: keep one",
        (
            "line 13, column 37: contracts[0].plan: there is no plan standart in the file or in the catalog: add it; "
            "did you mean standard?"
        ),
        "line 13, column 68: contracts[0].start: expected a date as in 2026-11-01, found '2026-02-30'",
    ]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("value: gb, ", "", "meters[1]: gb_out sums, and does not say what: add `value:`"),
        (
            "aggregation: count",
            "aggregation: count, value: x",
            "meters[0].value: api_calls counts events and needs no value",
        ),
        ("customer: acme", "customer: acne", "contracts[0].customer: there is no customer acne"),
        ("name: gb_out,", "name: api_calls,", "meters[1].name: api_calls is in the file twice"),
        ("up_to: 1000, ", "", "plans[0].prices[0].tiers[0]: only the last tier is without `up_to`"),
        ("{unit_price: 0.0004}", "{up_to: 2000, unit_price: 1}", "tiers[1]: usage above 2000 has no price"),
        (
            "{unit_price: 0.0004}",
            "{up_to: 1000, unit_price: 1}, {unit_price: 2}",
            "tiers[1].up_to: expected more than 1000",
        ),
        ("tiers: [{up_to: 1000, unit_price: 0}, {unit_price: 0.0004}]", "tiers: []", "expected at least one tier"),
        (
            "tiers: [{up_to: 1000, unit_price: 0}, {unit_price: 0.0004}]",
            "unit_price: 1",
            "tiers is missing: graduated needs",
        ),
        ("model: per_unit", "model: per_unit, tiers: [{unit_price: 1}]", "per_unit has no tiers: remove it"),
        ("model: per_unit", "model: volumes", "expected one of flat, per_unit"),
        ("model: per_unit", "model: per_unit, interval: year", "per_unit has no interval: remove it"),
        (EGRESS, "model: flat, amount: 1, interval: week", "prices[1].interval: expected month, quarter or year"),
        (
            EGRESS,
            "model: flat, amount: 1, interval: year, proration: day",
            "prices[1].proration: a fee for longer than a month is owed whole and in advance",
        ),
        ("product: Egress", "produkt: Egress", "produkt is not known here; did you mean product?"),
        ("start: 2026-01-01", "start: 2026-01-01, end: 2026-01-01", "contracts[0].end: expected a day after the start"),
        ("start: 2026-01-01", "start: 2026-01-01, timezone: Berlin", "contracts[0].timezone: expected a time zone"),
        ("start: 2026-01-01", "start: 2026-01-01, anchor: 32", "contracts[0].anchor: expected a day of the month from"),
        ("start: 2026-01-01", "start: 2026-01-01, start: 2026-01-01", "start is written twice"),
        (", start: 2026-01-01", "", "contracts[0].start: start is missing: add it"),
        ("[acme-prod, acme-test]", "acme-prod", "customers[0].subjects: expected a list, found a single value"),
        ("name: Acme GmbH", "name: [Acme]", "customers[0].name: expected a single value, found a list"),
        (
            "currency: EUR",
            "currency: !!python/name:os.system EUR",
            "plans[0].currency: expected a single value, found the tag",
        ),
        ("dimensions: {region: region}", "dimensions: {re.gion: region}", "expected 1 to 64 letters"),
        ("dimensions: {region: region}", "dimensions: {region: .region}", "joined by '.'"),
        ("meters:", "metres:", "metres is not known here; did you mean meters?"),
    ],
)
def test_each_mistake_says_what_was_expected(before: str, after: str, said: str) -> None:
    assert any(said in mistake for mistake in broken(before, after)), broken(before, after)


def test_one_mistake_is_told_once_and_nobody_else_is_blamed() -> None:
    assert len(broken("currency: EUR", "currency: XX")) == 1
    assert len(broken("id: acme,", "id: acme, id: acme,")) == 1


def test_one_meter_under_two_products_is_refused() -> None:
    second = "      - {product: Calls, meter: api_calls, model: per_unit, unit_price: 1, from: 2026-12-01}\n"
    text = CATALOG.replace("customers:", second + "customers:")
    assert "standard has api_calls under API and under Calls" in mistakes(text)[0]


def test_two_prices_of_a_meter_from_the_same_day_are_refused() -> None:
    second = "      - {product: API, meter: api_calls, model: per_unit, unit_price: 1}\n"
    found = mistakes(CATALOG.replace("customers:", second + "customers:"))
    assert len(found) == 1
    assert found[0].startswith(
        "line 10, column 9: plans[0].prices[2]: there are two prices of api_calls without a date"
    )


def test_a_subject_has_one_owner() -> None:
    found = mistakes(CATALOG.replace("contracts:", "  - {id: other, subjects: [acme-test]}\ncontracts:"))
    assert [mistake.partition(": ")[0] for mistake in found] == ["line 11, column 55", "line 12, column 28"]
    assert "acme-test is a subject of acme too" in found[1]


def test_a_subject_moves_when_its_owner_gives_it_up_in_the_same_file() -> None:
    stored = read(CATALOG)
    assert "is a subject of acme too" in mistakes("customers: [{id: b, subjects: [acme-test]}]", stored)[0]
    assert read("customers: [{id: b, subjects: [acme-test]}, {id: acme, subjects: []}]", stored)


SECOND_CONTRACT = "  - {{id: C-2, customer: acme, plan: standard, entity: DE01, start: {start}{more}}}\n"


@pytest.mark.parametrize(
    ("start", "more", "clashes"),
    [
        ("2026-06-01", "", True),
        ("2025-01-01", ", end: 2026-01-01", False),
        ("2025-01-01", ", end: 2026-01-02", True),
        # At midnight of New York it is 05:00 in UTC, where the other contract has begun.
        ("2025-01-01", ", end: 2026-01-01, timezone: America/New_York", True),
        ("2025-01-01", ", end: 2026-01-01, timezone: Asia/Tokyo", False),
    ],
)
def test_contracts_of_a_customer_never_bill_one_meter_twice(start: str, more: str, clashes: bool) -> None:
    text = CATALOG + SECOND_CONTRACT.format(start=start, more=more)
    if clashes:
        assert "would both bill api_calls of acme at the same time" in mistakes(text)[0]
    else:
        read(text)


def test_a_contract_between_the_two_that_clash_hides_nothing() -> None:
    second = SECOND_CONTRACT.format(start="2025-01-01", more=", end: 2025-02-01")
    third = SECOND_CONTRACT.format(start="2027-01-01", more="").replace("C-2", "C-3")
    assert "C-1 and C-3 would both bill" in mistakes(CATALOG + second + third)[0]


def test_an_anchor_stays_what_periods_were_cut_at() -> None:
    text = CATALOG.replace("start: 2026-01-01", "start: 2026-01-01, anchor: 15")
    stored = read(text)
    assert stored.contracts[0].anchor == 15
    assert parse(text, stored)[1] == []
    (mistake,) = parse(CATALOG, stored)[1]
    assert "contracts[0].anchor: C-1 has periods from day 15 of the month" in str(mistake)
    assert "write 15, or end it and add another contract" in str(mistake)


def test_contracts_with_different_meters_run_side_by_side() -> None:
    text = CATALOG.replace(
        "customers:",
        "  - {name: storage, currency: USD, prices: [{product: S, meter: disk, model: per_unit, unit_price: 1}]}\n"
        "customers:",
    ).replace("meters:", "meters:\n  - {name: disk, event_type: d, aggregation: count}")
    read(text + SECOND_CONTRACT.format(start="2026-01-01", more="").replace("standard", "storage"))


def test_a_plan_that_grows_into_a_clash_is_where_the_mistake_is() -> None:
    stored = read(
        CATALOG.replace("customers:", "  - {name: extra, currency: EUR, prices: []}\ncustomers:")
        + SECOND_CONTRACT.format(start="2026-01-01", more="").replace("standard", "extra")
    )
    grown = (
        "plans:\n - {name: extra, currency: EUR, prices: [{product: A, meter: gb_out, model: per_unit, unit_price: 1}]}"
    )
    assert mistakes(grown, stored)[0].startswith("line 2, column 4: plans[0]: C-1 and C-2 would both bill gb_out")


def test_what_is_stored_can_be_referred_to() -> None:
    stored = read(CATALOG)
    contract = (
        "contracts: [{id: C-9, customer: acme, plan: standard, entity: DE01, start: 2025-01-01, end: 2025-02-01}]"
    )
    assert read(contract, stored).contracts[0].id == "C-9"
    assert len(mistakes(contract)) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1, column 1: the file is empty"),
        ("# nothing", "line 1, column 1: the file is empty"),
        ("- a", "expected a mapping with meters, plans, customers, contracts, taxes, found a list"),
        ("meters: [", "not YAML"),
        ("meters: []\n---\nplans: []", "line 2, column 1: not YAML"),
        ("meters: *nobody", "line 1, column 9: not YAML: found undefined alias"),
        ("meters:\n\t- a", "not YAML"),
        ("meters: []\nplans: [\x01]", "line 2, column 9: not YAML"),
        ("meters: \ud800", "not Unicode text"),
        ("[" * 50_000, "nested deeper than 16 levels"),
        ("meters: &a [*a]", "expected a mapping"),
        ("<<: {meters: []}", "<< is not known here"),
        ("? {a: b}\n: c", "is not known here"),
    ],
)
def test_what_is_no_catalog_at_all_is_told_so(text: str, said: str) -> None:
    assert any(said in mistake for mistake in mistakes(text)), mistakes(text)


@pytest.mark.parametrize("inner", ["a.b", "a.b.c"])
def test_a_path_inside_another_of_the_same_events_is_refused(inner: str) -> None:
    outer = "{name: m, event_type: t, aggregation: sum, value: a}"
    other = f"{{name: n, event_type: %s, aggregation: count, dimensions: {{d: {inner}}}}}"
    assert len(mistakes(f"meters: [{outer}, {other % 't'}]")) == 1
    assert len(read(f"meters: [{outer}, {other % 'u'}]").meters) == 2


CREDIT = "customers: [{{id: acme, subjects: [a], credit: {credit}}}]"


def test_a_burn_order_is_read_key_by_key_and_means_the_same_however_it_is_written() -> None:
    order = "{order: [expires, amount desc, products (none last), kind promotional<prepaid]}"
    (customer,) = read(CREDIT.format(credit=order)).customers
    assert customer.credit == Spending(
        ("expires asc", "amount desc", "products asc (none last)", "kind promotional<prepaid")
    )


@pytest.mark.parametrize(
    ("credit", "said"),
    [
        ("{drawn: weekly}", "customers[0].credit.drawn: expected monthly or daily, found 'weekly'"),
        ("{order: []}", "expected at least one key, as in `expires asc (none last)`"),
        ("{order: [expiry asc]}", "expected a key by priority, expires, from, kind, cost_basis, amount, products, cr"),
        ("{order: [expires upwards]}", "credit.order[0]: 'expires upwards' is not a sort key: write FIELD asc"),
        ("{order: [kind desc]}", "expected the kinds in their order, as in `kind promotional<prepaid`"),
        ("{order: [kind paid<recurring]}", "expected prepaid or promotional or recurring, found 'paid'"),
        ("{order: [kind prepaid<prepaid]}", "prepaid is in the list twice: keep one"),
        ("{order: [priority 1<2]}", "only kinds can be listed: write `priority asc` or `priority desc`"),
        ("{order: [amount asc, amount desc]}", "amount is in the list twice, and the first one decides: keep one"),
        ("{burns: [amount]}", "burns is not known here"),
    ],
)
def test_a_burn_order_that_can_not_be_meant_is_told(credit: str, said: str) -> None:
    found = mistakes(CREDIT.format(credit=credit))
    assert any(said in mistake for mistake in found), found
