"""Meters that are priced together each keep a line of their own, and that of the first has the amount of all."""

from fractions import Fraction
from typing import Any

import pytest

from ledger.errors import Damaged
from ledger.usage import Peaks
from rating import beyond_sums
from rating.close import Closed, close
from rating.rate import Measured, rate
from rating.spans import spans
from tests.unit.rating.test_rate import CUTOFF, rated
from tests.unit.rating.test_what_if import again, totals, totals_of
from tests.unit.rating.world import (
    DAY_MS,
    NOVEMBER,
    NOVEMBER_FIRST_MS,
    NOW_MS,
    TENANT,
    MemoryLedger,
    Terms,
    Use,
    applied,
    exact_amount,
    store,
    terms_of,
    units,
)

CATALOG = """\
meters:
  - {name: seats, event_type: seat, aggregation: sum, value: seats}
  - {name: stored, event_type: disk, aggregation: sum, value: gb}
plans:
  - name: space
    currency: EUR
    prices:
      - product: Workspace
        meters: [seats, stored]
        model: capacity
        tiers:
          - {price: 100, limits: {seats: 10, stored: 50}}
          - {price: 250, limits: {seats: 20}}
          - {price: 900}
customers:
  - {id: acme, subjects: [one, two]}
contracts:
  - {id: C-1, customer: acme, plan: space, entity: DE01, start: 2026-01-01}
"""


def use(meter: str, quantity: int, subject: str = "one", day: int = 0) -> Use:
    return Use(meter, subject, NOVEMBER_FIRST_MS + day * DAY_MS, units(quantity))


Line = tuple[str, int, Fraction | int, Fraction | int]


def lines(text: str, *usage: Use) -> list[Line]:
    """Of each charge its meter, events, quantity and exact amount."""
    found: list[dict[str, Any]] = rated(terms_of(text), list(usage)).charges.to_pylist()
    return [(row["meter"], row["events"], Fraction(row["quantity"]), exact_amount(row)) for row in found]


@pytest.mark.parametrize(
    ("seats", "stored", "price"),
    [(10, 50, 100), (11, 50, 250), (10, 51, 250), (20, 10**6, 250), (21, 0, 900), (0, 0, 100), (-5, 50, 100)],
)
def test_the_first_tier_that_neither_meter_exceeds_sets_one_price(seats: int, stored: int, price: int) -> None:
    assert lines(CATALOG, use("seats", seats), use("stored", stored)) == [
        ("seats", 1, seats, price),
        ("stored", 1, stored, 0),
    ]


def test_values_are_compared_one_by_one_and_counted_together() -> None:
    usage = [use("seats", 9), use("seats", 10, "two", 3), use("seats", 8, day=29), use("stored", 20), use("stored", 50)]
    assert lines(CATALOG, *usage) == [("seats", 3, 27, 100), ("stored", 2, 70, 0)]
    assert lines(CATALOG, *usage, use("seats", 11, "two"))[0] == ("seats", 4, 38, 250)


def test_usage_of_the_second_meter_alone_is_charged_on_the_line_of_the_first() -> None:
    assert lines(CATALOG, use("stored", 51)) == [("seats", 0, 0, 250), ("stored", 1, 51, 0)]


def test_a_month_without_usage_owes_the_first_tier() -> None:
    assert lines(CATALOG) == [("seats", 0, 0, 100)]
    assert lines(CATALOG.replace("price: 100", "price: 0")) == [("seats", 0, 0, 0)]


def test_only_values_of_the_days_in_which_a_price_holds_count_for_it() -> None:
    later = """
      - {product: Workspace, meters: [stored, seats], model: capacity, from: 2026-11-11,
         tiers: [{price: 30, limits: {stored: 60}}, {price: 60}]}
customers:"""
    usage = [use("seats", 25, day=9), use("stored", 55, day=10), use("seats", 1, day=10)]
    assert lines(CATALOG.replace("\ncustomers:", later), *usage) == [
        ("seats", 1, 25, 300),
        ("seats", 1, 1, 0),
        ("stored", 1, 55, 20),
    ]


@pytest.mark.parametrize(("proration", "part"), [("day", Fraction(15, 30)), ("none", Fraction(1))])
def test_a_part_of_the_month_owes_its_share(proration: str, part: Fraction) -> None:
    text = CATALOG.replace("start: 2026-01-01", "start: 2026-11-16")
    text = text.replace("model: capacity", f"model: capacity, proration: {proration}".replace(", ", "\n        "))
    assert lines(text, use("seats", 11, day=15))[0] == ("seats", 1, 11, 250 * part)


def test_what_is_taken_off_is_taken_off_the_share() -> None:
    text = CATALOG.replace("start: 2026-01-01", "start: 2026-11-16")
    text = text.replace("model: capacity", "model: capacity\n        adjustments: [{percent_off: 10}, {maximum: 40}]")
    assert lines(text)[0][3] == 40
    assert lines(text.replace("maximum: 40", "maximum: 99"))[0][3] == 45


def test_a_contract_has_tiers_of_its_own() -> None:
    own = """, prices: [
    {product: Workspace, meters: [seats, stored], model: capacity,
     tiers: [{price: 7, limits: {stored: 1}}, {price: 9}]}]}
"""
    text = CATALOG.replace("start: 2026-01-01}\n", f"start: 2026-01-01{own}")
    assert lines(text, use("seats", 500)) == [("seats", 1, 500, 7)]
    assert lines(text, use("stored", 2)) == [("seats", 0, 0, 9), ("stored", 1, 2, 0)]


def test_values_that_no_contract_bills_are_nobodys_peak() -> None:
    text = CATALOG.replace("start: 2026-01-01", "start: 2026-11-03")
    found = rated(terms_of(text), [use("seats", 500, day=1), use("seats", 500, "nobody", 5), use("seats", 3, day=5)])
    (line,) = found.charges.to_pylist()
    assert exact_amount(line) == Fraction(100 * 28, 30)
    assert [(one.meter, one.reason, one.measured) for one in found.unrated] == [
        ("seats", "no_customer", Measured(1, units(500))),
        ("seats", "no_contract", Measured(1, units(500))),
    ]


class Losing(MemoryLedger):
    """Its highest values leave a meter out."""

    def peaks(self, *asked: Any) -> Peaks:
        found = super().peaks(*asked)
        return Peaks(found.meter[:1], found.subject[:1], found.segment[:1], found.quantity[:1])


def test_values_that_do_not_belong_to_the_sums_are_refused() -> None:
    terms: Terms = terms_of(CATALOG)
    ledger = Losing([use("seats", 1), use("stored", 1)])
    totals = ledger.totals("", terms.boundaries, CUTOFF)
    beyond = beyond_sums.read(ledger, terms.book, terms.boundaries, CUTOFF)
    with pytest.raises(Damaged, match=r"contract C-1.*read in detail"):
        rate(terms.book, spans(terms.book, NOVEMBER), totals, beyond, CUTOFF)


PRICES = CATALOG[CATALOG.index("      - product") : CATALOG.index("customers:")]
SUMMED = CATALOG.replace(
    PRICES,
    """\
      - product: Workspace
        meters: {seats: 1, stored: 2.5}
        model: graduated
        tiers: [{up_to: 10, unit_price: 1}, {unit_price: 0.1}]
""",
)


def test_several_meters_reach_tiers_together_by_weight() -> None:
    usage = [use("seats", 4), use("seats", 3, "two"), use("stored", 2)]
    assert lines(SUMMED, *usage) == [("seats", 2, 7, Fraction("10.2")), ("stored", 1, 2, 0)]
    assert lines(SUMMED, *usage[:2]) == [("seats", 2, 7, 7)]
    assert lines(SUMMED, *usage[2:]) == [("seats", 0, 0, 5), ("stored", 1, 2, 0)]
    assert lines(SUMMED) == []


def test_corrections_of_one_meter_weigh_too() -> None:
    assert lines(SUMMED, use("seats", 8), use("stored", -2))[0][3] == 3
    assert lines(SUMMED, use("seats", 1), use("stored", -2))[0][3] == -4


def test_a_list_of_meters_is_their_sum() -> None:
    text = SUMMED.replace("{seats: 1, stored: 2.5}", "[stored, seats]")
    assert lines(text, use("seats", 4), use("stored", 2)) == [("seats", 1, 4, 0), ("stored", 1, 2, 6)]


def test_prices_around_a_sum_are_those_of_the_sum() -> None:
    text = SUMMED.replace(
        "model: graduated", "model: graduated\n        free_units: 5\n        adjustments: [{minimum: 2}]"
    )
    assert lines(text, use("seats", 4), use("stored", 2))[0][3] == 4
    assert lines(text, use("stored", 1))[0] == ("seats", 0, 0, 2)
    assert lines(text) == [("seats", 0, 0, 2)]


ALONE = CATALOG.replace(
    PRICES,
    """\
      - {product: Workspace, meter: seats, model: per_unit, unit_price: 2}
      - {product: Workspace, meter: stored, model: per_unit, unit_price: 3}
""",
)


@pytest.mark.parametrize(
    ("before", "draft", "from_charges"),
    [
        (SUMMED, ALONE, True),
        (ALONE, SUMMED, True),
        (CATALOG, ALONE, True),
        (ALONE, CATALOG, False),
        (SUMMED, SUMMED, True),
    ],
)
def test_what_if_prices_apart_what_was_together_and_together_what_was_apart(
    before: str, draft: str, from_charges: bool
) -> None:
    relational, ledger = store(), MemoryLedger([use("stored", 20), use("stored", 40, "two")])
    applied(relational, before)
    assert isinstance(close(ledger, relational, TENANT, str(NOVEMBER), NOW_MS), Closed)
    found, slowly = again(ledger, relational, draft)
    assert found.from_charges == from_charges
    assert (totals(found.after), found.charges) == (totals_of(slowly), len(slowly))
