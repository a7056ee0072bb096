"""Strategies for whole closes: prices of every model with everything around them, and usage that they look at."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

import msgspec
from hypothesis import strategies as st

from ledger.meters import Meter
from rating.agreements import PricingUnit, UnitRate
from rating.catalog import Catalog, Contract, Customer, Plan, Price, Proration
from rating.clocks import DAYS, HOUR_MS, MINUTE_MS
from rating.pricing import parts
from rating.ratios import DOWN, HALF_UP, UP
from tests.conformance.price_parts import price_of
from tests.property.clerk import DIGITS, Slot, Terms, midnight_ms
from tests.property.pricing_worlds import (
    Parameters,
    blocks,
    calls,
    conversions,
    joined,
    optional,
    percent_tier,
    plain_tier,
    priced,
    prices,
    step,
    tiers,
    unit_tier,
)
from tests.property.rating_worlds import ANCHORS, METERS, ZONES, days
from tests.unit.rating.world import DAY_MS, NOVEMBER_FIRST_MS, Use

DIMENSIONS = ("region", "size")
VALUES = ["", "eu", "us", "a\0b", "é"]
FEES = ["Base", "Support"]
Group = tuple[str, ...]
GROUPINGS: list[list[Group]] = [
    [("calls",), ("bytes",), ("seats",)],
    [("calls",), ("bytes", "seats")],
    [("bytes",), ("calls", "seats")],
    [("calls", "bytes", "seats")],
]
"""Which meters may be priced together: the same in a whole world, as a contract replaces all of them or none."""
ADJUSTMENTS = {
    "percent_off": parts.PercentOff,
    "amount_off": parts.AmountOff,
    "maximum": parts.Maximum,
    "minimum": parts.Minimum,
}
MODES = {"half_up": HALF_UP, "up": UP, "down": DOWN}


class World(NamedTuple):
    """A catalog without faults, the terms of its prices by their names, and usage of October, November and December."""

    catalog: Catalog
    terms: dict[str, Terms]
    usage: list[Use]


sizes = st.integers(1, 30).map(str)
small = st.decimals(0, 60, places=2).map(lambda number: f"{number:f}")
limits = st.integers(0, 120).map(Fraction) | st.decimals(0, 120, places=9).map(Fraction)
percents = st.decimals(0, 100, places=3).map(lambda number: f"{number:f}")
around = optional(unit_conversion=conversions, usage_discount=small)
of_quantity = st.one_of(
    priced("per_unit", st.fixed_dictionaries({"unit_price": prices})),
    priced("graduated", tiers(plain_tier, bounded=False)),
    priced("graduated", tiers(unit_tier, bounded=False)),
    priced("graduated_percentage", tiers(percent_tier, bounded=False)),
    priced("volume", tiers(plain_tier, bounded=False)),
    priced("volume", tiers(unit_tier, bounded=False)),
    priced("stairstep", tiers(step, bounded=False)),
    priced(
        "package",
        st.fixed_dictionaries({"package_price": prices, "package_size": sizes}),
        optional(rounding_packages=st.sampled_from(["up", "down"])),
    ),
    blocks(bounded=False),
)
of_sums = st.one_of(of_quantity, joined(of_quantity, around))
weighing = st.sampled_from(["1", "1", "3", "0.25", "0.001"]).map(Fraction)
models = st.one_of(
    of_sums,
    priced("dynamic", st.fixed_dictionaries({"multiplier": prices})),
    priced(
        "percentage",
        st.fixed_dictionaries({"rate_percent": percents}),
        optional(
            fixed_fee_per_event=small,
            free_events=st.integers(0, 3).map(str),
            free_amount=small,
            min_per_event=small,
            max_per_event=small,
        ),
    ),
    joined(joined(of_quantity, around), st.fixed_dictionaries({"bucket": st.sampled_from(["hour", "day"])})),
    calls,
    st.just({"model": "matrix"}),
)
minutes = st.sampled_from([0, 60, 120, 150, 180, 360, 22 * 60, 24 * 60]) | st.integers(0, 24 * 60)
slots = st.lists(
    st.builds(
        Slot,
        st.sampled_from(["night", "peak", "holiday"]),
        st.just(()) | st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True).map(tuple),
        st.just(()) | st.lists(days(-20, 60), min_size=1, max_size=3).map(tuple),
        minutes.map(lambda one: timedelta(minutes=one)),
        minutes.map(lambda one: timedelta(minutes=one)),
    ).filter(lambda slot: slot.start != slot.end),
    min_size=1,
    max_size=4,
)
flat = priced("flat", st.fixed_dictionaries({"amount": small}))


@st.composite
def priced_terms(draw: st.DrawFn, currency: str, charges: st.SearchStrategy[Parameters]) -> tuple[parts.Price, Terms]:
    """A price twice: as the catalog has it, and in the reference's words."""
    price = draw(charges)
    adjustments = [
        (kind, Fraction(draw(percents if kind == "percent_off" else small)))
        for kind in draw(st.one_of(st.just([]), st.lists(st.sampled_from(sorted(ADJUSTMENTS)), max_size=3)))
    ]
    scales = st.integers(-1, DIGITS[currency]).map(str)
    rules = st.fixed_dictionaries({"scale": scales, "mode": st.sampled_from(sorted(MODES))})
    rounding = draw(st.none() | rules)
    around = Terms(price, adjustments, rounding, bucket=price.get("bucket"))
    if price["model"] == "capacity":
        written = parts.Price(charge=capacity_of(price))
    elif price["model"] == "matrix":
        around = draw(by_cells(around))
        cells = tuple(parts.Cell(*cell) for cell in around.cells)
        written = parts.Price(charge=parts.Matrix(cells, tuple(written_slot(slot) for slot in around.slots)))
    elif around.bucket:
        inside = msgspec.structs.replace(price_of(price), is_mirrored=True)
        written = parts.Price(charge=parts.Bucketed(parts.Every(around.bucket), inside))
    else:
        written = price_of(price)
    return msgspec.structs.replace(
        written,
        # As a catalog's file is read: what is owed at least is not given back.
        is_mirrored=all(kind != "minimum" for kind, _ in adjustments),
        adjustments=tuple(ADJUSTMENTS[kind](number) for kind, number in adjustments),
        rounding=None if rounding is None else parts.Rounding(int(rounding["scale"]), MODES[rounding["mode"]]),
    ), around


@st.composite
def by_cells(draw: st.DrawFn, around: Terms) -> Terms:
    """A matrix by dimensions, by slots of time, or by both."""
    names = draw(st.sampled_from([[], ["region"], ["size"], ["region", "size"], ["size", "region"]]))
    own = draw(slots) if not names or draw(st.booleans()) else []
    values = [st.none() | st.sampled_from(VALUES)] * len(names)
    values += [st.none() | st.sampled_from([slot.name for slot in own])] if own else []
    cells = draw(st.lists(st.tuples(st.tuples(*values), prices.map(Fraction)), max_size=4))
    cells.append(((None,) * len(values), Fraction(draw(prices))))
    return around._replace(price={"model": "matrix", "dimensions": names}, cells=cells, slots=own)


def written_slot(slot: Slot) -> parts.Slot:
    """As the catalog has it."""
    start, end = (one // timedelta(minutes=1) for one in (slot.start, slot.end))
    return parts.Slot(slot.name, tuple(slot.days), tuple(slot.dates), start, end)


@st.composite
def capacities(draw: st.DrawFn, meters: Group) -> Parameters:
    """A price by the highest values of some meters; every tier holds more of the first than the one before."""
    bounds = draw(st.lists(limits, max_size=2, unique=True))
    tiers: list[Parameters] = [
        {"limits": {meters[0]: bound, **draw(st.dictionaries(st.sampled_from(meters[1:]), limits))}}
        if meters[1:]
        else {"limits": {meters[0]: bound}}
        for bound in sorted(bounds)
    ]
    return {
        "model": "capacity",
        "meters": meters,
        "tiers": [{**tier, "price": Fraction(draw(small))} for tier in [*tiers, {"limits": None}]],
    }


def capacity_of(price: Parameters) -> parts.Capacity:
    """The charge as the catalog has it."""
    meters = price["meters"]
    tiers = [
        parts.CapacityTier(tier["price"], tuple((tier["limits"] or {}).get(meter) for meter in meters))
        for tier in price["tiers"]
    ]
    return parts.Capacity(meters, tuple(tiers))


@st.composite
def owned_prices(
    draw: st.DrawFn, owner: str, currency: str, groups: Sequence[Group], *, least: int
) -> dict[str, tuple[Price, Terms]]:
    """The prices of a plan or of a contract, by their names; meters of a group begin and end together."""
    found = {}

    def priced(
        product: str,
        meter: str,
        since: date | None,
        charges: st.SearchStrategy[Parameters],
        weights: dict[str, Fraction] | None = None,
    ) -> None:
        terms, said = draw(priced_terms(currency, charges))
        if isinstance(terms.charge, parts.Flat):
            charge = msgspec.structs.replace(terms.charge, interval=draw(st.sampled_from(list(parts.Interval))))
            terms = msgspec.structs.replace(terms, charge=charge)
        if weights:
            summed = tuple(parts.Weighted(*one) for one in weights.items())
            terms, said = msgspec.structs.replace(terms, summed=summed), said._replace(weights=weights)
        names, proration = tuple(said.price.get("dimensions", ())), draw(st.sampled_from(list(Proration)))
        price = Price(product, meter, terms, since, names, proration)
        found[f"{owner}/{meter}/{price.fee}/{since}"] = price, said

    things = draw(st.sets(st.sampled_from([*groups, *((fee,) for fee in FEES)]), min_size=least, max_size=4))
    for thing in sorted(things):
        for since in draw(st.sets(st.none() | days(0, 50), min_size=1, max_size=2)):
            if thing[0] in FEES:
                priced(thing[0], "", since, flat)
            elif draw(st.booleans()):
                for meter in thing:
                    priced(f"Product of {thing}", meter, since, models)
            else:
                first, *others = order = tuple(draw(st.permutations(thing)))
                if draw(st.booleans()):
                    priced(f"Product of {thing}", first, since, capacities(order))
                else:
                    weights = {meter: draw(weighing) for meter in order}
                    priced(f"Product of {thing}", first, since, of_sums, weights)
                for meter in others:
                    with_it = Price(f"Product of {thing}", meter, parts.Price(charge=parts.PricedWith(first)), since)
                    found[f"{owner}/{meter}//{since}"] = with_it, Terms({"model": "priced_with"})
    return found


@st.composite
def pricing_units(draw: st.DrawFn) -> PricingUnit:
    """A unit of prices that is worth more or less from some days on."""
    since = sorted(draw(st.sets(days(0, 50), max_size=2)))
    rates = st.sampled_from(["0.1", "0.333", "1", "12"]).map(Fraction)
    return PricingUnit("credits", tuple(UnitRate(draw(rates), day) for day in (None, *since)))


@st.composite
def contracts(draw: st.DrawFn, customer: str) -> list[Contract]:
    """One or two; where the zone changes, days lie between, so that they don't overlap by hours."""
    plan, zone = st.sampled_from(["p0", "p1"]), st.sampled_from(ZONES)
    start, change = draw(days(-25, 5)), draw(days(10, 30))
    entity, anchor = st.sampled_from(["DE01", "FR01"]), st.sampled_from(ANCHORS)
    first = Contract(
        f"{customer}-0", customer, draw(plan), draw(entity), start, change, draw(zone), anchor=draw(anchor)
    )
    end = draw(st.none() | days(33, 60))
    then, later = draw(st.sampled_from([(first.timezone, change), (draw(zone), change + timedelta(days=2))]))
    second = Contract(f"{customer}-1", customer, draw(plan), draw(entity), later, end, then, anchor=draw(anchor))
    return draw(st.sampled_from([[first, second], [msgspec.structs.replace(first, end=end)]]))


@st.composite
def close_worlds(draw: st.DrawFn) -> World:
    """Customers with everything that a catalog can say and that can change in a month; usage seeks the edges."""
    customers = [Customer("ada", "ada", ("ada-0", "ada-1")), Customer("Bob", "Bob", ("Bob-0",))]
    groups = draw(st.sampled_from(GROUPINGS))
    priced_by: dict[str, tuple[Price, Terms]] = {}
    plans = []
    for name in ("p0", "p1"):
        currency = draw(st.sampled_from(sorted(DIGITS)))
        of_plan = draw(owned_prices(name, currency, groups, least=2))
        priced_by |= of_plan
        unit = draw(st.none() | pricing_units())
        plans.append(Plan(name, currency, tuple(price for price, _ in of_plan.values()), pricing_unit=unit))
    currencies = {plan.name: plan.currency for plan in plans}
    signed: list[Contract] = []
    for customer in customers:
        for contract in draw(contracts(customer.id)):
            of_own = owned_prices(contract.id, currencies[contract.plan], groups, least=0)
            own = draw(of_own) if draw(st.booleans()) else {}
            priced_by |= own
            signed.append(msgspec.structs.replace(contract, prices=tuple(price for price, _ in own.values())))
    meters = tuple(Meter(name, name, "sum", "units", dimensions={one: one for one in DIMENSIONS}) for name in METERS)
    catalog = Catalog(meters, tuple(plans), tuple(customers), tuple(signed))
    return World(catalog, {name: terms for name, (_, terms) in priced_by.items()}, draw(usage))


midnights = st.builds(midnight_ms, days(-20, 60), st.sampled_from(ZONES))
changes = st.sampled_from([NOVEMBER_FIRST_MS - 7 * DAY_MS + HOUR_MS, NOVEMBER_FIRST_MS + 6 * HOUR_MS])
"""When clocks are set back in Europe and in New York."""
times = st.one_of(
    midnights,
    midnights.map(lambda time: time - 1),
    st.builds(lambda change, minutes: change + minutes * MINUTE_MS, changes, st.integers(-240, 240)),
    st.integers(NOVEMBER_FIRST_MS - 20 * DAY_MS, NOVEMBER_FIRST_MS + 45 * DAY_MS),
)
amounts = st.one_of(
    st.integers(1, 100).map(lambda units: units * 10**9), st.integers(-(10**11), 10**12), st.integers(10**6, 10**9)
)
said = st.dictionaries(st.sampled_from(DIMENSIONS), st.sampled_from(VALUES)).map(lambda own: tuple(sorted(own.items())))
usage = st.lists(
    st.builds(
        Use,
        st.sampled_from([*METERS, *METERS, *METERS, "unpriced"]),
        st.sampled_from(["ada-0", "ada-0", "ada-1", "Bob-0", "Bob-0", "nobody"]),
        times,
        amounts,
        st.just(1),
        said,
    ),
    min_size=15,
    max_size=50,
)
