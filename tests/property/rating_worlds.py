"""Strategies for rating: customers in several zones, contracts one after the other, prices that change, and usage."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from ledger.meters import Meter
from rating.catalog import Catalog, Contract, Customer, Plan, Price
from rating.pricing import parts
from rating.pricing.parts import Tier, Tiers
from tests.unit.rating.world import DAY_MS, DECEMBER_FIRST_MS, NOVEMBER_FIRST_MS, Use

# West and east of everything, half hours, clocks that change in November, and a midnight that comes twice.
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "America/Havana"]
ANCHORS = [1, 1, 1, 2, 15, 28, 29, 30, 31]
METERS = ["calls", "bytes", "seats"]
FIRST_DAY = date(2026, 10, 20)


class World(NamedTuple):
    """A catalog without faults, and usage of October, November and December."""

    catalog: Catalog
    usage: list[Use]


def days(least: int, most: int) -> st.SearchStrategy[date]:
    return st.integers(least, most).map(lambda day: FIRST_DAY + timedelta(days=day))


@st.composite
def prices(draw: st.DrawFn, meter: str) -> list[Price]:
    """The prices of one meter in one plan, from one day or always."""
    since = draw(st.sets(st.none() | days(0, 50), min_size=1, max_size=3))
    found = []
    for day in since:
        bounds = sorted(draw(st.sets(st.integers(1, 200), max_size=2)))
        units = draw(st.lists(st.integers(0, 999), min_size=len(bounds) + 1, max_size=len(bounds) + 1))
        tiers = [
            Tier(None if bound is None else Fraction(bound, 2), Fraction(unit, 1000))
            for bound, unit in zip([*bounds, None], units, strict=True)
        ]
        terms = parts.Price(charge=Tiers(tuple(tiers)), is_mirrored=True)
        found.append(Price(f"Product of {meter}", meter, terms, day))
    return found


@st.composite
def plans(draw: st.DrawFn, name: str) -> Plan:
    priced = draw(st.sets(st.sampled_from(METERS), min_size=1))
    of_plan = [price for meter in sorted(priced) for price in draw(prices(meter))]
    return Plan(name, draw(st.sampled_from(["EUR", "USD", "JPY"])), tuple(of_plan))


@st.composite
def contracts(draw: st.DrawFn, customer: str) -> list[Contract]:
    """One after the other; where the zone changes, days lie between, so that they don't overlap by hours."""
    found: list[Contract] = []
    start, zone = draw(days(-20, 20)), draw(st.sampled_from(ZONES))
    for nth in range(draw(st.integers(0, 3))):
        end = start + timedelta(days=draw(st.integers(1, 30)))
        plan, entity = draw(st.sampled_from(["p0", "p1"])), draw(st.sampled_from(["DE01", "FR01"]))
        anchor = draw(st.sampled_from(ANCHORS))
        found.append(Contract(f"{customer}-{nth}", customer, plan, entity, start, end, zone, anchor=anchor))
        if draw(st.booleans()):
            zone, start = draw(st.sampled_from(ZONES)), end + timedelta(days=2)
        else:
            start = end
    return found


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A few customers with everything that can change in a month, and usage that seeks the edges."""
    customers = [
        Customer(key, key, tuple(f"{key}-{nth}" for nth in range(draw(st.integers(0, 2)))))
        for key in ("ada", "Bob", "cy")
    ]
    catalog = Catalog(
        tuple(Meter(name, name, "count") for name in METERS),
        (draw(plans("p0")), draw(plans("p1"))),
        tuple(customers),
        tuple(contract for customer in customers for contract in draw(contracts(customer.id))),
    )
    return World(
        catalog, draw(usage([*(subject for customer in customers for subject in customer.subjects), "nobody"]))
    )


@st.composite
def usage(draw: st.DrawFn, subjects: list[str]) -> list[Use]:
    anywhen = st.integers(NOVEMBER_FIRST_MS - 40 * DAY_MS, DECEMBER_FIRST_MS + 35 * DAY_MS)
    midnight = st.builds(_midnight_ms, days(-20, 70), st.sampled_from(ZONES))
    just_before = midnight.map(lambda time: time - 1)
    return draw(
        st.lists(
            st.builds(
                Use,
                st.sampled_from([*METERS, "unpriced"]),
                st.sampled_from(subjects),
                st.one_of(midnight, just_before, anywhen),
                st.integers(-(10**11), 10**12) | st.integers(1, 100).map(lambda units: units * 10**9),
                st.just(1),
            ),
            max_size=40,
        )
    )


def _midnight_ms(day: date, zone: str) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) * 1000
