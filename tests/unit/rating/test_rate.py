"""Which usage becomes which charge, what is left over and why, at the edges of contracts, prices and months."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from ledger.errors import Refused
from rating import beyond_sums
from rating.rate import Measured, Rated, Unrated, rate
from rating.spans import spans
from tests.unit.rating.world import (
    CATALOG,
    DAY_MS,
    DECEMBER_FIRST_MS,
    HOUR_MS,
    NOVEMBER,
    NOVEMBER_FIRST_MS,
    MemoryLedger,
    Terms,
    Use,
    exact_amount,
    terms_of,
    units,
)

CUTOFF = 7


def rated(terms: Terms, usage: list[Use]) -> Rated:
    ledger = MemoryLedger(usage)
    totals = ledger.totals("", terms.boundaries, CUTOFF)
    beyond = beyond_sums.read(ledger, terms.book, terms.boundaries, CUTOFF)
    return rate(terms.book, spans(terms.book, NOVEMBER), totals, beyond, CUTOFF)


def charges(terms: Terms, *usage: Use) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = rated(terms, list(usage)).charges.to_pylist()
    return rows


def use(meter: str = "gb_out", subject: str = "acme-prod", after_ms: int = 0, quantity: int = 1) -> Use:
    """Usage some time after November began in UTC."""
    return Use(meter, subject, NOVEMBER_FIRST_MS + after_ms, units(quantity))


def test_usage_of_all_of_a_customers_subjects_is_one_line() -> None:
    usage = [use(subject="acme-prod", quantity=3), use(subject="acme-test", after_ms=DAY_MS, quantity=4)]
    (line,) = charges(terms_of(CATALOG), *usage)
    assert line == {
        "run": 0,
        "line": 0,
        "tenant": "default",
        "entity": "DE01",
        "customer": "acme",
        "currency": "EUR",
        "contract": "C-1",
        "plan": "standard",
        "product": "Egress",
        "kind": "usage",
        "meter": "gb_out",
        "price_version": 1,
        "subjects": ["acme-prod", "acme-test"],
        "window_start": NOVEMBER_FIRST_MS,
        "window_end": DECEMBER_FIRST_MS,
        "cutoff": CUTOFF,
        "events": 2,
        "quantity": Decimal(7),
        "digest": (sum(one.digest for one in usage) % 2**128).to_bytes(16, "little"),
        "exact_numerator": Decimal(7),
        "exact_denominator": Decimal(20),
        "amount": 35,
    }


def test_a_line_is_rounded_once_after_it_is_summed() -> None:
    usage = [use("api_calls", after_ms=nth) for nth in range(1013)]
    (line,) = charges(terms_of(CATALOG), *usage)
    assert (exact_amount(line), line["amount"]) == (Fraction("0.0052"), 1)


def test_the_first_instant_of_a_month_is_in_it_and_the_first_of_the_next_is_not() -> None:
    length = DECEMBER_FIRST_MS - NOVEMBER_FIRST_MS
    terms = terms_of(CATALOG)
    assert [line["events"] for line in charges(terms, use(after_ms=0), use(after_ms=length - 1))] == [2]
    assert charges(terms, use(after_ms=-1), use(after_ms=length)) == []


def test_a_month_is_the_contracts_own() -> None:
    terms = terms_of(CATALOG.replace("start: 2026-01-01", "start: 2026-01-01, timezone: America/New_York"))
    # Midnight in New York is 04:00 in UTC before clocks go back, and 05:00 after.
    usage = [use(after_ms=4 * HOUR_MS - 1), use(after_ms=4 * HOUR_MS), use(after_ms=30 * DAY_MS + 5 * HOUR_MS - 1)]
    found = rated(terms, usage)
    (line,) = found.charges.to_pylist()
    assert line["events"] == 2
    assert (line["window_start"], line["window_end"]) == (
        NOVEMBER_FIRST_MS + 4 * HOUR_MS,
        DECEMBER_FIRST_MS + 5 * HOUR_MS,
    )
    assert found.other_period == {"gb_out": Measured(1, units(1))}
    assert found.unrated == []


def test_a_contract_bills_from_its_first_day_until_its_last() -> None:
    terms = terms_of(CATALOG.replace("start: 2026-01-01", "start: 2026-11-03, end: 2026-11-05"))
    days = [use(after_ms=day * DAY_MS) for day in range(6)]
    found = rated(terms, days)
    (line,) = found.charges.to_pylist()
    assert line["events"] == 2
    assert (line["window_start"], line["window_end"]) == (
        NOVEMBER_FIRST_MS + 2 * DAY_MS,
        NOVEMBER_FIRST_MS + 4 * DAY_MS,
    )
    assert found.unrated == [Unrated("gb_out", "no_contract", Measured(4, units(4)), 1, ["acme-prod"])]


def test_a_new_price_splits_the_month_into_two_lines() -> None:
    later = "      - {product: Egress, meter: gb_out, model: per_unit, unit_price: 1, from: 2026-11-15}\ncustomers:"
    terms = terms_of(CATALOG.replace("customers:", later))
    before, after = charges(terms, use(after_ms=14 * DAY_MS - 1, quantity=2), use(after_ms=14 * DAY_MS, quantity=2))
    assert (before["amount"], after["amount"]) == (10, 200)
    assert before["window_end"] == after["window_start"] == NOVEMBER_FIRST_MS + 14 * DAY_MS


def test_usage_before_a_plans_first_price_has_no_price() -> None:
    terms = terms_of(CATALOG.replace("model: per_unit", "model: per_unit, from: 2026-11-02"))
    found = rated(terms, [use(), use(after_ms=DAY_MS)])
    assert [line["events"] for line in found.charges.to_pylist()] == [1]
    assert [(entry.reason, entry.measured) for entry in found.unrated] == [("no_price", Measured(1, units(1)))]


def test_what_is_not_rated_says_why_and_whose_it_is() -> None:
    usage = [use(subject=f"stranger-{nth}") for nth in range(7)] + [use("unpriced"), use("unpriced", "stranger-1")]
    assert rated(terms_of(CATALOG), usage).unrated == [
        Unrated("gb_out", "no_customer", Measured(7, units(7)), 7, [f"stranger-{nth}" for nth in range(5)]),
        Unrated("unpriced", "no_customer", Measured(1, units(1)), 1, ["stranger-1"]),
        Unrated("unpriced", "no_price", Measured(1, units(1)), 1, ["acme-prod"]),
    ]


def test_a_customer_without_a_contract_is_not_rated() -> None:
    terms = terms_of(CATALOG.replace("contracts:", "  - {id: beta, subjects: [b]}\ncontracts:"))
    assert [entry.reason for entry in rated(terms, [use(subject="b")]).unrated] == ["no_contract"]


def test_unrated_usage_belongs_to_the_month_of_the_customers_home_zone() -> None:
    terms = terms_of(CATALOG.replace("start: 2026-01-01", "start: 2027-01-01, timezone: America/New_York"))
    found = rated(terms, [use(), use(after_ms=4 * HOUR_MS), use(subject="nobody")])
    assert found.other_period == {"gb_out": Measured(1, units(1))}
    assert [(entry.reason, entry.measured.events) for entry in found.unrated] == [
        ("no_customer", 1),
        ("no_contract", 1),
    ]


def test_contracts_side_by_side_bill_their_own_meters() -> None:
    terms = terms_of(
        CATALOG.replace("customers:", "  - {name: usd, currency: USD, prices: [" + PER_CALL + "]}\ncustomers:").replace(
            "      - {product: API", "      # {product: API"
        )
        + "  - {id: A-0, customer: acme, plan: usd, entity: AT01, start: 2026-01-01}\n"
    )
    lines = charges(terms, use("api_calls"), use("gb_out"))
    assert [(line["line"], line["entity"], line["currency"], line["contract"], line["amount"]) for line in lines] == [
        (0, "AT01", "USD", "A-0", 200),
        (1, "DE01", "EUR", "C-1", 5),
    ]


PER_CALL = "{product: Calls, meter: api_calls, model: per_unit, unit_price: 2}"


def test_lines_are_ordered_by_entity_customer_currency_contract_product_meter_and_window() -> None:
    text = CATALOG.replace("product: API", "product: Zugriffe").replace(
        "contracts:", "  - {id: Beta, subjects: [b]}\n  - {id: aaa, subjects: [c]}\ncontracts:"
    )
    for key, customer, entity in [("1", "Beta", "DE01"), ("2", "aaa", "DE01"), ("3", "aaa", "AT01")]:
        ends = ", end: 2026-11-10" if key == "2" else ""
        start = "2026-11-10" if key == "3" else "2026-01-01"
        text += f"  - {{id: K-{key}, customer: {customer}, plan: standard, entity: {entity}, start: {start}{ends}}}\n"
    usage = [
        use(meter, subject, after)
        for meter in ("gb_out", "api_calls")
        for subject in "cb"
        for after in (0, 10 * DAY_MS)
    ]
    lines = charges(terms_of(text), use(), *usage)
    assert [(line["entity"], line["customer"], line["contract"], line["product"]) for line in lines] == [
        ("AT01", "aaa", "K-3", "Egress"),
        ("AT01", "aaa", "K-3", "Zugriffe"),
        ("DE01", "Beta", "K-1", "Egress"),
        ("DE01", "Beta", "K-1", "Zugriffe"),
        ("DE01", "aaa", "K-2", "Egress"),
        ("DE01", "aaa", "K-2", "Zugriffe"),
        ("DE01", "acme", "C-1", "Egress"),
    ]


def test_quantities_beyond_int64_are_rated_exactly() -> None:
    (line,) = charges(terms_of(CATALOG), use(quantity=10**15), use(after_ms=1, quantity=10**15), use(after_ms=2))
    assert line["quantity"] == Decimal(2 * 10**15 + 1)
    assert exact_amount(line) == Fraction("100000000000000.05")
    assert line["amount"] == 10_000_000_000_000_005


def test_an_amount_too_large_to_bill_is_refused_with_its_contract() -> None:
    terms = terms_of(CATALOG.replace("0.05", "1000000"))
    with pytest.raises(Refused, match="contract C-1, meter gb_out"):
        rated(terms, [use(quantity=10**15)])


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 6), ("EUR", 555), ("KWD", 5550)])
def test_amounts_are_in_the_currencys_own_minor_unit(currency: str, amount: int) -> None:
    terms = terms_of(CATALOG.replace("EUR", currency).replace("0.05", "5.55"))
    assert [line["amount"] for line in charges(terms, use())] == [amount]


def test_no_usage_is_no_charges() -> None:
    found = rated(terms_of(CATALOG), [])
    assert (len(found.charges), found.unrated, found.other_period) == (0, [], {})


def test_usage_is_of_the_period_that_its_contracts_anchor_begins() -> None:
    terms = terms_of(CATALOG.replace("start: 2026-01-01", "start: 2026-01-01, anchor: 15"))
    usage = [use(after_ms=14 * DAY_MS + after, quantity=quantity) for after, quantity in ((-1, 1), (0, 2))]
    usage += [use(after_ms=44 * DAY_MS + after, quantity=quantity) for after, quantity in ((-1, 4), (0, 8))]
    found = rated(terms, usage)
    (line,) = found.charges.to_pylist()
    assert (line["quantity"], line["window_start"], line["window_end"]) == (
        6,
        NOVEMBER_FIRST_MS + 14 * DAY_MS,
        DECEMBER_FIRST_MS + 14 * DAY_MS,
    )
    # What is after the last boundary is not read; what is before the anchor is of October's period.
    assert found.other_period == {"gb_out": Measured(1, units(1))}
    assert terms.boundaries == [NOVEMBER_FIRST_MS + days * DAY_MS for days in (0, 14, 30, 44)]


def test_usage_without_a_price_is_of_the_period_of_its_customers_home() -> None:
    terms = terms_of(CATALOG.replace("start: 2026-01-01", "start: 2027-01-01, anchor: 15"))
    found = rated(terms, [use(after_ms=3 * DAY_MS), use(after_ms=35 * DAY_MS), use(subject="nobody")])
    assert [(entry.reason, entry.measured.events) for entry in found.unrated] == [
        ("no_customer", 1),
        ("no_contract", 1),
    ]
    assert found.other_period == {"gb_out": Measured(1, units(1))}


def test_boundaries_are_every_instant_at_which_something_changes() -> None:
    text = CATALOG.replace("start: 2026-01-01", "start: 2026-11-03, end: 2026-11-20, timezone: Europe/Berlin")
    text = text.replace("model: per_unit", "model: per_unit, from: 2026-11-10")
    berlin = -HOUR_MS
    assert terms_of(text).boundaries == [
        NOVEMBER_FIRST_MS + berlin,
        NOVEMBER_FIRST_MS,
        NOVEMBER_FIRST_MS + 2 * DAY_MS + berlin,
        NOVEMBER_FIRST_MS + 9 * DAY_MS + berlin,
        NOVEMBER_FIRST_MS + 19 * DAY_MS + berlin,
        DECEMBER_FIRST_MS + berlin,
        DECEMBER_FIRST_MS,
    ]
