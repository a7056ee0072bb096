"""Where that is agreed, what credit does not suffice for is carried from invoice to invoice until credit pays it."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.charges import CARRIED, CREDIT, FEE, PROMOTION, TAX, USAGE
from rating import repeat, runs
from tests.unit.rating.crediting import balances, closed, discarded, grant_of, granted, lines, moved
from tests.unit.rating.world import CATALOG, DAY_MS, NOVEMBER_FIRST_MS, MemoryLedger, Use, applied, store, units

OCTOBER, NOVEMBER, DECEMBER = "2026-10", "2026-11", "2026-12"
CARRIES = "customers: [{id: acme, subjects: [acme-prod], credit: {overage: carried}}]"
INVOICED = "customers: [{id: acme, subjects: [acme-prod]}]"


@pytest.fixture
def relational() -> sa.Engine:
    engine = store()
    applied(engine, CATALOG)
    applied(engine, CARRIES)
    return engine


@pytest.fixture
def ledger() -> MemoryLedger:
    """1.00 for egress in October, 5.00 in November, nothing in December."""
    return MemoryLedger(
        [
            Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS - DAY_MS, units(20)),
            Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS + DAY_MS, units(100)),
        ]
    )


def told(ledger: MemoryLedger, relational: sa.Engine, period: str) -> list[tuple[str, str, int]]:
    """The lines of a close, which are the same when it is done again."""
    done = closed(ledger, relational, period)
    with relational.connect() as connection:
        for run in runs.live_runs(connection):
            assert list(repeat.problems(ledger, connection, run)) == []
    return lines(done)


def test_what_is_left_open_is_taken_off_one_invoice_and_put_on_the_next(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    granted(relational, grant_of("welcome", 40))
    assert told(ledger, relational, OCTOBER) == [
        (USAGE, "Egress", 100),
        (PROMOTION, "welcome", -40),
        (CARRIED, "Egress", -60),
    ]
    granted(relational, grant_of("topup", 130, kind="prepaid", effective=date(2026, 11, 5)))
    assert told(ledger, relational, NOVEMBER) == [
        (USAGE, "Egress", 500),
        (CREDIT, "topup", -130),
        (CARRIED, "Egress", 60),
        (CARRIED, "Egress", -430),
    ]
    assert [(entry["amount"], entry["charge"]) for entry in ledger.read_movements(2).to_pylist()][1:] == [
        (60, 2),
        (70, 0),
    ]


def test_an_invoice_may_be_of_nothing_but_what_comes_back(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("welcome", 40))
    told(ledger, relational, OCTOBER)
    told(ledger, relational, NOVEMBER)
    granted(relational, grant_of("topup", 700, kind="prepaid", effective=date(2026, 12, 5)))
    assert told(ledger, relational, DECEMBER) == [(CREDIT, "topup", -560), (CARRIED, "Egress", 560)]
    assert balances(ledger, relational) == {"welcome": 0, "topup": 140}


def test_credit_that_begins_and_ends_within_the_month_pays_what_is_open(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    granted(relational, grant_of("welcome", 40))
    told(ledger, relational, OCTOBER)
    granted(relational, grant_of("short", 900, effective=date(2026, 11, 5), expires=date(2026, 11, 6)))
    told(ledger, relational, NOVEMBER)
    assert moved(ledger, 2) == [
        ("short", "issued", "balance", 900),
        ("short", "balance", "used", 60),
        ("short", "balance", "expired", 840),
    ]


def test_a_refill_pays_what_its_month_has_left_open(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("monthly", 70, kind="recurring", every="P1M", effective=date(2026, 10, 1)))
    # Filled again on November 1st, which the close of October lives through.
    assert told(ledger, relational, OCTOBER)[1:] == [(PROMOTION, "monthly", -100)]
    assert balances(ledger, relational) == {"monthly": 40}


def test_a_limited_grant_pays_what_is_open_of_its_product_alone(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("welcome", 40))
    told(ledger, relational, OCTOBER)
    granted(relational, grant_of("for calls", 900, products=("API",)))
    assert (CARRIED, "Egress", -560) in told(ledger, relational, NOVEMBER)


def test_who_carries_nothing_over_any_more_is_invoiced_what_comes_back(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    granted(relational, grant_of("welcome", 40))
    told(ledger, relational, OCTOBER)
    applied(relational, INVOICED)
    granted(relational, grant_of("topup", 10))
    assert told(ledger, relational, NOVEMBER) == [
        (USAGE, "Egress", 500),
        (PROMOTION, "topup", -10),
        (CARRIED, "Egress", 60),
    ]
    # What comes back is paid first.
    assert ledger.read_movements(2)["charge"].to_pylist()[-1] == 2
    assert told(ledger, relational, DECEMBER) == []


def test_taxes_are_due_whatever_is_carried_over(ledger: MemoryLedger, relational: sa.Engine) -> None:
    taxed = "taxes: [{name: VAT, rate: 20, place: DE}]\n" + CARRIES.replace("id: acme", "id: acme, tax_place: DE")
    applied(relational, taxed)
    applied(relational, "plans: [{name: standard, currency: EUR, prices: [{product: Seat, model: flat, amount: 1}]}]")
    granted(relational, grant_of("welcome", 40))
    assert told(ledger, relational, OCTOBER) == [
        *((USAGE, "Egress", 100), (FEE, "Seat", 100)),
        (PROMOTION, "welcome", -40),
        *((CARRIED, "Egress", -60), (CARRIED, "Seat", -100)),
        (TAX, "VAT", 40),
    ]
    assert told(ledger, relational, DECEMBER)[-1] == (TAX, "VAT", 20)


def test_a_run_that_is_taken_back_takes_back_what_it_carried(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("welcome", 40))
    first: list[Any] = [told(ledger, relational, period) for period in (OCTOBER, NOVEMBER)]
    for period in (NOVEMBER, OCTOBER):
        discarded(relational, period)
    assert [told(ledger, relational, period) for period in (OCTOBER, NOVEMBER)] == first
    with relational.connect() as connection:
        for number in (1, 2):
            run = runs.find(connection, number)
            assert run is not None
            assert list(repeat.problems(ledger, connection, run)) == []


def test_without_any_grant_there_is_nothing_to_carry_over_to(ledger: MemoryLedger, relational: sa.Engine) -> None:
    assert told(ledger, relational, OCTOBER) == [(USAGE, "Egress", 100)]
