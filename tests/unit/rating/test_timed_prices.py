"""Prices by slots of time and by buckets: read, said, closed on both zones of a plan, explained and priced again."""

from datetime import date, datetime
from fractions import Fraction

import pytest

from rating.catalog import Catalog, difference
from rating.catalog_file import parse
from rating.catalog_trial import Draft, drafted
from rating.close import Closed, close
from rating.explain import explained
from rating.pricing.parts import Bucketed, Cell, Every, Matrix, Packages, Price, Slot
from rating.pricing.written import read, written
from rating.runs import live_runs
from rating.what_if import Repricing
from tests.unit.rating.test_what_if import totals
from tests.unit.rating.world import NOVEMBER, NOW_MS, TENANT, MemoryLedger, Use, applied, store, units

CHARGING = """\
product: Charging
        meter: kwh
        model: matrix
        dimensions: [power]
        slots: [{name: night, from: 22:00, to: 06:00}, {name: weekend, days: [sat, sun], dates: [2026-11-11]}]
        cells: [{slot: night, power: dc, unit_price: 2}, {slot: night, unit_price: 1}, {slot: weekend, unit_price: 3}]
        default: 4"""
RENDERING = """\
product: Rendering
        meter: frames
        model: package
        package_size: 10
        package_price: 5
        free_units: 2
        bucket: day
        adjustments: [{maximum: 21}]"""
CATALOG = f"""\
meters:
  - {{name: kwh, event_type: charged, aggregation: sum, value: kwh, unit: kWh, dimensions: {{power: power}}}}
  - {{name: frames, event_type: rendered, aggregation: sum, value: frames}}
plans:
  - name: timed
    currency: EUR
    prices:
      - {CHARGING}
      - {RENDERING}
customers:
  - {{id: berlin, subjects: [b, b2]}}
  - {{id: york, subjects: [n]}}
contracts:
  - {{id: C-1, customer: berlin, plan: timed, entity: DE01, start: 2026-01-01, timezone: Europe/Berlin}}
  - {{id: C-2, customer: york, plan: timed, entity: DE01, start: 2026-01-01, timezone: America/New_York}}
"""


def use(meter: str, subject: str, time: str, quantity: int, power: str = "ac") -> Use:
    at = int(datetime.fromisoformat(f"2026-11-{time}Z").timestamp()) * 1000
    return Use(meter, subject, at, units(quantity), 1, (("power", power),))


# The 4th is a Wednesday; Berlin is an hour ahead of UTC, New York five behind.
USAGE = [
    use("kwh", "b", "04T20:54", 10),  # 21:54 in Berlin: 40
    use("kwh", "b2", "04T21:00", 10),  # 22:00 in Berlin: 10
    use("kwh", "b", "05T05:00", 10, "dc"),  # 06:00 in Berlin, on Thursday: 40
    use("kwh", "n", "04T21:00", 10),  # 16:00 in New York: 40
    use("kwh", "n", "05T03:30", 10, "dc"),  # 22:30 in New York: 20
    use("kwh", "n", "11T12:00", 10),  # 07:00 in New York, on the 11th: 30
    use("frames", "b", "04T22:30", 7),  # 23:30 on Wednesday in Berlin
    use("frames", "b2", "04T01:00", 5),  # and 02:00: 12 frames, 10 to pay: 5
    use("frames", "b", "04T23:00", 12),  # 00:00 on Thursday: 5
    use("frames", "n", "04T22:30", 7),
    use("frames", "n", "05T04:59", 6),  # 23:59 on Wednesday in New York: 13 frames, 11 to pay: 10
    use("frames", "n", "05T05:00", 33),  # 00:00 on Thursday: 20, together at most 21
]
BERLIN_EUR, YORK_EUR = 40 + 10 + 40 + 5 + 5, 40 + 20 + 30 + 21


def read_catalog(text: str) -> Catalog:
    catalog, mistakes = parse(text, None)
    assert catalog is not None, [str(mistake) for mistake in mistakes]
    return catalog


def test_slots_are_read_and_kept_as_a_part_of_the_matrix() -> None:
    (charging, rendering) = (price.terms for price in read_catalog(CATALOG).plans[0].prices)
    assert charging.charge == Matrix(
        (
            Cell(("dc", "night"), Fraction(2)),
            Cell((None, "night"), Fraction(1)),
            Cell((None, "weekend"), Fraction(3)),
            Cell((None, None), Fraction(4)),
        ),
        (
            Slot("night", start_minute=22 * 60, end_minute=6 * 60),
            Slot("weekend", ("sat", "sun"), (date(2026, 11, 11),)),
        ),
    )
    assert rendering.charge == Bucketed(
        Every.DAY, Price(charge=Packages(Fraction(10), Fraction(5)), free_units=Fraction(2), is_mirrored=True)
    )
    assert rendering.free_units is None
    for terms in (charging, rendering):
        assert read(written(terms)) == terms


def test_the_difference_says_slots_and_buckets_in_words() -> None:
    said = {
        change.id: change.after for change in difference(Catalog(), read_catalog(CATALOG)) if change.kind == "price"
    }
    assert said == {
        "timed/kwh": (
            "Charging: by power, slot: 2 for dc/night, 1 for any/night, 3 for any/weekend, else 4; "
            "night is from 22:00 to 06:00; weekend is on sat, sun, 2026-11-11"
        ),
        "timed/frames": ("Rendering: each day alone (5 for each started package of 10, the first 2 free), at most 21"),
    }


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("slot: weekend", "slot: wekend", "cells[2].slot: expected one of the price's slots, night, weekend, found"),
        ("days: [sat, sun]", "days: [sat, son]", "slots[1].days[1]: expected one of mon, tue, wed, thu, fri, sat, sun"),
        ("days: [sat, sun]", "days: []", "slots[1].days: expected at least one of its days"),
        ("dates: [2026-11-11]", "dates: [11.11.]", "slots[1].dates[0]: expected a date as in 2026-11-01"),
        ("from: 22:00", "from: 22.00", "slots[0].from: expected a time of day from 00:00 to 24:00, as in 22:00"),
        ("from: 22:00", "from: 24:01", "slots[0].from: expected a time of day from 00:00 to 24:00"),
        ("to: 06:00", "to: 22:00", "slots[0].to: the slot ends when it begins: say another time"),
        (", from: 22:00, to: 06:00", "", "slots[0].name: this slot is always: say `from` and `to`"),
        ("{name: night, ", "{", "slots[0].name: name is missing"),
        ("dimensions: [power]", "dimensions: [power, slot]", "cells say `slot` of the price's slots"),
        ("{slot: weekend, unit_price: 3}", "{unit_price: 3}", "cells[2]: this cell takes all usage"),
        ("bucket: day", "bucket: week", "prices[1].bucket: expected hour or day, found 'week'"),
        ("model: matrix", "model: matrix\n        bucket: day", "matrix has no bucket: remove it"),
    ],
)
def test_each_mistake_says_where_it_is_and_what_was_expected(before: str, after: str, said: str) -> None:
    assert CATALOG.count(before) == 1
    _, mistakes = parse(CATALOG.replace(before, after), None)
    assert any(said in str(mistake) for mistake in mistakes), [str(mistake) for mistake in mistakes]


def test_a_matrix_needs_dimensions_or_slots() -> None:
    price = "{product: P, meter: kwh, model: matrix, cells: [], default: 1}"
    _, mistakes = parse(f"plans: [{{name: p, currency: EUR, prices: [{price}]}}]", read_catalog(CATALOG))
    assert ["dimensions is missing: matrix needs it, or slots of time" in str(one) for one in mistakes] == [True]


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ("model: graduated, tiers: [{up_to: 1, unit_price: 1}]", "tiers[0]: usage above 1 has no price"),
        ("model: blocks, tiers: [{block_size: 1, block_price: 1, blocks: 2}]", "usage past its blocks has no price"),
    ],
)
def test_tiers_inside_of_buckets_are_checked_like_others(terms: str, said: str) -> None:
    price = f"{{product: P, meter: kwh, bucket: hour, {terms}}}"
    _, mistakes = parse(f"plans: [{{name: p, currency: EUR, prices: [{price}]}}]", read_catalog(CATALOG))
    assert [said in str(one) for one in mistakes] == [True]


class November:
    """Closed, with usage of contracts in two zones."""

    def __init__(self) -> None:
        self.ledger, self.relational = MemoryLedger(USAGE), store()
        applied(self.relational, CATALOG)
        done = close(self.ledger, self.relational, TENANT, str(NOVEMBER), NOW_MS)
        assert isinstance(done, Closed)
        assert done.charges is not None
        self.charges = done.charges


@pytest.fixture
def november() -> November:
    return November()


def test_each_contract_is_priced_by_its_own_clock(november: November) -> None:
    rows = november.charges.to_pylist()
    assert [(row["customer"], row["product"], row["amount"]) for row in rows] == [
        ("berlin", "Charging", 9000),
        ("berlin", "Rendering", 1000),
        ("york", "Charging", 9000),
        ("york", "Rendering", 2100),
    ]


OWN = """\
customers: [{id: own, subjects: [o]}]
contracts:
  - id: C-3
    customer: own
    plan: timed
    entity: DE01
    start: 2026-01-01
    timezone: Europe/Berlin
    prices:
      - product: Charging
        meter: kwh
        model: matrix
        dimensions: [power]
        slots: [{name: morning, to: 12:00}]
        cells: [{slot: morning, unit_price: 5}]
        default: 6
      - {product: Rendering, meter: frames, model: package, package_size: 10, package_price: 5, bucket: hour}
"""


def test_prices_of_one_meter_and_zone_keep_their_own_slots_and_buckets() -> None:
    times = ["04T10:59", "04T11:00", "04T11:30"]  # 11:59, 12:00 and 12:30 in Berlin
    usage = [use(meter, subject, time, 10) for meter in ("kwh", "frames") for subject in ("b", "o") for time in times]
    usage += [use("frames", subject, "04T11:40", 1) for subject in ("b", "o")]
    relational = store()
    applied(relational, CATALOG)
    applied(relational, OWN)
    done = close(MemoryLedger(usage), relational, TENANT, str(NOVEMBER), NOW_MS)
    assert isinstance(done, Closed)
    assert done.charges is not None
    assert [(row["customer"], row["amount"]) for row in done.charges.to_pylist()] == [
        ("berlin", 3 * 10 * 400),
        ("berlin", 1500),  # 29 to pay in one day
        ("own", 10 * 500 + 20 * 600),
        ("own", 500 + 1500),  # 10 in one hour, and 21 in the next
    ]


def test_slots_and_buckets_are_explained(november: November) -> None:
    texts = []
    with november.relational.connect() as connection:
        (run,) = live_runs(connection, TENANT)
        for row in range(len(november.charges)):
            found = explained(november.ledger, connection, run, november.charges.slice(row, 1))
            assert found.problems == []
            assert found.derivation is not None
            texts.append([f"{step.what}: {step.text}" for step in found.derivation.steps])
    assert texts[0][:4] == [
        "measured: 10 + 20 = 30 kWh",
        "any/night at 1: 10 x 1 = 10.00 EUR",
        "any/any at 4: 20 x 4 = 80.00 EUR",
        "all cells: 10 + 80 = 90.00 EUR",
    ]
    assert texts[3][:6] == [
        "measured in 2 days: 13 + 33 = 46 frames",
        "2026-11-04: measured: 13 frames",
        "2026-11-04: the first 2 are included: 13 - 2 = 11 frames",
        "2026-11-04: in packages of 10: 11 / 10 = 1.1 packages",
        "2026-11-04: whole packages: 1.1 up to a multiple of 1 = 2 packages",
        "2026-11-04: at 5 a package: 2 x 5 = 10.00 EUR",
    ]
    assert "all buckets: 10 + 20 = 30.00 EUR" in texts[3]


def test_another_clock_in_a_draft_is_read_from_usage(november: November) -> None:
    draft = CATALOG.replace("from: 22:00, to: 06:00", "from: 21:00, to: 06:00")
    with november.relational.connect() as connection, drafted(november.relational, TENANT, draft) as found:
        assert isinstance(found, Draft)
        (run,) = live_runs(connection, TENANT)
        (again,) = Repricing(november.ledger, connection, TENANT, found).charged_again([run])
    assert not again.from_charges
    assert totals(again.before) == {("berlin", "EUR"): BERLIN_EUR * 100, ("york", "EUR"): YORK_EUR * 100}
    # What Berlin used at 21:54 is of the night.
    assert totals(again.after) == {("berlin", "EUR"): (BERLIN_EUR - 30) * 100, ("york", "EUR"): YORK_EUR * 100}
