"""A file is checked against what it can touch, also where it does not name it, and told mistakes as on top of all."""

import pytest
import sqlalchemy as sa

from rating import catalog_store
from rating.catalog import Catalog
from rating.catalog_reading import NAMED_MAX, Reading, read
from tests.unit.rating.world import CATALOG, TENANT, applied, store

SIDE_BY_SIDE = CATALOG.replace(
    "customers:",
    """\
  - name: late
    currency: EUR
    prices: [{product: Late, meter: gb_out, model: per_unit, unit_price: 1, from: 2026-06-01}]
  - {name: extra, currency: EUR, prices: []}
customers:
  - {id: other, subjects: [other-1]}""",
).replace("plan: standard,", "plan: late, end: 2026-05-01,") + (
    "  - {id: C-2, customer: acme, plan: extra, entity: DE01, start: 2026-01-01}\n"
)
PRICE = "plans: [{name: %s, currency: EUR, prices: [{product: %s, meter: gb_out, model: per_unit, unit_price: 1%s}]}]"


def said(text: str, stored: str = SIDE_BY_SIDE) -> Reading | str:
    """What is read, or the one mistake."""
    relational: sa.Engine = store()
    version = applied(relational, stored).version
    with relational.connect() as connection:
        found = read(connection, TENANT, version, text)
        assert catalog_store.newest_version(connection) == version
    if isinstance(found, Reading):
        return found
    (mistake,) = found
    return mistake.message


def test_a_price_touches_no_customer() -> None:
    found = said(PRICE % ("standard", "Egress", ""), CATALOG)
    assert isinstance(found, Reading)
    assert (len(found.stored.plans), found.stored.customers, found.stored.contracts) == (1, (), ())


@pytest.mark.parametrize("since", ["", ", from: 2026-03-01"])
def test_a_price_from_an_earlier_day_bills_twice_what_the_file_does_not_name(since: str) -> None:
    # Before it, C-1 ends when its plan's price begins: the file names neither contract.
    both = SIDE_BY_SIDE.replace("prices: []", "prices: [{product: X, meter: gb_out, model: per_unit, unit_price: 1}]")
    assert isinstance(said(PRICE % ("late", "Late", ", from: 2026-07-01"), both), Reading)
    message = said(PRICE % ("late", "Late", since), both)
    assert "would both bill gb_out of acme" in str(message)


def test_a_first_price_of_a_meter_bills_twice_what_the_file_does_not_name() -> None:
    earlier = SIDE_BY_SIDE.replace(", from: 2026-06-01", "")
    message = said(PRICE % ("extra", "X", ""), earlier)
    assert "would both bill gb_out of acme" in str(message)
    assert isinstance(said(PRICE % ("extra", "X", ", from: 2026-05-01"), earlier), Reading)


def test_a_name_of_nobody_is_likened_to_one_that_the_file_does_not_touch() -> None:
    contract = "contracts: [{id: C-3, customer: othr, plan: extra, entity: DE01, start: 2026-01-01}]"
    message = said(contract)
    assert "other" in str(message)


def test_a_file_that_names_very_much_stands_on_everything() -> None:
    subjects = ", ".join(str(number) for number in range(NAMED_MAX))
    found = said(f"customers: [{{id: many, subjects: [{subjects}]}}]")
    assert isinstance(found, Reading)
    assert [customer.id for customer in found.stored.customers] == ["acme", "other"]
    assert found.new != Catalog()
