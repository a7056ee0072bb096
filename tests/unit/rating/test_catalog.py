"""What an upsert adds, replaces and leaves alone, and how that reads."""

from datetime import date
from fractions import Fraction

from rating.catalog import Catalog, Contract, Customer, Plan, Price, difference, merged
from rating.credit_spending import Spending
from rating.pricing import parts
from rating.pricing.parts import PerUnit, Tier, Tiers


def a_unit(price: str, since: date | None = None) -> Price:
    return Price("Egress", "gb_out", parts.Price(charge=PerUnit(Fraction(price))), since)


EGRESS = a_unit("0.05")
DEARER = a_unit("0.06", date(2026, 12, 1))
STORED = Catalog(
    plans=(Plan("standard", "EUR", (EGRESS,)),),
    customers=(Customer("acme", "Acme", ("a", "b")), Customer("zeta", "Zeta", ("z",))),
    contracts=(Contract("C-1", "acme", "standard", "DE01", date(2026, 1, 1)),),
)


def test_a_new_price_joins_the_ones_a_plan_has() -> None:
    after = merged(STORED, Catalog(plans=(Plan("standard", "EUR", (DEARER,)),)))
    assert after.plans == (Plan("standard", "EUR", (EGRESS, DEARER)),)


def test_a_price_of_the_same_day_is_replaced() -> None:
    cheaper = a_unit("0.04")
    assert merged(STORED, Catalog(plans=(Plan("standard", "EUR", (cheaper,)),))).plans[0].prices == (cheaper,)


def test_what_a_file_does_not_name_stays() -> None:
    after = merged(STORED, Catalog(customers=(Customer("acme", "Acme AG", ("c",)),)))
    assert after.customers == (Customer("acme", "Acme AG", ("c",)), STORED.customers[1])
    assert (after.plans, after.contracts) == (STORED.plans, STORED.contracts)


def test_order_in_a_file_makes_no_difference() -> None:
    one = Catalog(plans=(Plan("p", "EUR", (DEARER, EGRESS)),), customers=(Customer("x", "X", ("b", "a")),))
    other = Catalog(plans=(Plan("p", "EUR", (EGRESS, DEARER)),), customers=(Customer("x", "X", ("a", "b")),))
    assert merged(Catalog(), one) == merged(Catalog(), other)
    assert difference(merged(Catalog(), one), other) == []


def test_a_fee_is_told_with_its_interval() -> None:
    fees = [
        Price("Support", "", parts.Price(charge=parts.Flat(Fraction(9), interval=one)), date(2026, 12, place))
        for place, one in enumerate(parts.Interval, start=1)
    ]
    changes = difference(STORED, Catalog(plans=(Plan("standard", "EUR", tuple(fees)),)))
    said = ["9 a month", "9 a quarter, in advance", "9 a year, in advance"]
    assert [change.after for change in changes] == [f"Support: {one}" for one in said]


def test_nothing_is_changed_by_what_is_there_already() -> None:
    assert difference(STORED, STORED) == []


def test_a_change_is_told_with_what_was_before() -> None:
    (change,) = difference(STORED, Catalog(plans=(Plan("standard", "EUR", (DEARER,)),)))
    assert (change.kind, change.id, change.action) == ("price", "standard/gb_out from 2026-12-01", "added")
    assert (change.before, change.after) == ("", "Egress: 0.06 a unit")
    moved = Contract("C-1", "acme", "standard", "FR01", date(2026, 1, 1), date(2027, 1, 1), "Europe/Paris")
    (change,) = difference(STORED, Catalog(contracts=(moved,)))
    assert change.before == "acme on standard with DE01, from 2026-01-01"
    assert change.after == "acme on standard with FR01, from 2026-01-01 until 2027-01-01, Europe/Paris"
    signed = Contract("C-2", "zeta", "standard", "FR01", date(2026, 1, 15), anchor=15)
    (change,) = difference(STORED, Catalog(contracts=(signed,)))
    assert change.after == "zeta on standard with FR01, from 2026-01-15, periods from day 15 of the month"


def test_tiers_read_as_a_sentence() -> None:
    steps = ((Fraction(1000), "0"), (Fraction("2000.5"), "0.10"), (None, "0.05"))
    tiers = Tiers(tuple(Tier(up_to, Fraction(price)) for up_to, price in steps))
    plan = Plan("p", "EUR", (Price("API", "calls", parts.Price(charge=tiers)),))
    words = [change.after for change in difference(Catalog(), Catalog(plans=(plan,))) if change.kind == "price"]
    assert words == ["API: 0 up to 1000, 0.1 up to 2000.5, then 0.05"]


def test_many_subjects_are_not_all_listed() -> None:
    customer = Customer("c", "C", tuple(f"s{nth}" for nth in range(9)))
    (change,) = difference(Catalog(), Catalog(customers=(customer,)))
    assert change.after == "C: s0, s1, s2, s3, s4 and 4 more"


def test_a_changed_burn_order_is_told_in_words() -> None:
    before, after = (Customer("c", "C", ("s",), credit=credit) for credit in (None, Spending(("amount desc",))))
    (change,) = difference(Catalog(customers=(before,)), Catalog(customers=(after,)))
    assert (change.before, change.after) == ("C: s", "C: s; credit burns by amount desc")
