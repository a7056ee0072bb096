"""A charge is explained by the price that it was made with, and by what it was made of; else it says what differs."""

from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from rating import catalog_tables, runs
from rating.close import Closed, close
from rating.explain import Explanation, explained
from rating.pricing.parts import PerUnit, Price
from rating.pricing.written import written
from tests.unit.rating.world import (
    DAY_MS,
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
CATALOG = """\
meters:
  - {name: gb_out, event_type: egress, aggregation: sum, value: gb, unit: GB, dimensions: {region: region}}
  - {name: paid, event_type: payment, aggregation: sum, value: amount}
plans:
  - name: standard
    currency: EUR
    prices:
      - {product: Egress, meter: gb_out, model: per_unit, unit_price: "0.05"}
      - {product: Egress, meter: gb_out, model: per_unit, unit_price: "0.06", from: 2026-11-11}
      - {product: Payments, meter: paid, model: percentage, percent: 2, free_events: 1}
      - {product: By day, model: flat, amount: 30}
      - {product: By second, model: flat, amount: 30, proration: second}
      - {product: Whole, model: flat, amount: 30, proration: none}
      - {product: Yearly, model: flat, amount: 120, interval: year, from: 2026-11-16}
customers:
  - {id: acme, name: Acme GmbH, subjects: [acme]}
  - {id: globex, name: Globex, subjects: [globex]}
  - {id: initech, name: Initech, subjects: []}
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-11-16, timezone: America/New_York}
  - {id: C-3, customer: initech, plan: standard, entity: DE01, start: 2026-12-01, anchor: 31}
  - id: C-2
    customer: globex
    plan: standard
    entity: DE01
    start: 2026-01-01
    prices:
      - product: Egress
        meter: gb_out
        model: matrix
        dimensions: [region]
        cells: [{region: eu, unit_price: 1}]
        default: 2
        from: 2026-11-21
"""
EU = (("region", "eu"),)


def usage() -> list[Use]:
    """Of globex on days with three different prices, and of acme on one."""
    days = [1, 9, 10, 19, 20, 25]
    egress = [Use("gb_out", "globex", NOVEMBER_FIRST_MS + day * DAY_MS, units(day + 1), 1, EU) for day in days]
    other = [
        Use("gb_out", "globex", NOVEMBER_FIRST_MS + 26 * DAY_MS, units(5)),
        Use("gb_out", "acme", NOVEMBER_FIRST_MS + 17 * DAY_MS, units(3)),
    ]
    paid = [Use("paid", "globex", NOVEMBER_FIRST_MS + nth, units(10 * nth)) for nth in (3, 1, 2)]
    return [*egress, *other, *paid]


class Closing:
    """A closed November."""

    def __init__(self, ledger: MemoryLedger, catalog: str = CATALOG) -> None:
        self.ledger = ledger
        self.relational = store()
        applied(self.relational, catalog)
        done = close(ledger, self.relational, TENANT, PERIOD, NOW_MS)
        assert isinstance(done, Closed)
        assert done.charges is not None
        self.charges = done.charges

    def explained(self, line: pa.Table) -> Explanation:
        with self.relational.connect() as connection:
            run = runs.live_run(connection, TENANT, PERIOD)
            assert run is not None
            return explained(self.ledger, connection, run, line)

    def line(self, contract: str, product: str, nth: int = 0) -> pa.Table:
        names = zip(self.charges["contract"].to_pylist(), self.charges["product"].to_pylist(), strict=True)
        rows = [row for row, names_of in enumerate(names) if names_of == (contract, product)]
        return self.charges.slice(rows[nth], 1)


@pytest.fixture
def november() -> Closing:
    return Closing(MemoryLedger(usage()))


def changed(line: pa.Table, **values: Any) -> pa.Table:
    for name, value in values.items():
        field = line.schema.field(name)
        line = line.set_column(line.schema.get_field_index(name), field, pa.array([value], field.type))
    return line


def summary(explanation: Explanation) -> str:
    assert explanation.problems == []
    assert explanation.derivation is not None
    return explanation.derivation.summary


def test_every_charge_of_a_period_is_explained(november: Closing) -> None:
    for row in range(len(november.charges)):
        assert summary(november.explained(november.charges.slice(row, 1)))


def test_a_charge_is_explained_by_the_price_of_its_days(november: Closing) -> None:
    said = [summary(november.explained(november.line("C-2", "Egress", nth))) for nth in range(3)]
    assert said == [
        "12 GB -> rounding +0.00 = 0.60 EUR",
        "31 GB -> rounding +0.00 = 1.86 EUR",
        "52 GB -> 2 cells -> rounding +0.00 = 57.00 EUR",
    ]


def test_events_are_explained_in_the_order_of_their_time(november: Closing) -> None:
    derived = november.explained(november.line("C-2", "Payments")).derivation
    assert derived is not None
    assert [step.text for step in derived.steps[1:4]] == [
        "10 x 0 = 0.00 EUR",
        "20 x 2 % = 0.40 EUR",
        "30 x 2 % = 0.60 EUR",
    ]


@pytest.mark.parametrize(
    ("product", "said"),
    [
        ("By day", "x 15 of 30 days -> rounding +0.00 = 15.00 EUR"),
        # November has an hour more in New York: the clocks went back on the 1st.
        ("By second", "x 1,296,000 of 2,595,600 seconds -> rounding"),
        ("Whole", "x 1 of 1 month -> rounding +0.00 = 30.00 EUR"),
        ("Yearly", "120.00 EUR a year x 1 of 1 year -> rounding +0.00 = 120.00 EUR"),
    ],
)
def test_a_fee_is_explained_by_how_it_is_prorated(november: Closing, product: str, said: str) -> None:
    assert said in summary(november.explained(november.line("C-1", product)))


def test_the_month_of_a_contract_with_an_anchor_is_its_own(november: Closing) -> None:
    assert "x 30 of 31 days -> rounding" in summary(november.explained(november.line("C-3", "By day")))


def test_another_amount_or_ratio_than_the_derivation_ends_at_is_told(november: Closing) -> None:
    line = november.line("C-2", "Egress")
    assert november.explained(changed(line, amount=61)).problems == [
        "the derivation ends at the amount 0.6, and the charge says 0.61"
    ]
    assert november.explained(changed(line, exact_numerator=2)).problems == [
        "the derivation ends at the amount before rounding 0.6, and the charge says 0.4"
    ]


TOGETHER = """
plans:
  - name: standard
    currency: EUR
    prices: [{product: All, meters: {gb_out: 1, paid: 3}, model: per_unit, unit_price: 2, from: 2026-11-01}]
"""


def test_meters_that_are_summed_are_read_again_where_the_charge_looks_for_its_events() -> None:
    together = CATALOG[: CATALOG.index("plans:")] + TOGETHER.lstrip() + CATALOG[CATALOG.index("customers:") :]
    together = together[: together.index("    prices:\n      - product: Egress")]
    november = Closing(MemoryLedger(usage()), together)
    line = november.line("C-2", "All")
    # 2 to 26 gigabytes and 5 more, and 60 paid, which weigh three times as much.
    assert summary(november.explained(line)) == "275 units -> rounding +0.00 = 550.00 EUR"
    assert summary(november.explained(november.line("C-2", "All", 1))).startswith("60 paid -> priced with gb_out")
    november.ledger.usage.remove(Use("gb_out", "globex", NOVEMBER_FIRST_MS + 26 * DAY_MS, units(5)))
    assert november.explained(line).problems == [
        "its usage is 90, and the charge says 95",
        "the derivation ends at the amount before rounding 540, and the charge says 550",
        "the derivation ends at the amount 540, and the charge says 550",
    ]


def test_usage_that_is_not_what_the_charge_says_is_told(november: Closing) -> None:
    november.ledger.usage.pop()
    problems = november.explained(november.line("C-2", "Payments")).problems
    assert "its usage is 40, and the charge says 60" in problems


def test_a_price_that_was_changed_behind_the_catalog_is_told(november: Closing) -> None:
    prices = catalog_tables.prices
    with november.relational.begin() as connection:
        dearer = written(Price(charge=PerUnit(Fraction(1))))
        connection.execute(sa.update(prices).where(prices.c.product == "Egress").values(terms=dearer))
    assert "the derivation ends at" in november.explained(november.line("C-2", "Egress")).problems[0]


def test_a_price_of_another_version_is_not_the_one_of_the_charge(november: Closing) -> None:
    (problem,) = november.explained(changed(november.line("C-2", "Egress"), price_version=7)).problems
    assert problem == "the catalog has no price of version 7 for it: the catalog was changed"


def test_a_price_that_came_later_explains_nothing_of_before(november: Closing) -> None:
    later = CATALOG.replace('unit_price: "0.05"', 'unit_price: "9"')
    assert applied(november.relational, later).version == 2
    assert summary(november.explained(november.line("C-2", "Egress"))) == "12 GB -> rounding +0.00 = 0.60 EUR"


def test_a_kind_that_is_made_otherwise_says_where_to_look(november: Closing) -> None:
    for kind, where in (
        ("discount", "see the contract"),
        ("credit", "`trace` says by which grants"),
        ("promotion", "`trace` says by which grants"),
    ):
        found = november.explained(changed(november.line("C-1", "Whole"), kind=kind))
        assert (found.message, found.derivation, found.problems) == (f"made by {kind}: {where}", None, [])
