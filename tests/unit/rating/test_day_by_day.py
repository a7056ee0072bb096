"""Credit that is drawn day by day pays what each day adds to a line for good, and the rest at the end of the month."""

from datetime import date

import pytest
import sqlalchemy as sa

from rating import repeat, runs
from rating.credit_balance import balances as balances_at
from tests.unit.rating.crediting import balances, closed, grant_of, granted, voided
from tests.unit.rating.world import CATALOG, DAY_MS, NOVEMBER_FIRST_MS, TENANT, MemoryLedger, Use, applied, store, units

NOVEMBER, DECEMBER = "2026-11", "2026-12"
DAILY = "customers: [{id: acme, subjects: [acme-prod], credit: {drawn: daily}}]"


def on(day: int, gb: int, *, at_ms: int = 0) -> Use:
    """Egress of 0.05 a GB, on a day of November."""
    return Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS + (day - 1) * DAY_MS + at_ms, units(gb))


@pytest.fixture
def relational() -> sa.Engine:
    engine = store()
    applied(engine, CATALOG)
    applied(engine, DAILY)
    return engine


def paid(ledger: MemoryLedger, relational: sa.Engine, period: str = NOVEMBER) -> list[tuple[str, int, int]]:
    """Close a period, and say which grant paid on which day of November how much; closing it again says the same."""
    done = closed(ledger, relational, period)
    assert done.run is not None
    with relational.connect() as connection:
        for run in runs.live_runs(connection):
            assert list(repeat.problems(ledger, connection, run)) == []
    return [
        (entry["grant_id"], (entry["at"] - NOVEMBER_FIRST_MS) // DAY_MS + 1, entry["amount"])
        for entry in ledger.read_movements(done.run).to_pylist()
        if entry["credit"] == "used"
    ]


def test_a_grant_that_ends_within_the_month_pays_for_the_days_before_its_end(relational: sa.Engine) -> None:
    granted(relational, grant_of("ends", 900, expires=date(2026, 11, 15)), grant_of("stays", 900))
    ledger = MemoryLedger([on(1, 20), on(14, 20, at_ms=DAY_MS - 1), on(15, 60), on(30, 2)])
    assert paid(ledger, relational) == [("ends", 1, 100), ("ends", 14, 100), ("stays", 15, 300), ("stays", 30, 10)]


def test_a_grant_pays_for_no_day_before_its_first(relational: sa.Engine) -> None:
    granted(relational, grant_of("begins", 900, effective=date(2026, 11, 15)))
    assert paid(MemoryLedger([on(14, 20, at_ms=DAY_MS - 1), on(15, 4)]), relational) == [("begins", 15, 20)]


def test_a_refill_comes_between_the_day_before_it_and_its_own(relational: sa.Engine) -> None:
    granted(relational, grant_of("weekly", 30, kind="recurring", every="P7D", effective=date(2026, 11, 1)))
    ledger = MemoryLedger([on(7, 10), on(8, 4), on(9, 4)])
    assert paid(ledger, relational) == [("weekly", 7, 30), ("weekly", 8, 20), ("weekly", 9, 10)]


def test_the_balance_of_a_day_within_a_closed_month_is_what_that_day_left(relational: sa.Engine) -> None:
    granted(relational, grant_of("welcome", 900))
    ledger = MemoryLedger([on(3, 20), on(9, 20)])
    paid(ledger, relational)
    with relational.connect() as connection:
        left = [
            balances_at(ledger, connection, TENANT, NOVEMBER_FIRST_MS + days * DAY_MS - 1)[0].balance
            for days in (2, 3, 8, 9)
        ]
    assert left == [900, 800, 800, 700]


def test_what_a_cheaper_tier_takes_back_was_never_asked_for(relational: sa.Engine) -> None:
    tiers = "tiers: [{up_to: 10, unit_price: 1}, {unit_price: 0.5}]"
    price = f"{{product: Egress, meter: gb_out, model: volume, {tiers}}}"
    applied(relational, f"plans: [{{name: standard, currency: EUR, prices: [{price}]}}]")
    granted(relational, grant_of("welcome", 9000))
    # 4.00 on the 2nd, 10.00 on the 3rd, 6.00 on the 4th, 7.00 on the 30th.
    ledger = MemoryLedger([on(2, 4), on(3, 6), on(4, 2), on(30, 2)])
    assert paid(ledger, relational) == [("welcome", 2, 400), ("welcome", 3, 200), ("welcome", 30, 100)]


def test_a_fee_and_a_minimum_are_paid_at_the_end(relational: sa.Engine) -> None:
    egress = "{product: Egress, meter: gb_out, model: per_unit, unit_price: 1, adjustments: [{minimum: 5}]}"
    seat = "{product: Seat, model: flat, amount: 3}"
    applied(relational, f"plans: [{{name: standard, currency: EUR, prices: [{egress}, {seat}]}}]")
    granted(relational, grant_of("welcome", 9000))
    ledger = MemoryLedger([on(2, 4), on(3, 6)])
    assert paid(ledger, relational) == [("welcome", 3, 500), ("welcome", 30, 500), ("welcome", 30, 300)]


def test_a_discount_lowers_every_day_alike(relational: sa.Engine) -> None:
    discounted = "{name: standard, currency: EUR, prices: [], discounts: [{name: Launch, percent: 10}]}"
    applied(relational, f"plans: [{discounted}]")
    granted(relational, grant_of("welcome", 9000))
    assert paid(MemoryLedger([on(2, 4), on(3, 6)]), relational) == [("welcome", 2, 18), ("welcome", 3, 27)]


def test_prices_of_dimensions_and_of_single_events_come_up_by_day_too(relational: sa.Engine) -> None:
    matrix = "model: matrix, dimensions: [region], cells: [{region: eu, unit_price: 1}], default: 2"
    calls = f"{{product: API, meter: api_calls, {matrix}}}"
    egress = "{product: Egress, meter: gb_out, model: percentage, percent: 10, least: 1}"
    applied(relational, f"plans: [{{name: standard, currency: EUR, prices: [{calls}, {egress}]}}]")
    granted(relational, grant_of("welcome", 90_000))
    called = [
        Use("api_calls", "acme-prod", NOVEMBER_FIRST_MS + day * DAY_MS, units(1), dimensions=(("region", region),))
        for day, region in ((1, "eu"), (1, "us"), (4, "us"))
    ]
    others = Use("gb_out", "nobody", NOVEMBER_FIRST_MS, units(5))
    assert paid(MemoryLedger([*called, on(5, 40), on(6, 1), others]), relational) == [
        ("welcome", 2, 300),
        *(("welcome", 5, 200), ("welcome", 5, 400)),
        ("welcome", 6, 100),
    ]


def test_a_month_that_is_closed_late_is_paid_at_once(relational: sa.Engine) -> None:
    granted(relational, grant_of("ends", 900, expires=date(2026, 11, 15)), grant_of("stays", 900))
    ledger = MemoryLedger([on(1, 20)])
    closed(ledger, relational, DECEMBER)
    assert paid(ledger, relational) == [("stays", 30, 100)]
    assert balances(ledger, relational) == {"ends": 0, "stays": 800}


def test_a_voided_grant_pays_for_no_day_of_a_month_that_is_open(relational: sa.Engine) -> None:
    granted(relational, grant_of("mistake", 900))
    voided(relational, "mistake", NOVEMBER_FIRST_MS + 20 * DAY_MS)
    assert paid(MemoryLedger([on(1, 20)]), relational) == []


def test_who_is_paid_for_by_the_month_is_not_drawn_by_day(relational: sa.Engine) -> None:
    applied(
        relational,
        "customers: [{id: globex, subjects: [globex]}]\n"
        "contracts: [{id: C-2, customer: globex, plan: standard, entity: DE01, start: 2026-01-01}]",
    )
    granted(relational, grant_of("welcome", 900), grant_of("other", 900, customer="globex"))
    theirs = Use("gb_out", "globex", NOVEMBER_FIRST_MS, units(10))
    assert paid(MemoryLedger([on(2, 20), theirs]), relational) == [("welcome", 2, 100), ("other", 30, 50)]
