"""A close fixes what it is a function of, keeps to its equation, happens once, and leaves nothing when it fails."""

from typing import Any

import msgspec
import pyarrow as pa
import pytest
import sqlalchemy as sa

from ledger.errors import Refused
from rating import repeat, runs
from rating.close import Closed, Unbalanced, close
from tests.unit.rating.world import (
    CATALOG,
    DAY_MS,
    DECEMBER_FIRST_MS,
    HOUR_MS,
    NOVEMBER_FIRST_MS,
    NOW_MS,
    TENANT,
    MemoryLedger,
    Use,
    applied,
    store,
    units,
)

PERIOD = "2026-11"
USAGE = [
    Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS, 2_500_000_000),
    Use("gb_out", "acme-test", NOVEMBER_FIRST_MS + DAY_MS, units(1)),
    Use("gb_out", "nobody", NOVEMBER_FIRST_MS + DAY_MS, units(9)),
    *[Use("api_calls", "acme-prod", NOVEMBER_FIRST_MS + nth, units(1)) for nth in range(1030)],
]


@pytest.fixture
def relational() -> sa.Engine:
    engine = store()
    applied(engine, CATALOG)
    return engine


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(USAGE)


def closed(ledger: MemoryLedger, relational: sa.Engine, **how: Any) -> Closed:
    done = close(ledger, relational, TENANT, PERIOD, NOW_MS, **how)
    assert isinstance(done, Closed)
    return done


def rows(relational: sa.Engine) -> list[tuple[int, str]]:
    with relational.connect() as connection:
        return [(row.id, row.state) for row in connection.execute(sa.select(runs.runs).order_by(runs.runs.c.id))]


def test_a_close_says_what_it_is_a_function_of_and_what_it_gave(ledger: MemoryLedger, relational: sa.Engine) -> None:
    done = closed(ledger, relational)
    said = done.manifest
    assert (done.run, done.state, done.new, said.period, said.cutoff, said.catalog_version) == (
        1,
        "rated",
        True,
        PERIOD,
        1,
        1,
    )
    assert (said.events, said.charges, said.complete, said.chain) == (1032, 2, False, ledger.chain_at(1))
    assert (said.totals, said.rounding) == ({"EUR": "0.19"}, {"EUR": "0.003"})
    assert msgspec.to_builtins(said.unrated) == [
        {
            "meter": "gb_out",
            "reason": "no_customer",
            "events": 1,
            "quantity": "9",
            "subjects": 1,
            "examples": ["nobody"],
        }
    ]


def test_a_stored_run_reads_as_it_was_closed_whatever_its_size(relational: sa.Engine) -> None:
    ledger = MemoryLedger([Use("gb_out", "nobody", NOVEMBER_FIRST_MS + nth, 10**24) for nth in range(30)])
    done = closed(ledger, relational)
    assert done.manifest.unrated[0].quantity == "30000000000000000"
    with relational.connect() as connection:
        run = runs.live_run(connection, TENANT, PERIOD)
    assert run is not None
    assert run.manifest == done.manifest


def test_what_is_accepted_is_rated_unrated_or_another_periods(ledger: MemoryLedger, relational: sa.Engine) -> None:
    balances = {
        balance.meter: msgspec.to_builtins(balance) for balance in closed(ledger, relational).manifest.conservation
    }
    assert balances["gb_out"] == {
        "meter": "gb_out",
        "accepted": {"events": 3, "quantity": "12.5"},
        "rated": {"events": 2, "quantity": "3.5"},
        "unrated": {"events": 1, "quantity": "9"},
        "other_period": {"events": 0, "quantity": "0"},
        "residual": {"events": 0, "quantity": "0"},
    }
    assert balances["api_calls"]["rated"] == {"events": 1030, "quantity": "1030"}


def test_a_period_that_is_over_everywhere_is_complete(ledger: MemoryLedger, relational: sa.Engine) -> None:
    done = close(ledger, relational, TENANT, PERIOD, DECEMBER_FIRST_MS, dry_run=True)
    assert done.manifest.complete
    assert not close(ledger, relational, TENANT, PERIOD, DECEMBER_FIRST_MS - 1, dry_run=True).manifest.complete


def test_closing_again_changes_nothing_and_says_how_much_came_later(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    first = closed(ledger, relational)
    ledger.usage.append(Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS, units(1), block=4))
    again = closed(ledger, relational)
    assert (again.run, again.state, again.new, again.later_blocks) == (1, "rated", False, 3)
    assert again.manifest == first.manifest
    assert rows(relational) == [(1, "rated")]
    assert list(ledger.charges) == [1]


def test_a_dry_run_writes_nothing_and_shows_the_same_charges(ledger: MemoryLedger, relational: sa.Engine) -> None:
    dry = closed(ledger, relational, dry_run=True)
    assert (dry.run, dry.state, rows(relational), ledger.charges) == (None, "dry_run", [], {})
    assert closed(ledger, relational).manifest == dry.manifest


def test_usage_that_rating_lost_refuses_the_close_and_nothing_is_kept(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    ledger.lost = 1
    refused = close(ledger, relational, TENANT, PERIOD, NOW_MS)
    assert isinstance(refused, Unbalanced)
    assert [(balance.meter, balance.residual.events, balance.residual.quantity) for balance in refused.residual] == [
        ("gb_out", 1, "2.5")
    ]
    assert (rows(relational), ledger.charges) == ([], {})


def test_documents_and_the_run_become_true_together(ledger: MemoryLedger, relational: sa.Engine) -> None:
    def refuse(connection: sa.Connection, run: int, charges: pa.Table) -> None:
        assert connection.execute(sa.select(runs.runs.c.state).where(runs.runs.c.id == run)).scalar() == "rated"
        assert set(charges["run"].to_pylist()) == {run}
        raise Refused("no documents today")

    with pytest.raises(Refused, match="no documents"):
        closed(ledger, relational, on_rated=refuse)
    assert rows(relational) == [(1, "rating")]
    with relational.connect() as connection:
        assert runs.live_run(connection, TENANT, PERIOD) is None
    assert closed(ledger, relational).run == 2
    assert rows(relational) == [(1, "discarded"), (2, "rated")]


def test_a_crash_while_charges_are_written_leaves_the_period_open(ledger: MemoryLedger, relational: sa.Engine) -> None:
    class Full(MemoryLedger):
        def write_charges(self, lines: pa.Table) -> None:
            super().write_charges(lines.slice(0, 1))
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        closed(Full(USAGE), relational)
    done = closed(ledger, relational)
    assert (done.run, len(ledger.charges[2])) == (2, 2)


def test_two_closes_at_once_make_one_run(ledger: MemoryLedger, relational: sa.Engine) -> None:
    manifest = closed(ledger, relational, dry_run=True).manifest
    with relational.begin() as connection:
        slow, fast = runs.begin(connection, manifest, NOW_MS), runs.begin(connection, manifest, NOW_MS)
        runs.finish(connection, fast, NOW_MS)
    with pytest.raises(Refused, match="overtaken"), relational.begin() as connection:
        runs.finish(connection, slow, NOW_MS)
    assert rows(relational) == [(slow, "discarded"), (fast, "rated")]


def test_a_discarded_run_is_closed_again_under_a_new_number(ledger: MemoryLedger, relational: sa.Engine) -> None:
    first = closed(ledger, relational)
    with relational.begin() as connection:
        assert runs.discard(connection, TENANT, PERIOD, "wrong price", NOW_MS).state == "discarded"
    again = closed(ledger, relational)
    assert again.run == 2
    assert again.manifest.output_digest == first.manifest.output_digest


def test_an_approved_run_is_not_discarded(ledger: MemoryLedger, relational: sa.Engine) -> None:
    closed(ledger, relational)
    with relational.begin() as connection:
        assert runs.approve(connection, TENANT, PERIOD).state == "approved"
        assert runs.approve(connection, TENANT, PERIOD).state == "approved"
    with relational.begin() as connection, pytest.raises(Refused, match="is approved"):
        runs.discard(connection, TENANT, PERIOD, "too late", NOW_MS)
    assert closed(ledger, relational).state == "approved"


def test_what_is_not_closed_can_be_neither_approved_nor_discarded(relational: sa.Engine) -> None:
    with relational.begin() as connection:
        with pytest.raises(Refused, match="close it first"):
            runs.approve(connection, TENANT, PERIOD)
        with pytest.raises(Refused, match="close it first"):
            runs.discard(connection, TENANT, PERIOD, "why", NOW_MS)


def test_a_run_is_discarded_only_with_a_reason(ledger: MemoryLedger, relational: sa.Engine) -> None:
    closed(ledger, relational)
    with relational.begin() as connection, pytest.raises(Refused, match="say why"):
        runs.discard(connection, TENANT, PERIOD, " ", NOW_MS)


def test_the_database_holds_one_live_run_of_a_period(ledger: MemoryLedger, relational: sa.Engine) -> None:
    manifest = closed(ledger, relational).manifest
    with relational.begin() as connection:
        second = runs.begin(connection, manifest, NOW_MS)
    with pytest.raises(Refused, match="overtaken"), relational.begin() as connection:
        runs.finish(connection, second, NOW_MS)


def test_a_month_without_usage_closes_with_nothing_to_bill(relational: sa.Engine) -> None:
    done = closed(MemoryLedger(), relational)
    assert (done.manifest.charges, done.manifest.totals, done.state) == (0, {}, "rated")


def test_a_period_that_is_none_is_told_how_to_write_one(ledger: MemoryLedger, relational: sa.Engine) -> None:
    with pytest.raises(ValueError, match="as in 2026-11"):
        close(ledger, relational, TENANT, "november", NOW_MS)


def test_a_past_run_gives_the_same_digest_under_a_later_catalog_and_more_usage(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    done = closed(ledger, relational)
    applied(relational, CATALOG.replace("0.05", "0.07").replace("2026-01-01", "2026-02-01"))
    ledger.usage.append(Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS + HOUR_MS, units(1), block=2))
    with relational.connect() as connection:
        run = runs.live_run(connection, TENANT, PERIOD)
        assert run is not None
        assert run.manifest == done.manifest
        assert list(repeat.problems(ledger, connection, run)) == []


def test_usage_that_was_changed_afterwards_shows_when_a_run_is_repeated(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    closed(ledger, relational)
    ledger.usage[0] = ledger.usage[0]._replace(quantity=units(3))
    with relational.connect() as connection:
        (run,) = runs.live_runs(connection)
        problems = list(repeat.problems(ledger, connection, run))
    assert [problem.split()[0] for problem in problems] == ["the", "usage,", "rating"]


def test_charges_that_were_changed_afterwards_show(ledger: MemoryLedger, relational: sa.Engine) -> None:
    closed(ledger, relational)
    lines = ledger.charges[1]
    ledger.charges[1] = lines.set_column(lines.schema.get_field_index("amount"), "amount", pa.array([1, 2], pa.int64()))
    with relational.connect() as connection:
        (run,) = runs.live_runs(connection, TENANT)
        assert list(repeat.problems(ledger, connection, run)) == [
            "its stored charges are not the ones it was closed with"
        ]


def test_a_period_is_over_when_that_of_the_last_anchor_is(ledger: MemoryLedger) -> None:
    relational = store()
    applied(relational, CATALOG.replace("start: 2026-01-01", "start: 2026-01-01, anchor: 15"))
    end = DECEMBER_FIRST_MS + 14 * DAY_MS
    for now, complete in ((end - 1, False), (end, True)):
        done = close(ledger, relational, TENANT, PERIOD, now, dry_run=True)
        assert isinstance(done, Closed)
        assert done.manifest.complete is complete


@pytest.mark.parametrize(
    "change",
    [
        ('unit_price: "0.05"', 'unit_price: "0.06"'),
        ("timezone: UTC", "timezone: Europe/Berlin"),
        ("[acme-prod, acme-test]", "[acme-prod]"),
    ],
)
def test_another_input_has_another_digest(ledger: MemoryLedger, change: tuple[str, str]) -> None:
    text = CATALOG.replace("start: 2026-01-01", "start: 2026-01-01, timezone: UTC")
    one, other = store(), store()
    applied(one, text)
    applied(other, text.replace(*change))
    assert closed(ledger, one).manifest.input_digest != closed(ledger, other, dry_run=True).manifest.input_digest


def test_derived_usage_that_was_changed_behind_the_chain_changes_the_input_digest(relational: sa.Engine) -> None:
    class Unchained(MemoryLedger):
        def chain_at(self, _: int) -> str:
            return "the same"

    one = closed(Unchained(USAGE), relational, dry_run=True)
    moved = [USAGE[0]._replace(time=USAGE[0].time + 1), *USAGE[1:]]
    other = closed(Unchained(moved), relational, dry_run=True)
    assert one.manifest.input_digest != other.manifest.input_digest
