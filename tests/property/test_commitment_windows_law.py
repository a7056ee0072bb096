"""Month after month, a window of a commitment has charged what all of its usage makes of the commitment, and no more.

The clerk goes through days on a calendar and adds up what closes charged; what that makes is the reference's.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.charges import COMMITMENT, FEE, USAGE
from ledger.errors import Refused
from ledger.meters import Meter
from rating import catalog_store, repeat, runs
from rating.agreements import Commitment, Step
from rating.catalog import Catalog, Contract, Customer, Plan, Price
from rating.catalog_checks import faults
from rating.close import Closed, close
from rating.explain import explained
from rating.pricing import parts
from tests.reference.adjustments import commitment
from tests.reference.exactness import rounded
from tests.unit.rating.world import DAY_MS, NOVEMBER_FIRST_MS, NOW_MS, TENANT, MemoryLedger, Use, exact_amount, store

DIGITS = {"EUR": 2, "JPY": 0}
PERIODS = [f"2026-{month:02d}" for month in range(1, 8)]
FIRST = date(2026, 1, 1)
FIRST_MS = NOVEMBER_FIRST_MS - (date(2026, 11, 1) - FIRST).days * DAY_MS
DAYS = 212
CUSTOMERS = ("ada", "Bob")
Row = dict[str, Any]


class World(NamedTuple):
    catalog: Catalog
    usage: list[Use]


days = st.integers(0, 80).map(lambda day: FIRST + timedelta(days=day))
cents = st.integers(0, 40_000).map(lambda amount: Fraction(amount, 100))


@st.composite
def commitments(draw: st.DrawFn) -> Commitment:
    since = sorted(draw(st.sets(days, max_size=2)))
    return Commitment(
        "Minimum",
        tuple(Step(draw(cents), day) for day in (None, *since)),
        draw(st.booleans()),
        draw(st.sampled_from(["1", "0.9", "1.25", "3"]).map(Fraction)),
        months=draw(st.sampled_from([1, 2, 3, 5, 12])),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Two customers with a commitment each, of any length, and usage of seven months; corrections among it."""
    signed = []
    for customer, plan in zip(CUSTOMERS, ("p0", "p1"), strict=True):
        start = draw(days)
        length = draw(st.none() | st.integers(1, 150))
        end = None if length is None else start + timedelta(days=length)
        zone = draw(st.sampled_from(["UTC", "America/New_York", "Pacific/Kiritimati"]))
        signed.append(
            Contract(f"C-{customer}", customer, plan, "DE01", start, end, zone, commitment=draw(commitments()))
        )
    use = parts.Price(charge=parts.PerUnit(Fraction("0.123")), is_mirrored=True)
    fee = parts.Price(charge=parts.Flat(draw(cents)))
    catalog = Catalog(
        (Meter("calls", "calls", "count"),),
        (
            Plan("p0", "EUR", (Price("Calls", "calls", use),)),
            Plan("p1", "JPY", (Price("Base", "", fee), Price("Calls", "calls", use))),
        ),
        tuple(Customer(customer, customer, (customer,)) for customer in CUSTOMERS),
        tuple(signed),
    )
    usage = st.builds(
        Use,
        st.just("calls"),
        st.sampled_from(CUSTOMERS),
        st.integers(FIRST_MS, FIRST_MS + DAYS * DAY_MS),
        st.integers(-(10**11), 10**12),
        st.just(1),
    )
    return World(catalog, draw(st.lists(usage, max_size=12)))


class Books:
    """What closes charged, month after month."""

    def __init__(self, world: World) -> None:
        self.relational, self.ledger = store(), MemoryLedger(world.usage)
        self.catalog = world.catalog
        with self.relational.begin() as connection:
            assert list(faults(world.catalog, Catalog())) == []
            catalog_store.apply_catalog(connection, TENANT, Catalog(), world.catalog, "", "tests", 0)
        self.charged: dict[str, list[Row]] = {}

    def close(self, period: str) -> list[Row]:
        done = close(self.ledger, self.relational, TENANT, period, NOW_MS)
        assert isinstance(done, Closed)
        assert done.charges is not None
        self.charged[period] = done.charges.to_pylist()
        return self.charged[period]

    def sums(self, contract: Contract, periods: list[str]) -> tuple[Fraction, Fraction]:
        """Usage and fees, and what was made of the commitment."""
        mine = [row for one in periods for row in self.charged.get(one, []) if row["contract"] == contract.id]
        both = [[row for row in mine if row["kind"] in kinds] for kinds in ((USAGE, FEE), (COMMITMENT,))]
        used, made = (sum((money(row) for row in rows), Fraction(0)) for rows in both)
        return used, made


def money(row: Row) -> Fraction:
    return Fraction(row["amount"], 10 ** DIGITS[row["currency"]])


def calendar(contract: Contract, period: str) -> tuple[list[str], list[date]]:
    """The months of the window that a period is in, up to it, and the days of the whole window."""
    assert contract.commitment
    length = contract.commitment.months
    names = [f"{year}-{month:02d}" for year in (2026, 2027, 2028) for month in range(1, 13)]
    own = names[names.index(f"{contract.start:%Y-%m}") :]
    first = own.index(period) // length * length
    window = own[first : first + length]
    every = [FIRST + timedelta(days=day) for day in range(3 * 365)]
    return own[first : own.index(period) + 1], [day for day in every if f"{day:%Y-%m}" in window]


class Held(NamedTuple):
    """The days of a window, those of them on which a contract holds, and what it commits to for all of them."""

    window: list[date]
    days: list[date]
    amount: Fraction


def committed(contract: Contract, period: str) -> Held | None:
    """What holds in a period; None where the contract does not, or commits to nothing."""
    assert contract.commitment
    if period < f"{contract.start:%Y-%m}":
        return None
    window = calendar(contract, period)[1]
    held = [day for day in window if contract.start <= day < (contract.end or date.max)]
    if not any(f"{day:%Y-%m}" == period for day in held):
        return None
    amount = [step.amount for step in contract.commitment.steps if (step.since or date.min) <= held[0]][-1]
    return Held(window, held, amount) if amount else None


def made(books: Books, contract: Contract, period: str) -> Iterator[tuple[str, Fraction, Fraction]]:
    """What a month is charged for a commitment, by the charges of its window so far."""
    said, holds = contract.commitment, committed(contract, period)
    if said is None or holds is None:
        return
    whole, held, amount = holds
    months = calendar(contract, period)[0]
    is_last = f"{held[-1]:%Y-%m}" == period
    used, _ = books.sums(contract, months)
    _, before = books.sums(contract, months[:-1])
    price = {
        "commitment_amount": str(amount * len(held) / len(whole)),
        "overage_factor": str(said.overage_factor),
        "true_up": said.true_up and is_last,
    }
    (settled,) = commitment(price, [{"amount": str(used)}])["windows"]
    digits = DIGITS["EUR" if contract.plan == "p0" else "JPY"]
    billed = rounded(settled, {"scale": digits, "mode": "half_up"})
    if settled != used + before:
        yield contract.id, settled - used - before, billed - used - before


@given(worlds())
@settings(max_examples=20)
def test_a_window_has_charged_what_all_of_its_usage_makes_of_the_commitment(world: World) -> None:
    books = Books(world)
    for period in PERIODS:
        rows = [row for row in books.close(period) if row["kind"] == COMMITMENT]
        expected = [line for contract in world.catalog.contracts for line in made(books, contract, period)]
        assert sorted((row["contract"], exact_amount(row), money(row)) for row in rows) == sorted(expected)
    with books.relational.connect() as connection:
        for run in runs.live_runs(connection, TENANT):
            assert list(repeat.problems(books.ledger, connection, run)) == []
            _are_explained(books, connection, run)


def _are_explained(books: Books, connection: sa.Connection, run: runs.Run) -> None:
    charges = books.ledger.read_charges(run.id)
    for place, row in enumerate(charges.to_pylist()):
        if row["kind"] == COMMITMENT:
            found = explained(books.ledger, connection, run, charges.slice(place, 1))
            assert found.derivation is not None
            assert found.problems == []


@given(worlds(), st.integers(0, len(PERIODS) - 1))
@settings(max_examples=10)
def test_months_that_are_closed_again_in_their_order_charge_the_same(world: World, place: int) -> None:
    books = Books(world)
    first = {period: books.close(period) for period in PERIODS}
    for period in PERIODS[: place - 1 if place else None : -1]:
        _discard(books, period)
    for period in PERIODS[place:]:
        again = books.close(period)
        assert [row | {"run": 0} for row in again] == [row | {"run": 0} for row in first[period]]


@given(worlds())
@settings(max_examples=10)
def test_a_month_stays_as_long_as_another_one_of_its_window_stands_on_it(world: World) -> None:
    books = Books(world)
    for period in PERIODS:
        books.close(period)
    for place, period in enumerate(PERIODS):
        later = PERIODS[place + 1 :]
        if any(stands_on(contract, other, period) for contract in world.catalog.contracts for other in later):
            with pytest.raises(Refused, match="discard that first"):
                _discard(books, period)
        else:
            _discard(books, period)
            books.close(period)


def stands_on(contract: Contract, later: str, earlier: str) -> bool:
    """Whether what a month is charged depends on what an earlier one was."""
    return committed(contract, later) is not None and earlier in calendar(contract, later)[0]


def _discard(books: Books, period: str) -> None:
    with books.relational.begin() as connection:
        runs.discard(connection, TENANT, period, "to look again", NOW_MS)
