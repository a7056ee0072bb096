"""A fee by the quarter or year is owed whole where its interval begins, and never given back."""

from datetime import date

import pytest

from rating.calculation import calculate
from rating.periods import day_number, day_start, parse_period
from tests.unit.rating.world import NOW_MS, TENANT, MemoryLedger, applied, store

CATALOG = """\
plans:
  - {name: standard, currency: EUR, prices: [PRICES]}
customers:
  - {id: acme, subjects: []}
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-02-10, CONTRACT}
"""
YEARLY = "{product: Support, model: flat, amount: 1200, interval: year}"
QUARTERLY = "{product: Support, model: flat, amount: 300, interval: quarter}"
MONTHLY = "{product: Support, model: flat, amount: 31, from: 2026-07-01}"


def owed(prices: str, *periods: str, contract: str = "") -> list[tuple[str, str, str, int]]:
    """What is owed in which of some periods, from which day to which."""
    relational, found = store(), []
    applied(relational, CATALOG.replace("PRICES", prices).replace("CONTRACT", contract))
    with relational.connect() as connection:
        for period in periods:
            charges = calculate(
                MemoryLedger(), connection, TENANT, 1, parse_period(period), 0, NOW_MS
            ).charges.to_pylist()
            found += [
                (period, day_of(one["window_start"]), day_of(one["window_end"]), one["amount"]) for one in charges
            ]
    return found


def day_of(instant: int) -> str:
    day = date.fromtimestamp(instant // 1000)  # noqa: DTZ012 - asserted to be midnight in UTC
    assert day_start(day_number(day), "UTC") == instant
    return day.isoformat()


def of_year(year: int) -> list[str]:
    return [f"{year}-{month:02}" for month in range(1, 13)]


def test_a_year_is_owed_in_the_period_that_holds_its_first_day() -> None:
    assert owed(YEARLY, *of_year(2026), *of_year(2027)) == [
        ("2026-02", "2026-02-10", "2027-02-10", 120_000),
        ("2027-02", "2027-02-10", "2028-02-10", 120_000),
    ]


def test_an_anchor_says_which_period_that_is() -> None:
    assert owed(YEARLY, *of_year(2026), contract="anchor: 15") == [("2026-01", "2026-02-10", "2027-02-10", 120_000)]
    assert owed(YEARLY, *of_year(2026), contract="anchor: 10") == [("2026-02", "2026-02-10", "2027-02-10", 120_000)]


def test_quarters_are_counted_from_the_contracts_first_day() -> None:
    found = owed(QUARTERLY, *of_year(2026))
    assert [one[1] for one in found] == ["2026-02-10", "2026-05-10", "2026-08-10", "2026-11-10"]
    assert {one[3] for one in found} == {30_000}


def test_nothing_is_given_back_when_a_contract_ends() -> None:
    assert owed(QUARTERLY, *of_year(2026), contract="end: 2026-05-11") == [
        ("2026-02", "2026-02-10", "2026-05-10", 30_000),
        ("2026-05", "2026-05-10", "2026-08-10", 30_000),
    ]
    assert len(owed(QUARTERLY, *of_year(2026), contract="end: 2026-05-10")) == 1


def test_a_new_amount_holds_from_the_next_interval_on() -> None:
    dearer = YEARLY.replace("1200", "1500, from: 2026-07-01")
    assert [one[2:] for one in owed(f"{YEARLY}, {dearer}", *of_year(2026), *of_year(2027))] == [
        ("2027-02-10", 120_000),
        ("2028-02-10", 150_000),
    ]


@pytest.mark.parametrize("before", ["", MONTHLY.replace(", from: 2026-07-01", "") + ", "])
def test_a_fee_that_comes_to_be_later_is_counted_from_its_own_day(before: str) -> None:
    found = owed(before + YEARLY.replace("1200", "1200, from: 2026-07-01"), *of_year(2026), *of_year(2027))
    assert [one for one in found if one[3] == 120_000] == [
        ("2026-07", "2026-07-01", "2027-07-01", 120_000),
        ("2027-07", "2027-07-01", "2028-07-01", 120_000),
    ]


def test_a_monthly_fee_takes_over_from_its_own_day() -> None:
    assert owed(f"{YEARLY}, {MONTHLY}", "2026-02", "2026-06", "2026-07") == [
        ("2026-02", "2026-02-10", "2027-02-10", 120_000),
        ("2026-07", "2026-07-01", "2026-08-01", 3_100),
    ]


def test_a_leap_day_is_the_28th_until_the_next_one() -> None:
    contract = "timezone: UTC"
    text = CATALOG.replace("2026-02-10", "2028-02-29").replace("PRICES", YEARLY).replace("CONTRACT", contract)
    relational = store()
    applied(relational, text)
    begins = []
    with relational.connect() as connection:
        for year in range(2028, 2033):
            month = parse_period(f"{year}-02")
            (line,) = calculate(MemoryLedger(), connection, TENANT, 1, month, 0, NOW_MS).charges.to_pylist()
            begins.append(day_of(line["window_start"]))
    assert begins == ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]
