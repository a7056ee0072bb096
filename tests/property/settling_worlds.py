"""Strategies for settling: contracts that share invoices, and what they agree beside prices of usage and fees."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import strategies as st

from ledger.meters import Meter
from rating.agreements import STANDARD, Commitment, Discount, Step, Tax
from rating.catalog import Catalog, Contract, Customer, Plan, Price
from rating.pricing import parts
from tests.property.rating_worlds import World
from tests.unit.rating.world import DAY_MS, DECEMBER_FIRST_MS, NOVEMBER_FIRST_MS, Use

METERS = {"p0": "calls", "p1": "bytes", "p2": "seats"}
"""By plan: contracts on different plans bill a customer at the same time."""
CURRENCIES = {"p0": "EUR", "p1": "EUR", "p2": "JPY"}
CATEGORIES = [STANDARD, "books"]
PLACES = ["DE", "QC"]
CUSTOMERS = ["ada", "Bob"]

days = st.integers(-3, 33).map(lambda day: date(2026, 11, 1) + timedelta(days=day))
cents = st.integers(0, 20_000).map(lambda amount: Fraction(amount, 100)) | st.integers(0, 900).map(Fraction)
fine = st.integers(0, 10**6).map(lambda amount: Fraction(amount, 10_000))
percents = st.sampled_from(["0", "5", "9.975", "33.3333", "50", "100"]).map(Fraction)


@st.composite
def prices(draw: st.DrawFn, plan: str) -> tuple[Price, ...]:
    """A fee, and a price of the plan's meter that may change inside the month."""
    since = draw(st.sets(st.none() | days, min_size=1, max_size=2))
    category = draw(st.sampled_from(CATEGORIES))
    of_meter = [
        Price(f"Use of {plan}", METERS[plan], parts.Price(charge=parts.PerUnit(draw(fine))), day, tax_category=category)
        for day in since
    ]
    fee = Price("Seat", "", parts.Price(charge=parts.Flat(draw(cents))), tax_category=draw(st.sampled_from(CATEGORIES)))
    return (fee, *of_meter) if draw(st.booleans()) else tuple(of_meter)


@st.composite
def discounts(draw: st.DrawFn, products: list[str]) -> tuple[Discount, ...]:
    """A list in any order, with names that others may have too."""
    found = []
    for name in draw(st.permutations(["zeal", "Launch", "a %"]))[: draw(st.integers(0, 3))]:
        if draw(st.booleans()):
            some = draw(
                st.just(()) | st.sets(st.sampled_from(products), min_size=1).map(lambda one: tuple(sorted(one)))
            )
            found.append(Discount(name, draw(percents), None, some))
        else:
            found.append(Discount(name, None, draw(fine)))
    return tuple(found)


@st.composite
def commitments(draw: st.DrawFn) -> Commitment | None:
    if draw(st.booleans()):
        return None
    since = draw(st.sets(st.none() | days, min_size=1, max_size=3))
    ordered = sorted(since, key=lambda day: day or date.min)
    return Commitment(
        "Minimum",
        tuple(Step(draw(cents | fine), day) for day in ordered),
        draw(st.booleans()),
        draw(st.sampled_from(["1", "0.9", "1.25", "2"]).map(Fraction)),
        draw(st.sampled_from(CATEGORIES)),
    )


@st.composite
def taxes(draw: st.DrawFn, *, shared: bool) -> tuple[Tax, ...]:
    """Rates for every place and category, each tax with up to two; names are shared between categories or not."""
    found = []
    for place in PLACES:
        for category in CATEGORIES:
            for name in draw(st.sets(st.sampled_from(["VAT", "levy", "Duty"]), min_size=1, max_size=2)):
                own = name if shared else f"{name} on {category}"
                since = draw(st.sets(st.none() | days, min_size=1, max_size=2))
                found += [Tax(own, draw(percents), place, category, day) for day in since]
    return tuple(found)


@st.composite
def contracts(draw: st.DrawFn, customer: str, plans: dict[str, Plan]) -> list[Contract]:
    found = []
    for name in draw(st.sets(st.sampled_from(sorted(plans)), max_size=3)):
        start = draw(days)
        length = draw(st.none() | st.integers(1, 40))
        end = None if length is None else start + timedelta(days=length)
        commitment = draw(commitments())
        sold = [*(price.product for price in plans[name].prices), *(["Minimum"] if commitment else [])]
        found.append(
            Contract(
                f"{customer}-{name}",
                customer,
                name,
                draw(st.sampled_from(["DE01", "FR01"])),
                start,
                end,
                draw(st.sampled_from(["UTC", "America/New_York", "Pacific/Kiritimati"])),
                commitment=commitment,
                discounts=draw(discounts(sold)) or None,
            )
        )
    return found


@st.composite
def settling_worlds(draw: st.DrawFn, *, shared: bool = True) -> World:
    """A catalog without faults, and usage of November; `shared`: whether a tax may be on several categories."""
    plans = {}
    for name, currency in CURRENCIES.items():
        priced = draw(prices(name))
        plans[name] = Plan(name, currency, priced, draw(discounts([price.product for price in priced])) or None)
    customers = [
        Customer(
            key, key, (key,), draw(st.none() | st.sampled_from(PLACES)), draw(st.sampled_from([None, None, "why"]))
        )
        for key in CUSTOMERS
    ]
    catalog = Catalog(
        tuple(Meter(name, name, "count") for name in METERS.values()),
        tuple(plans.values()),
        tuple(customers),
        tuple(contract for key in CUSTOMERS for contract in draw(contracts(key, plans))),
        draw(taxes(shared=shared)),
    )
    usage = st.builds(
        Use,
        st.sampled_from(sorted(METERS.values())),
        st.sampled_from(CUSTOMERS),
        st.integers(NOVEMBER_FIRST_MS - DAY_MS, DECEMBER_FIRST_MS + DAY_MS),
        st.integers(-(10**10), 10**12),
        st.just(1),
    )
    return World(catalog, draw(st.lists(usage, max_size=12)))
