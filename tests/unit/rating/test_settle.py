"""What is agreed beside prices becomes charges: by the share of the month, by name, by place, and never in silence."""

from fractions import Fraction
from typing import Any

import pytest

from ledger.errors import Refused
from rating import book as books
from rating import repeat, runs
from rating.as_known import rated_as_known
from rating.close import Closed, close
from rating.invoicing.taxes import TaxesUnavailable
from rating.runs import RATED
from tests.contract.memory_taxes import MemoryTaxes
from tests.unit.rating.world import (
    NOVEMBER,
    NOVEMBER_FIRST_MS,
    NOW_MS,
    TENANT,
    MemoryLedger,
    Use,
    applied,
    store,
    units,
)

CATALOG = """\
meters:
  - {name: calls, event_type: call, aggregation: count}
taxes:
  - {name: VAT, rate: 19, place: DE, category: goods}
  - {name: VAT, rate: 20, place: DE, category: goods, from: 2026-11-30}
  - {name: VAT, rate: 21, place: DE, category: goods, from: 2026-12-01}
  - {name: VAT, rate: 0, place: CH, category: goods}
plans:
  - name: standard
    currency: EUR
    prices: [{product: API, meter: calls, model: per_unit, unit_price: 1, tax_category: goods}]
    discounts: DISCOUNTS
customers:
  - {id: acme, subjects: [a], CUSTOMER}
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-01-01, CONTRACT}
"""


def closed(usage: int = 0, *, discounts: str = "[]", customer: str = "", contract: str = "", **how: Any) -> Closed:
    relational = store()
    texts = {"DISCOUNTS": discounts, "CUSTOMER": customer, "CONTRACT": contract}
    text = CATALOG
    for place, said in texts.items():
        text = text.replace(place, said)
    applied(relational, text)
    used = [Use("calls", "a", NOVEMBER_FIRST_MS, units(usage))] if usage else []
    done = close(MemoryLedger(used), relational, TENANT, "2026-11", NOW_MS, dry_run=True, **how)
    assert isinstance(done, Closed)
    return done


def lines(usage: int = 0, **said: Any) -> list[tuple[str, str, int]]:
    table = closed(usage, **said).charges
    assert table is not None
    return [(row["kind"], row["product"], row["amount"]) for row in table.to_pylist()]


def commitment(more: str) -> str:
    return f"commitment: {{product: Minimum, true_up: true, tax_category: goods, {more}}}"


def test_what_is_missing_of_a_commitment_is_charged_also_where_nothing_was_used() -> None:
    assert lines(contract=commitment("amount: 100")) == [("commitment", "Minimum", 10_000)]
    assert lines(30, contract=commitment("amount: 100"))[1] == ("commitment", "Minimum", 7_000)
    assert lines(100, contract=commitment("amount: 100")) == [("usage", "API", 10_000)]
    without = commitment("amount: 100").replace("true_up: true", "true_up: false")
    assert lines(30, contract=without) == [("usage", "API", 3_000)]


def test_what_exceeds_a_commitment_costs_the_overage_factor() -> None:
    over = commitment("amount: 100, overage_factor: 1.5")
    assert lines(150, contract=over) == [("usage", "API", 15_000), ("commitment", "Minimum", 2_500)]


def test_a_commitment_is_owed_for_the_days_that_its_contract_holds() -> None:
    assert lines(contract=commitment("amount: 100") + ", end: 2026-11-16") == [("commitment", "Minimum", 5_000)]
    assert lines(contract=commitment("amount: 100") + ", end: 2026-11-01") == []


def test_the_step_that_holds_when_the_period_begins_is_the_periods() -> None:
    steps = "steps: [{from: 2026-10-01, amount: 10}, {from: 2026-11-01, amount: 20}, {from: 2026-11-02, amount: 30}]"
    assert lines(contract=commitment(steps)) == [("commitment", "Minimum", 2_000)]
    assert lines(5, contract=commitment("overage_factor: 2, steps: [{from: 2026-11-02, amount: 30}]"))[1:] == []
    assert lines(5, contract=commitment("overage_factor: 2, amount: 0"))[1:] == [], "an amount of 0 ends it"


def test_discounts_are_given_in_their_order_and_a_contracts_stands_in_for_its_plans() -> None:
    plan = "[{name: first, percent: 10}, {name: second, amount: 20}]"
    assert lines(100, discounts=plan)[1:] == [("discount", "first", -1_000), ("discount", "second", -2_000)]
    turned = "[{name: second, amount: 20}, {name: first, percent: 10}]"
    assert lines(100, discounts=turned)[1:] == [("discount", "first", -800), ("discount", "second", -2_000)]
    own = "discounts: [{name: third, percent: 50}, {name: first, amount: 30}]"
    assert lines(100, discounts=plan, contract=own)[1:] == [
        ("discount", "first", -3_000),
        ("discount", "second", -2_000),
        ("discount", "third", -2_500),
    ]


def test_a_discount_never_takes_more_than_there_is() -> None:
    assert lines(10, discounts="[{name: much, amount: 20}]")[1:] == [("discount", "much", -1_000)]
    assert lines(discounts="[{name: much, amount: 20}]") == []


def test_the_rate_is_that_of_the_last_day() -> None:
    assert lines(100, customer="tax_place: DE")[1:] == [("tax", "VAT", 2_000)]


def test_a_rate_of_zero_is_shown_and_who_is_exempt_or_nowhere_pays_none() -> None:
    assert lines(100, customer="tax_place: CH")[1:] == [("tax", "VAT", 0)]
    assert lines(100, customer="tax_place: DE, tax_exempt: reverse charge")[1:] == []
    assert lines(100)[1:] == []


def test_a_tax_has_the_rate_of_the_last_day_of_the_contracts_period() -> None:
    """It ends on 14 December: a rate that came on the 1st holds by then."""
    anchored = commitment("amount: 100") + ", anchor: 15"
    assert lines(contract=anchored, customer="tax_place: DE")[1:] == [("tax", "VAT", 2_100)]
    assert lines(contract=commitment("amount: 100"), customer="tax_place: DE")[1:] == [("tax", "VAT", 2_000)]


def test_an_invoice_is_taxed_as_of_the_last_of_its_contracts_periods() -> None:
    second = "{id: C-2, customer: acme, plan: standard, entity: DE01, start: 2026-11-10, anchor: 15, "
    both = f"end: 2026-11-10, {commitment('amount: 100')}}}\n  - {second}{commitment('amount: 100')}"
    assert lines(contract=both, customer="tax_place: DE") == [
        ("commitment", "Minimum", 3_000),
        ("commitment", "Minimum", 10_000),
        ("tax", "VAT", 2_730),
    ]


def test_a_commitment_is_owed_by_the_share_of_the_contracts_own_month() -> None:
    anchored = commitment("steps: [{amount: 300}, {from: 2026-12-01, amount: 600}]") + ", anchor: 15, end: 2026-12-05"
    assert lines(contract=anchored) == [("commitment", "Minimum", 20_000)]


def test_taxes_are_on_what_discounts_left_of_usage_and_commitment() -> None:
    said = {"customer": "tax_place: DE", "contract": commitment("amount: 100"), "discounts": "[{name: d, percent: 10}]"}
    assert lines(30, **said)[-1] == ("tax", "VAT", 1_800)


def test_goods_of_a_category_that_the_place_does_not_name_are_refused() -> None:
    standard = commitment("amount: 100").replace("tax_category: goods, ", "")
    with pytest.raises(Refused, match="nobody knows what is taxed in DE as standard: add its rate"):
        lines(30, customer="tax_place: DE", contract=standard)
    assert len(lines(100, customer="tax_place: DE", contract=standard)) == 2, "nothing of it is owed"


def test_a_service_may_know_the_taxes_instead_of_the_table() -> None:
    service = MemoryTaxes({})
    service.is_reachable = False
    with pytest.raises(TaxesUnavailable):
        closed(30, customer="tax_place: DE", tax_service=service)


def test_a_run_that_a_service_taxed_is_rated_again_without_it() -> None:
    relational = store()
    applied(relational, CATALOG.replace("DISCOUNTS", "[]").replace("CUSTOMER", "tax_place: DE").replace("CONTRACT", ""))
    with relational.connect() as connection:
        rates = books.load(connection, TENANT, 1).agreed.rates
    vat, germany, goods = rates.names.index("VAT"), rates.places.index("DE"), rates.categories.index("goods")
    service = MemoryTaxes({(germany, goods): [(vat, Fraction("12.5"), (0, 2**40))]})
    ledger = MemoryLedger([Use("calls", "a", NOVEMBER_FIRST_MS, units(3))])
    done = close(ledger, relational, TENANT, "2026-11", NOW_MS, tax_service=service)
    assert isinstance(done, Closed)
    assert done.charges is not None
    assert done.charges["amount"].to_pylist() == [300, 38]
    service.is_reachable = False
    with relational.connect() as connection:
        run = runs.live_run(connection, TENANT, "2026-11")
        assert run is not None
        assert run.manifest.tax_answers is not None
        assert (run.manifest.tax_answers.percent, run.manifest.tax_answers.amount) == (["12.5"], ["0.375"])
        assert list(repeat.problems(ledger, connection, run)) == []
        known = rated_as_known(ledger, connection, TENANT, 1, NOVEMBER, 1, NOW_MS)
        assert isinstance(known, Closed)
        assert known.manifest.output_digest == done.manifest.output_digest
        ledger.usage[0] = ledger.usage[0]._replace(quantity=units(4))
        (problem,) = repeat.problems(ledger, connection, run)
        assert problem.endswith("the tax service was asked about other amounts, and its answers are not for these")


def test_a_run_repeated_gives_what_it_gave() -> None:
    relational = store()
    text = CATALOG.replace("DISCOUNTS", "[{name: d, percent: 7}]").replace("CUSTOMER", "tax_place: DE")
    applied(relational, text.replace("CONTRACT", commitment("amount: 99.99")))
    ledger = MemoryLedger([Use("calls", "a", NOVEMBER_FIRST_MS, units(3))])
    assert isinstance(close(ledger, relational, TENANT, "2026-11", NOW_MS), Closed)
    applied(relational, "taxes: [{name: VAT, rate: 50, place: DE, category: goods}]")
    with relational.connect() as connection:
        run = runs.live_run(connection, TENANT, "2026-11")
        assert run is not None
        assert run.state == RATED
        assert list(repeat.problems(ledger, connection, run)) == []
