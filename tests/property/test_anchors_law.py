"""Every instant of a contract is in one period, and every interval of its fees is owed once, whatever day it begins on.

Contracts of years, over leap days and changes of clocks, are billed month by month as the clerk bills them.
"""

from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.meters import Meter
from rating.catalog import Catalog, Contract, Customer, Plan, Price
from rating.periods import EPOCH, Period, instants
from rating.pricing.parts import Flat, Interval, PerUnit
from rating.pricing.parts import Price as Terms
from tests.property.clerk import DAY, Clerk, midnight_ms, name_of, period_on, wall_date
from tests.property.clerk import Terms as Said
from tests.property.close_worlds import World
from tests.property.rating_worlds import ZONES
from tests.property.test_close_law import Books, lines_of
from tests.unit.rating.world import Use

JUMPS_AT_MIDNIGHT = ["America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia"]
FIRST, LAST = date(2027, 11, 1), date(2029, 3, 31)
"""A winter with a leap day, and one without."""
MONTHS = [Period(2027 + (9 + nth) // 12, (9 + nth) % 12 + 1) for nth in range(18)]

anchors = st.integers(1, 31)
months = st.builds(Period, st.integers(1971, 2500), st.integers(1, 12))


def after(month: Period) -> Period:
    return Period(month.year + month.month // 12, month.month % 12 + 1)


@given(months, anchors)
def test_a_period_begins_on_its_anchor_or_on_the_last_day_of_its_month(month: Period, anchor: int) -> None:
    first = EPOCH + timedelta(days=month.first_day(anchor))
    assert (first.year, first.month) == (month.year, month.month)
    assert first.day == anchor or (first.day < anchor and (first + DAY).month != month.month)
    assert month.end_day(anchor) == after(month).first_day(anchor)


@given(
    st.sampled_from([*ZONES, *JUMPS_AT_MIDNIGHT]),
    anchors,
    st.datetimes(datetime(1971, 1, 2), datetime(2500, 1, 1)).map(lambda time: time.replace(microsecond=0)),  # noqa: DTZ001
)
def test_every_instant_is_in_the_period_of_its_day_on_the_wall_and_in_no_other(
    zone: str, anchor: int, wall: datetime
) -> None:
    time = int(wall.replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000
    month = period_on(wall_date(time, zone), anchor)
    start, end = instants(month, zone, anchor)
    assert start <= time < end
    assert end == instants(after(month), zone, anchor)[0]


class Signed(NamedTuple):
    """A contract, and what it bills."""

    world: World
    contract: Contract


days = st.dates(FIRST, LAST)
amounts = st.integers(1, 10**6).map(lambda cents: Fraction(cents, 100))


@st.composite
def signed(draw: st.DrawFn) -> Signed:
    """A contract of some days or of years, with fees that begin, change and end, and usage at the edges of periods."""
    zone, anchor = draw(st.sampled_from(ZONES)), draw(anchors)
    start, end = draw(days), draw(st.none() | days)
    end = None if end is None or end <= start else end
    priced = []
    for day in {None, draw(days)}:
        amount = draw(amounts)
        said = Said({"model": "per_unit", "unit_price": str(amount)})
        priced.append((Price("Use", "calls", Terms(charge=PerUnit(amount)), day), said))
    for fee in ("Base", "Support"):
        for day in draw(st.sets(st.none() | days, min_size=1, max_size=3)):
            amount, interval = draw(amounts), draw(st.sampled_from(list(Interval)))
            price = Price(fee, "", Terms(charge=Flat(amount, interval=interval)), day)
            priced.append((price, Said({"model": "flat", "amount": str(amount)})))
    contract = Contract("C-1", "ada", "p", "DE01", start, end, zone, anchor=anchor)
    plan = Plan("p", "EUR", tuple(price for price, _ in priced))
    catalog = Catalog((Meter("calls", "calls", "count"),), (plan,), (Customer("ada", "ada", ("a",)),), (contract,))
    edges = st.builds(midnight_ms, st.just(start) | days, st.just(zone))
    times = draw(st.lists(st.builds(int.__add__, edges, st.sampled_from([0, -1])), min_size=5, max_size=20))
    usage = [Use("calls", "a", time, nth * 10**9) for nth, time in enumerate(times, start=1)]
    return Signed(World(catalog, {name_of(catalog, contract, price): said for price, said in priced}, usage), contract)


@given(signed())
@settings(max_examples=15)
def test_a_contract_of_years_is_billed_month_by_month_as_a_clerk_bills_it(signed: Signed) -> None:
    world, contract = signed
    books, clerk = Books(world), Clerk(world.catalog)
    rated, fees = 0, Counter[tuple[str, int]]()
    for month in MONTHS:
        lines = lines_of(books.close(month).charges)
        assert lines == clerk.bill(month, world.usage, world.terms)
        rated += sum(line.events for line in lines)
        fees.update((line.product, line.window_start) for line in lines if line.kind == "fee")
    ours = [use for use in world.usage if clerk.judge(use).bills]
    assert rated == len(ours)
    assert set(fees.values()) <= {1}
    assert all(midnight_ms(contract.start, contract.timezone) <= start for _, start in fees)
