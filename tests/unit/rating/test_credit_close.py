"""Credit pays the invoices of a close, run after run, and every movement of it counts as long as its run stands."""

from datetime import date

import pyarrow as pa
import pytest
import sqlalchemy as sa

from ledger.charges import CREDIT, FEE, PROMOTION, USAGE
from ledger.errors import Refused
from rating import credit_life, repeat, runs
from rating.as_known import rated_as_known
from rating.catalog_trial import Draft, drafted
from rating.credit_grants import grants
from rating.periods import parse_period
from rating.what_if import Repricing
from tests.unit.rating.crediting import balances, closed, discarded, grant_of, granted, lines, moved, voided
from tests.unit.rating.world import (
    CATALOG,
    DAY_MS,
    DECEMBER_FIRST_MS,
    NOVEMBER_FIRST_MS,
    NOW_MS,
    TENANT,
    MemoryLedger,
    Use,
    applied,
    store,
    units,
)

OCTOBER, NOVEMBER, DECEMBER = "2026-10", "2026-11", "2026-12"
GLOBEX = """
customers: [{id: globex, subjects: [globex]}]
contracts: [{id: C-2, customer: globex, plan: standard, entity: DE01, start: 2026-01-01}]
"""
USAGE_OF_ALL = [
    Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS - DAY_MS, units(20)),
    Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS, units(100)),
    *[Use("api_calls", "acme-prod", NOVEMBER_FIRST_MS + nth, units(1)) for nth in range(1500)],
    Use("gb_out", "acme-prod", DECEMBER_FIRST_MS, units(40)),
    Use("gb_out", "globex", NOVEMBER_FIRST_MS, units(10)),
]
"""acme: 1.00 for egress in October, 0.20 for calls and 5.00 for egress in November, 2.00 in December; globex: 0.50."""


@pytest.fixture
def relational() -> sa.Engine:
    engine = store()
    applied(engine, CATALOG)
    applied(engine, GLOBEX)
    return engine


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(USAGE_OF_ALL)


def test_a_grant_pays_the_lines_of_its_customer_in_their_order(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("welcome", 300))
    done = closed(ledger, relational, NOVEMBER)
    assert lines(done) == [
        (USAGE, "API", 20),
        (USAGE, "Egress", 500),
        (PROMOTION, "welcome", -300),
        (USAGE, "Egress", 50),
    ]
    assert done.charges is not None
    assert done.charges["line"].to_pylist() == [0, 1, 2, 3]
    entries = ledger.read_movements(1).to_pylist()
    assert [(entry["debit"], entry["credit"], entry["amount"]) for entry in entries] == [
        ("issued", "balance", 300),
        ("balance", "used", 20),
        ("balance", "used", 280),
    ]
    assert [(entry["charge"], entry["line"]) for entry in entries] == [(-1, -1), (0, 2), (1, 2)]
    assert (done.manifest.totals, done.manifest.charges) == ({"EUR": "2.70"}, 4)


def test_a_row_of_credit_says_what_it_is_and_counts_no_usage(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("topup", 300, kind="prepaid", name="Top-up 17"))
    done = closed(ledger, relational, NOVEMBER)
    assert done.charges is not None
    row = done.charges.to_pylist()[2]
    assert (row["kind"], row["product"], row["contract"], row["meter"], row["subjects"]) == (
        CREDIT,
        "Top-up 17",
        "",
        "",
        [],
    )
    assert (row["customer"], row["entity"], row["currency"], row["events"], row["quantity"]) == (
        "acme",
        "DE01",
        "EUR",
        0,
        0,
    )
    assert (row["exact_numerator"], row["exact_denominator"], row["amount"]) == (-3, 1, -300)
    assert (row["window_start"], row["window_end"]) == (NOVEMBER_FIRST_MS, DECEMBER_FIRST_MS)
    assert done.manifest.events == 1502


def test_months_go_on_from_what_the_months_before_have_left(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("welcome", 700))
    for period in (OCTOBER, NOVEMBER, DECEMBER):
        closed(ledger, relational, period)
    assert moved(ledger, 1) == [("welcome", "issued", "balance", 700), ("welcome", "balance", "used", 100)]
    assert moved(ledger, 2) == [("welcome", "balance", "used", 20), ("welcome", "balance", "used", 500)]
    assert moved(ledger, 3) == [("welcome", "balance", "used", 80)]
    assert balances(ledger, relational) == {"welcome": 0}


def test_what_would_be_lost_first_burns_first_and_paid_credit_last(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(
        relational,
        grant_of("paid", 1000, kind="prepaid"),
        grant_of("given", 100),
        grant_of("soon", 100, expires=date(2026, 12, 24)),
        grant_of("first", 100, priority=0, expires=date(2027, 12, 24)),
        grant_of("last", 100, priority=1, expires=date(2026, 12, 1)),
    )
    closed(ledger, relational, NOVEMBER)
    assert [grant for grant, _, credit, _ in moved(ledger, 1) if credit == "used"] == [
        "soon",
        "soon",
        "first",
        "given",
        "paid",
    ]


def test_a_grant_that_ends_within_the_month_is_gone_and_one_that_holds_to_its_end_pays(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    granted(
        relational,
        grant_of("early", 100, expires=date(2026, 11, 30)),
        grant_of("in time", 100, expires=date(2026, 12, 1)),
        grant_of("too late", 100, effective=date(2026, 12, 1)),
    )
    closed(ledger, relational, NOVEMBER)
    assert set(moved(ledger, 1)) == {
        ("early", "issued", "balance", 100),
        ("early", "balance", "expired", 100),
        ("in time", "issued", "balance", 100),
        ("in time", "balance", "used", 20),
        ("in time", "balance", "used", 80),
        ("too late", "issued", "balance", 100),
    }


def test_a_limited_grant_pays_its_products_alone(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("egress only", 1000, products=("Egress",)))
    done = closed(ledger, relational, NOVEMBER)
    assert lines(done)[2] == (PROMOTION, "egress only", -500)


def test_a_recurring_grant_is_filled_up_each_month_and_keeps_what_it_may(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    monthly = {"kind": "recurring", "every": "P1M"}
    granted(
        relational,
        grant_of("strict", 10, **monthly),
        grant_of("rolls over", 150, rollover_max=40, **monthly),
    )
    closed(ledger, relational, OCTOBER)
    assert moved(ledger, 1) == [
        ("strict", "issued", "balance", 10),
        ("rolls over", "issued", "balance", 150),
        ("strict", "balance", "used", 10),
        ("rolls over", "balance", "used", 90),
        ("strict", "issued", "balance", 10),
        ("rolls over", "balance", "forfeited", 20),
        ("rolls over", "issued", "balance", 150),
    ]
    closed(ledger, relational, NOVEMBER)
    assert balances(ledger, relational) == {"strict": 10, "rolls over": 150}


def test_a_refill_finds_at_least_what_it_has_to_leave(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("g", 150, kind="recurring", every="P1M", rollover_min=70, rollover_max=100))
    closed(ledger, relational, OCTOBER)
    assert moved(ledger, 1) == [
        ("g", "issued", "balance", 150),
        ("g", "balance", "used", 100),
        ("g", "issued", "balance", 170),
    ]
    assert balances(ledger, relational) == {"g": 220}


def test_a_voided_grant_pays_for_no_period_that_is_still_open(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("mistake", 300))
    closed(ledger, relational, OCTOBER)
    voided(relational, "mistake", DECEMBER_FIRST_MS + 5 * DAY_MS)
    closed(ledger, relational, NOVEMBER)
    assert moved(ledger, 2) == [("mistake", "balance", "voided", 200)]
    closed(ledger, relational, DECEMBER)
    assert moved(ledger, 3) == []


def test_credit_granted_late_pays_the_next_close_and_no_run_before_it(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    granted(relational, grant_of("welcome", 10))
    closed(ledger, relational, OCTOBER)
    granted(relational, grant_of("late", 50))
    closed(ledger, relational, NOVEMBER)
    assert balances(ledger, relational) == {"welcome": 0, "late": 0}
    with relational.connect() as connection:
        for run in runs.live_runs(connection):
            assert list(repeat.problems(ledger, connection, run)) == []


def test_a_month_closed_late_finds_what_later_months_have_left(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(
        relational,
        grant_of("welcome", 560),
        grant_of("expires", 30, expires=date(2026, 11, 15)),
        grant_of("november", 5, effective=date(2026, 11, 2)),
        grant_of("monthly", 7, kind="recurring", every="P1M"),
    )
    closed(ledger, relational, NOVEMBER)
    assert balances(ledger, relational) == {"welcome": 40, "expires": 0, "november": 5, "monthly": 7}
    late = closed(ledger, relational, OCTOBER)
    assert late.manifest.credits is not None
    assert late.manifest.credits.until == DECEMBER_FIRST_MS
    assert moved(ledger, late.run) == [("welcome", "balance", "used", 40), ("monthly", "balance", "used", 7)]
    assert balances(ledger, relational)["november"] == 5
    closed(ledger, relational, DECEMBER)
    with relational.connect() as connection:
        for run in runs.live_runs(connection):
            assert list(repeat.problems(ledger, connection, run)) == []


def test_what_a_late_close_has_begun_after_its_end_expires_before_the_next_close_pays(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    granted(relational, grant_of("welcome", 10_000, expires=date(2026, 12, 24)))
    closed(ledger, relational, DECEMBER)
    granted(relational, grant_of("late", 560, expires=date(2026, 11, 15)))
    late = closed(ledger, relational, OCTOBER)
    assert ("late", "balance", "used", 100) in moved(ledger, late.run)
    november = closed(ledger, relational, NOVEMBER)
    assert moved(ledger, november.run) == [("late", "balance", "expired", 460)]
    assert balances(ledger, relational) == {"welcome": 0, "late": 0}


def test_a_discarded_run_takes_its_movements_with_it(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("welcome", 700))
    closed(ledger, relational, OCTOBER)
    first = closed(ledger, relational, NOVEMBER)
    with pytest.raises(Refused, match="run 2 of 2026-11 drew on: discard that first"):
        discarded(relational, OCTOBER)
    discarded(relational, NOVEMBER)
    assert balances(ledger, relational) == {"welcome": 600}
    again = closed(ledger, relational, NOVEMBER)
    assert again.manifest == first.manifest
    assert balances(ledger, relational) == {"welcome": 80}


def test_a_run_that_knew_of_no_credit_can_be_discarded_whatever_came_later(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    assert closed(ledger, relational, OCTOBER).manifest.credits is None
    granted(relational, grant_of("welcome", 700))
    closed(ledger, relational, NOVEMBER)
    discarded(relational, OCTOBER)


def test_runs_that_were_taken_back_are_drawn_down_again_from_what_they_found(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    granted(relational, grant_of("welcome", 700))
    for period in (OCTOBER, NOVEMBER):
        closed(ledger, relational, period)
    for period in (NOVEMBER, OCTOBER):
        discarded(relational, period)
    for period in (NOVEMBER, OCTOBER):
        closed(ledger, relational, period)
    with relational.connect() as connection:
        for number in (1, 2, 3, 4):
            run = runs.find(connection, number)
            assert run is not None
            assert list(repeat.problems(ledger, connection, run)) == []
            found = credit_life.found_by(ledger, connection, run)
            assert found is not None
            assert (found.after, found.balance.tolist()) == {
                1: (0, [0]),
                2: (1, [600]),
                3: (0, [0]),
                4: (3, [180]),
            }[number]


def test_a_closed_month_looked_back_at_finds_the_credit_that_its_close_found(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    unpaid = closed(ledger, relational, OCTOBER)
    granted(relational, grant_of("welcome", 700))
    november = closed(ledger, relational, NOVEMBER)
    december = closed(ledger, relational, DECEMBER, dry_run=True)
    with relational.connect() as connection:
        for done in (unpaid, november, december):
            period = parse_period(done.manifest.period)
            found = rated_as_known(ledger, connection, TENANT, 2, period, done.manifest.cutoff, DECEMBER_FIRST_MS)
            assert found.manifest == done.manifest


def test_what_if_compares_what_is_charged_before_credit_pays(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("welcome", 300))
    closed(ledger, relational, NOVEMBER)
    text = "plans: [{name: standard, currency: EUR, prices: [{product: Egress, meter: gb_out, model: per_unit, %s}]}]"
    for said, from_charges in (('unit_price: "0.10"', True), ('unit_price: "0.10", from: 2026-11-01', False)):
        with relational.connect() as connection, drafted(relational, TENANT, text % said) as draft:
            assert isinstance(draft, Draft)
            (run,) = runs.live_runs(connection, TENANT)
            (found,) = Repricing(ledger, connection, TENANT, draft).charged_again([run])
        assert found.from_charges is from_charges
        assert (found.before.amount.tolist(), found.after.amount.tolist()) == ([520, 50], [1020, 100])


def test_two_runs_cannot_draw_on_the_same_balances(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("welcome", 700))
    october = closed(ledger, relational, OCTOBER, dry_run=True).manifest
    november = closed(ledger, relational, NOVEMBER, dry_run=True).manifest
    with relational.begin() as connection:
        slow, fast = runs.begin(connection, october, NOW_MS), runs.begin(connection, november, NOW_MS)
        runs.finish(connection, fast, NOW_MS)
    with pytest.raises(Refused, match="with the same credit"), relational.begin() as connection:
        runs.finish(connection, slow, NOW_MS)


@pytest.mark.parametrize("cut", ["write_charges", "write_movements"])
def test_a_crash_while_a_run_is_written_moves_nothing(
    ledger: MemoryLedger, relational: sa.Engine, cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted(relational, grant_of("welcome", 700))

    class Full(MemoryLedger):
        def write_charges(self, lines: pa.Table) -> None:
            super().write_charges(lines)
            if cut == "write_charges":
                raise OSError("no space left")

        def write_movements(self, entries: pa.Table) -> None:
            super().write_movements(entries.slice(0, 1))
            if cut == "write_movements":
                raise OSError("no space left")

    full = Full(USAGE_OF_ALL)
    with pytest.raises(OSError, match="no space"):
        closed(full, relational, NOVEMBER)
    assert balances(full, relational) == {}
    done = closed(ledger, relational, NOVEMBER)
    assert (done.run, balances(ledger, relational)) == (2, {"welcome": 180})


def test_changed_movements_and_changed_grants_are_seen(ledger: MemoryLedger, relational: sa.Engine) -> None:
    granted(relational, grant_of("welcome", 700))
    closed(ledger, relational, NOVEMBER)
    with relational.begin() as connection:
        run = runs.live_runs(connection)[0]
        kept = ledger.movements[1]
        ledger.movements[1] = kept.slice(0, 2)
        assert list(repeat.problems(ledger, connection, run)) == [
            "its stored movements of credit are not the ones it was closed with"
        ]
        ledger.movements[1] = kept
        connection.execute(sa.update(grants).values(amount=701))
        assert any("credit" in problem for problem in repeat.problems(ledger, connection, run))


def test_a_fee_is_paid_too(ledger: MemoryLedger, relational: sa.Engine) -> None:
    text = "plans: [{name: standard, currency: EUR, prices: [{product: Seat, model: flat, amount: 3}]}]"
    applied(relational, text)
    granted(relational, grant_of("welcome", 10_000))
    assert (FEE, "Seat", 300) in lines(closed(ledger, relational, NOVEMBER))
    assert balances(ledger, relational) == {"welcome": 10_000 - 820}


def test_without_charges_credit_expires_all_the_same(relational: sa.Engine) -> None:
    granted(relational, grant_of("welcome", 10, expires=date(2026, 11, 3)))
    ledger = MemoryLedger()
    done = closed(ledger, relational, NOVEMBER)
    assert (lines(done), moved(ledger, done.run)) == (
        [],
        [("welcome", "issued", "balance", 10), ("welcome", "balance", "expired", 10)],
    )
    assert ledger.read_movements(1)["tenant"][0].as_py() == TENANT
