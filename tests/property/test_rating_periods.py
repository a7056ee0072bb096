"""A rated period is what a clerk with a calendar would bill, and months share usage without loss or overlap.

The clerk takes one event after the other and compares dates on the customer's wall: no instants, no windows, no sums.
"""

from collections import defaultdict
from datetime import date
from fractions import Fraction
from io import BytesIO
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.usage import Totals
from rating import book as books
from rating import catalog_store
from rating.beyond_sums import Beyond
from rating.book import Book
from rating.boundaries import boundaries
from rating.catalog import Catalog, Price
from rating.catalog_checks import faults
from rating.conservation import balances, residual
from rating.periods import Period, day_number, day_start, instants
from rating.pricing.parts import Tiers
from rating.rate import Rated, rate
from rating.spans import spans
from tests.property.clerk import DIGITS, Clerk, wall_date
from tests.property.rating_worlds import World, worlds
from tests.unit.rating.world import TENANT, MemoryLedger, Use, exact_amount, store

MONTHS = [Period(2026, 10), Period(2026, 11), Period(2026, 12)]
CUTOFF = 1
NOTHING_BEYOND = Beyond([], None)


class Terms(NamedTuple):
    """What rating knows of a catalog, and the boundaries of each month."""

    book: Book
    boundaries: dict[Period, list[int]]


def terms_of(catalog: Catalog) -> Terms:
    with store().begin() as connection:
        assert list(faults(catalog, Catalog())) == []
        done = catalog_store.apply_catalog(connection, TENANT, Catalog(), catalog, "", "tests", 0)
        bounds = {month: boundaries(connection, TENANT, done.version, month) for month in MONTHS}
        return Terms(books.load(connection, TENANT, done.version), bounds)


def rated(terms: Terms, usage: list[Use], month: Period) -> Rated:
    totals = MemoryLedger(usage).totals(TENANT, terms.boundaries[month], CUTOFF)
    return rate(terms.book, spans(terms.book, month), totals, NOTHING_BEYOND, CUTOFF)


def rounded_half_up(minor: Fraction) -> int:
    """To the nearest, halves away from zero."""
    whole = int(abs(minor) + Fraction(1, 2))
    return whole if minor >= 0 else -whole


def cost(quantity: Fraction, price: Price) -> Fraction:
    """Corrections that outweigh the usage give back what as much usage costs."""
    if quantity < 0:
        return -cost(-quantity, price)
    assert isinstance(price.terms.charge, Tiers)
    amount, floor = Fraction(0), Fraction(0)
    for tier in price.terms.charge.tiers:
        ceiling = quantity if tier.up_to is None else min(quantity, tier.up_to)
        amount += max(ceiling - floor, Fraction(0)) * (tier.unit_price or 0)
        floor = tier.up_to or quantity
    return amount


@given(worlds())
@settings(max_examples=100)
def test_a_month_is_billed_as_a_clerk_would(world: World) -> None:
    terms, clerk = terms_of(world.catalog), Clerk(world.catalog)
    for month in MONTHS:
        lines: dict[tuple[str, str, date | None], list[Use]] = defaultdict(list)
        left: dict[tuple[str, str], int] = defaultdict(int)
        for use in world.usage:
            outcome, when, billed = clerk.judge(use)
            if when == month and billed:
                lines[billed[0].id, use.meter, billed[1].since].append(use)
            elif when == month:
                left[use.meter, outcome] += 1
        found = rated(terms, world.usage, month)
        assert {(entry.meter, entry.reason): entry.measured.events for entry in found.unrated} == left
        rows = found.charges.to_pylist()
        assert len(rows) == len(lines)
        for row in rows:
            (key,) = [key for key in lines if key[:2] == (row["contract"], row["meter"]) and _begins(key, row, clerk)]
            uses = lines.pop(key)
            billed = clerk.judge(uses[0]).bills
            assert billed
            assert row["events"] == len(uses)
            assert row["digest"] == (sum(use.digest for use in uses) % 2**128).to_bytes(16, "little")
            quantity = Fraction(sum(use.quantity for use in uses), 10**9)
            exact = cost(quantity, billed[1])
            digits = DIGITS[clerk.plans[billed[0].plan].currency]
            assert (Fraction(row["quantity"]), exact_amount(row)) == (quantity, exact)
            assert row["amount"] == rounded_half_up(exact * 10**digits)


def _begins(key: tuple[str, str, date | None], row: dict[str, int], clerk: Clerk) -> bool:
    """Whether a charge's window is the one in which the price of `key` holds."""
    (contract,) = [contract for contract in clerk.catalog.contracts if contract.id == key[0]]
    first, last = (
        clerk.price_on(contract, key[1], "", wall_date(time, contract.timezone))
        for time in (row["window_start"], row["window_end"] - 1)
    )
    assert first == last
    return first is not None and first.since == key[2]


@given(worlds())
@settings(max_examples=60)
def test_usage_is_cut_at_every_instant_of_the_month_at_which_anything_changes(world: World) -> None:
    plans = {plan.name: plan for plan in world.catalog.plans}
    changes = {
        day_start(day_number(day), contract.timezone)
        for contract in world.catalog.contracts
        for day in (contract.start, contract.end, *(price.since for price in plans[contract.plan].prices))
        if day
    }
    calendars = {("UTC", 1), *((contract.timezone, contract.anchor) for contract in world.catalog.contracts)}
    for month, found in terms_of(world.catalog).boundaries.items():
        edges = {edge for calendar in calendars for edge in instants(month, *calendar)}
        assert found == sorted(edges | {change for change in changes if min(edges) <= change <= max(edges)})


@given(worlds())
@settings(max_examples=60)
def test_months_share_all_usage_and_each_keeps_its_equation(world: World) -> None:
    terms = terms_of(world.catalog)
    told = dict.fromkeys(["charges", "unrated"], 0)
    for month in MONTHS:
        found = rated(terms, world.usage, month)
        bounds = terms.boundaries[month]
        accepted = MemoryLedger(world.usage).counts(TENANT, bounds[0], bounds[-1], CUTOFF)
        assert residual(balances(accepted, found)) == []
        told["charges"] += sum(found.charges["events"].to_pylist())
        told["unrated"] += sum(entry.measured.events for entry in found.unrated)
    clerk = Clerk(world.catalog)
    assert sum(told.values()) == sum(clerk.judge(use).month in MONTHS for use in world.usage)


def serialized(table: pa.Table) -> bytes:
    sink = BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


@given(worlds(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_order_cuts_and_encodings_of_the_sums_make_no_difference_to_any_byte(
    world: World, random: np.random.Generator
) -> None:
    book, bounds = terms_of(world.catalog)
    when, cuts = spans(book, MONTHS[1]), bounds[MONTHS[1]]
    ledger = MemoryLedger(world.usage)
    once = rate(book, when, ledger.totals(TENANT, cuts, CUTOFF), NOTHING_BEYOND, CUTOFF)
    more = sorted({*cuts, *(use.time for use in world.usage if cuts[0] <= use.time < cuts[-1])})
    again = rate(book, when, _shuffled(ledger.totals(TENANT, more, CUTOFF), random), NOTHING_BEYOND, CUTOFF)
    assert serialized(again.charges) == serialized(once.charges)
    assert (again.unrated, again.other_period) == (once.unrated, once.other_period)


def _shuffled(totals: Totals, random: np.random.Generator) -> Totals:
    order = list(range(len(totals.events)))
    random.shuffle(order)
    rows = np.array(order, dtype=np.int64)
    return Totals(
        totals.meter.take(pa.array(rows)).dictionary_encode(),
        totals.subject.take(pa.array(rows)).dictionary_encode(),
        totals.segment[rows],
        totals.quantity[rows].astype(np.object_),
        totals.events[rows],
        totals.digest[rows],
    )
