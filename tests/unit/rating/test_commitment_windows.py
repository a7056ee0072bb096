"""A commitment for several months is drawn down over their invoices, and every month knows what it stands on."""

import numpy as np
import pytest

from ledger.errors import Refused
from rating import repeat, runs
from rating.as_known import rated_as_known
from rating.catalog_trial import Draft, drafted
from rating.close import Closed, close
from rating.commitment_windows import Dates, period_of, windows
from rating.explain import explained
from rating.periods import NEVER, Period, parse_period
from rating.runs import live_runs
from rating.what_if import Repricing
from tests.unit.rating.test_what_if import totals, totals_of
from tests.unit.rating.world import DAY_MS, NOVEMBER_FIRST_MS, NOW_MS, TENANT, MemoryLedger, Use, applied, store, units

CATALOG = """\
meters:
  - {name: calls, event_type: call, aggregation: count}
plans:
  - name: standard
    currency: EUR
    prices: [{product: API, meter: calls, model: per_unit, unit_price: PRICE}]
customers:
  - {id: acme, subjects: [a]}
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-08-01,
     commitment: {product: Minimum, amount: 100, months: 3, true_up: true, overage_factor: 2}}
"""
MONTHS = ["2026-08", "2026-09", "2026-10"]
MONTH_MS = 30 * DAY_MS


class Site:
    """A catalog, and usage of so many units in each month from August on."""

    def __init__(self, *used: int, catalog: str = CATALOG, price: str = "1") -> None:
        self.relational = store()
        applied(self.relational, catalog.replace("PRICE", price))
        times = [NOVEMBER_FIRST_MS - (3 - nth) * MONTH_MS for nth in range(len(used))]
        self.ledger = MemoryLedger(
            [Use("calls", "a", time, units(many)) for time, many in zip(times, used, strict=True) if many]
        )

    def close(self, period: str, *, dry_run: bool = False) -> Closed:
        done = close(self.ledger, self.relational, TENANT, period, NOW_MS, dry_run=dry_run)
        assert isinstance(done, Closed)
        return done

    def charged(self, *periods: str) -> list[list[int]]:
        """Month by month the amounts of its lines."""
        return [_amounts(self.close(period)) for period in periods]

    def discard(self, period: str) -> None:
        with self.relational.begin() as connection:
            runs.discard(connection, TENANT, period, "to look again", NOW_MS)


def _amounts(done: Closed) -> list[int]:
    assert done.charges is not None
    amounts: list[int] = done.charges["amount"].to_pylist()
    return amounts


def test_what_is_missing_is_charged_in_the_last_month_alone() -> None:
    assert Site(30, 0, 20).charged(*MONTHS) == [[3_000], [], [2_000, 5_000]]


def test_overage_begins_once_the_running_total_passes_the_commitment() -> None:
    assert Site(60, 50, 20).charged(*MONTHS) == [[6_000], [5_000, 1_000], [2_000, 2_000]]


def test_a_correction_gives_overage_back() -> None:
    assert Site(60, 50, -30).charged(*MONTHS) == [[6_000], [5_000, 1_000], [-3_000, 1_000]]


def test_the_next_window_begins_anew() -> None:
    site = Site(150, 0, 0, 70)
    assert site.charged(*MONTHS, "2026-11") == [[15_000, 5_000], [], [], [7_000]]
    assert site.close("2026-11").manifest.counted == {}


def test_a_window_is_owed_for_the_days_that_its_contract_holds_and_ends_with_it() -> None:
    ending = CATALOG.replace("start: 2026-08-01", "start: 2026-08-01, end: 2026-09-16")
    # 46 of the 92 days of August, September and October.
    assert Site(20, 10, catalog=ending).charged(*MONTHS) == [[2_000], [1_000, 2_000], []]


def test_what_a_contract_that_goes_on_after_all_was_charged_too_early_is_given_back() -> None:
    site = Site(20, 10, catalog=CATALOG.replace("start: 2026-08-01", "start: 2026-08-01, end: 2026-09-16"))
    site.charged(*MONTHS[:2])
    applied(site.relational, CATALOG.replace("PRICE", "1").replace("start: 2026-08-01", "start: 2026-08-01, end: null"))
    assert site.charged(MONTHS[2]) == [[5_000]], "50.00 were charged by then, of 100.00"


def test_a_month_waits_for_those_before_it_in_the_window() -> None:
    site = Site(30, 0, 20)
    site.close(MONTHS[0])
    said = "2026-09 is not closed, and 2026-10 depends on it: both are in one window of what contract C-1 commits to"
    with pytest.raises(Refused, match=f"{said}; close 2026-09 first"):
        site.close(MONTHS[2])
    with site.relational.connect() as connection, pytest.raises(Refused, match="2026-09 is not closed"):
        rated_as_known(site.ledger, connection, TENANT, 1, Period(2026, 10), 1, NOW_MS)
    site.close(MONTHS[1])
    assert site.close(MONTHS[2], dry_run=True).manifest.counted == {"2026-08": 1, "2026-09": 2}


def test_a_commitment_that_is_ended_by_an_amount_of_nothing_waits_for_nobody() -> None:
    assert Site(30, 0, 20, catalog=CATALOG.replace("amount: 100", "amount: 0")).charged(MONTHS[2]) == [[2_000]]


def test_a_month_that_another_one_counts_is_not_discarded_before_it() -> None:
    site = Site(60, 50, 20)
    site.charged(*MONTHS)
    with pytest.raises(
        Refused,
        match="run 1 of 2026-08 counts for a commitment that run 2 of 2026-09 has settled: discard that first",
    ):
        site.discard(MONTHS[0])
    for period in reversed(MONTHS):
        site.discard(period)
    assert site.charged(*MONTHS) == [[6_000], [5_000, 1_000], [2_000, 2_000]]
    with site.relational.connect() as connection:
        for number in range(1, 7):
            run = runs.find(connection, number)
            assert run is not None
            assert list(repeat.problems(site.ledger, connection, run)) == [], "those that were discarded too"


def test_a_close_that_counts_what_was_discarded_meanwhile_does_not_stand() -> None:
    site = Site(60, 50)
    site.close(MONTHS[0])
    manifest = site.close(MONTHS[1], dry_run=True).manifest
    site.discard(MONTHS[0])
    with pytest.raises(Refused, match="was taken back meanwhile"), site.relational.begin() as connection:
        runs.finish(connection, runs.begin(connection, manifest, NOW_MS), NOW_MS)
    with site.relational.connect() as connection:
        assert live_runs(connection, TENANT) == []


def test_a_month_that_was_tampered_with_shows_where_it_counts() -> None:
    site = Site(60, 50)
    site.charged(*MONTHS[:2])
    lines = site.ledger.charges[1]
    site.ledger.charges[1] = lines.set_column(lines.schema.get_field_index("amount"), "amount", [[7_000]])
    with site.relational.connect() as connection:
        run = runs.live_run(connection, TENANT, MONTHS[1])
        assert run is not None
        problems = list(repeat.problems(site.ledger, connection, run))
    assert [problem.split()[0] for problem in problems] == ["usage,", "rating"]


def test_a_closed_month_is_known_as_its_close_knew_it() -> None:
    site = Site(60, 50, 20)
    site.charged(*MONTHS)
    with site.relational.connect() as connection:
        found = rated_as_known(site.ledger, connection, TENANT, 1, Period(2026, 9), 1, NOW_MS)
    assert isinstance(found, Closed)
    assert _amounts(found) == [5_000, 1_000]


def test_plans_in_another_currency_begin_anew() -> None:
    site = Site(60, 50)
    site.close(MONTHS[0])
    other = CATALOG.replace("standard", "other").replace("EUR", "USD").replace("PRICE", "1")
    applied(site.relational, other)
    assert site.charged(MONTHS[1]) == [[5_000]]


@pytest.mark.parametrize("draft", ["3", "0.5"])
def test_months_at_other_prices_count_each_other(draft: str) -> None:
    used = (60, 50, 20)
    site, plan = Site(*used), CATALOG[CATALOG.index("plans") : CATALOG.index("customers")]
    site.charged(*MONTHS)
    expected = Site(*used, price=draft)
    with (
        site.relational.connect() as connection,
        drafted(site.relational, TENANT, plan.replace("PRICE", draft)) as other,
    ):
        assert isinstance(other, Draft)
        closed = live_runs(connection, TENANT)
        found = list(Repricing(site.ledger, connection, TENANT, other).charged_again(closed))
        (last,) = Repricing(site.ledger, connection, TENANT, other).charged_again(closed[-1:])
    for month, one in zip(MONTHS, found, strict=True):
        assert one.from_charges
        assert totals(one.after) == totals_of(expected.close(month).charges)
    after_as_closed = {"3": 12_000, "0.5": 2_000}[draft]
    assert totals(last.after) == {("acme", "EUR"): after_as_closed}, "one month alone stands on what was closed"


def test_a_line_is_explained_by_its_window() -> None:
    site = Site(60, 50, 20)
    charges = [site.close(period).charges for period in MONTHS]
    with site.relational.connect() as connection:
        last = live_runs(connection, TENANT)[-1]
        assert charges[-1] is not None
        found = explained(site.ledger, connection, last, charges[-1].slice(1, 1))
    assert found.price == "commits to 100 in 3 months (Minimum: what is missing is charged, what is above it times 2)"
    assert found.problems == []
    assert found.derivation is not None
    assert found.derivation.summary == (
        "committed for 2026-08 to 2026-10 100.00 EUR, charged before 110.00 EUR and 10.00 EUR for it, "
        "charged for 2026-10 20.00 EUR, 30.00 EUR beyond it x 2 -> rounding +0.00 = 20.00 EUR"
    )


def days(*texts: str) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.array([parse_period(text[:7]).first_day() + int(text[8:]) - 1 for text in texts], dtype=np.int64)


def test_windows_are_counted_from_the_month_in_which_a_contract_begins() -> None:
    starts = days("2024-02-29", "2026-01-15", "2026-11-30", "2025-12-01")
    dates = Dates(starts, np.full(4, NEVER), np.ones(4, dtype=np.int64))
    found = windows(dates, np.array([12, 12, 12, 1]), Period(2026, 11))
    assert [str(period_of(month)) for month in found.first_month.tolist()] == [
        "2026-02",
        "2026-01",
        "2026-11",
        "2026-11",
    ]
    assert found.start.tolist() == days("2026-02-01", "2026-01-15", "2026-11-30", "2026-11-01").tolist()
    shares = np.broadcast_arrays(*found.share)
    assert [n / d for n, d in zip(*(half.tolist() for half in shares), strict=True)] == [1, 351 / 365, 336 / 365, 1]
    assert found.is_last.tolist() == [False, False, False, True]


def test_windows_of_contracts_with_an_anchor_begin_on_it() -> None:
    starts = days("2026-01-15", "2026-01-14", "2026-01-31")
    dates = Dates(starts, np.array([NEVER, NEVER, *days("2026-04-01")]), np.array([15, 15, 31]))
    found = windows(dates, np.full(3, 3), Period(2026, 3))
    assert [str(period_of(month)) for month in found.first_month.tolist()] == ["2026-01", "2026-03", "2026-01"]
    assert found.start.tolist() == days("2026-01-15", "2026-03-15", "2026-01-31").tolist()
    # From 31 January to before 30 April are 89 days, and the contract holds on 60 of them.
    shares = np.broadcast_arrays(*found.share)
    assert [n / d for n, d in zip(*(half.tolist() for half in shares), strict=True)] == [1, 1, 60 / 89]
    assert found.is_last.tolist() == [True, False, True]
