"""A book is the catalog in columns, the same whatever order the database gives it in."""

from collections.abc import Callable

import numpy as np
import pytest
import sqlalchemy as sa

from rating import book as books
from rating import catalog_tables as tables
from rating.periods import ALWAYS, NEVER
from tests.unit.rating.world import CATALOG, TENANT, applied, book_of, store

TWO_ZONES = """
customers:
  - {id: Zeta, subjects: [z]}
  - {id: alpha, subjects: [b, a, Ä]}
contracts:
  - {id: K-2, customer: alpha, plan: standard, entity: FR01, start: 2026-11-05, end: 2026-12-01, timezone: Europe/Paris}
  - {id: K-1, customer: alpha, plan: standard, entity: DE01, start: 2026-01-01, end: 2026-11-05, timezone: Europe/Paris}
"""

AGREED = """
customers:
  - {id: Zeta, subjects: [z, a], tax_place: DE}
  - {id: alpha, subjects: [b, y], tax_place: DE, tax_exempt: charity, credit: {drawn: daily}}
contracts:
  - {id: K-2, customer: Zeta, plan: standard, entity: FR01, start: 2026-11-05,
     prices: [{product: Own, meter: api_calls, model: per_unit, unit_price: 1}]}
  - {id: K-1, customer: alpha, plan: standard, entity: DE01, start: 2026-01-01, anchor: 15,
     commitment: {product: Minimum, true_up: true, amount: 10}, discounts: [{name: Ten, percent: 10}]}
taxes: [{name: VAT, rate: 19, place: DE}]
"""


def both(second: str = TWO_ZONES) -> sa.Engine:
    relational = store()
    applied(relational, CATALOG)
    applied(relational, second)
    return relational


def test_everything_is_ordered_by_code_point() -> None:
    with both().connect() as connection:
        book = books.load(connection, TENANT, 2)
    assert book.customers.to_pylist() == ["Zeta", "acme", "alpha"]
    assert book.contracts.id.to_pylist() == ["C-1", "K-1", "K-2"]
    assert book.contracts.customer.tolist() == [1, 2, 2]
    assert book.subjects.subject.to_pylist() == ["z", "acme-prod", "acme-test", "a", "b", "Ä"]
    assert book.zones == ["Europe/Paris", "UTC"]
    assert [book.entities[int(code)].as_py() for code in book.contracts.entity] == ["DE01", "DE01", "FR01"]


@pytest.mark.parametrize("reverse", [0, 1])
def test_the_order_that_the_database_has_rows_in_does_not_matter(reverse: int) -> None:
    with both(AGREED).connect() as connection:
        digest = books.load(connection, TENANT, 2).digest
        connection.exec_driver_sql(f"PRAGMA reverse_unordered_selects = {reverse}")
        book = books.load(connection, TENANT, 2)
    assert book.digest == digest
    assert book.subjects.subject.to_pylist() == ["a", "z", "acme-prod", "acme-test", "b", "y"]
    assert book.contracts.id.to_pylist() == ["K-2", "C-1", "K-1"]
    assert [book.calendars[place].anchor for place in book.contracts.calendar.tolist()] == [1, 1, 15]
    assert [book.entities[place].as_py() for place in book.contracts.entity.tolist()] == ["FR01", "DE01", "DE01"]
    assert [book.products[place].as_py() for place in book.prices.product[book.prices.set > 0].tolist()].count("Own")
    assert book.contracts.prices.tolist() == [1, 0, 0]
    assert book.agreed.commitments.contract.tolist() == [2]
    assert book.agreed.discounts.of_contract.tolist() == [0, 0, 1]
    assert book.agreed.rates.place_of.tolist() == [0, -1, -1]
    assert book.credit.customer.to_pylist() == ["alpha"]


@pytest.mark.parametrize(
    ("table", "wanted", "index"),
    [
        (tables.contracts, tables.agrees, "ix_contracts_agreeing"),
        (tables.customers, tables.is_told, "ix_customers_told"),
    ],
)
def test_the_few_who_say_more_are_found_without_looking_at_the_others(
    table: sa.Table, wanted: Callable[[sa.FromClause], sa.ColumnElement[bool]], index: str
) -> None:
    rows = tables.rows_at(table, TENANT, 1, *table.columns.keys()).subquery()
    few = sa.select(rows).where(wanted(rows)).subquery()
    with store().connect() as connection:
        query = sa.select(sa.func.json_group_array(few.c.id)).compile(connection)
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", (TENANT, 1, 1)).all()
    assert [step for *_, step in plan] == [f"SEARCH {table.name} USING INDEX {index} (tenant=? AND version<?)"]


def test_contracts_are_kept_in_the_calendars_of_their_zones_and_anchors() -> None:
    anchored = TWO_ZONES.replace("Europe/Paris}", "Europe/Paris, anchor: 31}", 1)
    with both(anchored).connect() as connection:
        book = books.load(connection, TENANT, 2)
    assert book.calendars == [("Europe/Paris", 1), ("Europe/Paris", 31), ("UTC", 1)]
    assert book.contracts.id.to_pylist() == ["C-1", "K-1", "K-2"]
    assert book.contracts.calendar.tolist() == [2, 0, 1]


def test_an_anchor_is_a_part_of_what_a_book_says() -> None:
    calendar, same, anchored = (
        book_of(CATALOG.replace("2026-01-01", f"2026-01-01{more}")) for more in ("", ", anchor: 1", ", anchor: 2")
    )
    assert calendar.digest == same.digest != anchored.digest


def test_days_without_a_beginning_or_an_end_are_marked() -> None:
    book = book_of(CATALOG)
    assert book.contracts.ends.tolist() == [NEVER]
    assert book.prices.since.tolist() == [ALWAYS, ALWAYS]
    assert book.contracts.starts.tolist() == [int(np.datetime64("2026-01-01", "D").astype(np.int64))]


def test_a_price_holds_until_the_next_one_of_its_meter() -> None:
    later = "      - {product: Egress, meter: gb_out, model: per_unit, unit_price: 1, from: 2026-11-15}\ncustomers:"
    book = book_of(CATALOG.replace("customers:", later))
    day = int(np.datetime64("2026-11-15", "D").astype(np.int64))
    assert book.prices.since.tolist() == [ALWAYS, ALWAYS, day]
    assert book.prices.until.tolist() == [NEVER, day, NEVER]


def test_a_version_reads_the_same_whatever_came_after_it() -> None:
    relational = both()
    applied(relational, "customers: [{id: Zeta, subjects: [q]}]")
    with relational.connect() as connection:
        second, third = books.load(connection, TENANT, 2), books.load(connection, TENANT, 3)
    assert second.digest != third.digest
    assert second.subjects.subject.to_pylist()[0] == "z"
    with both().connect() as connection:
        assert books.load(connection, TENANT, 2).digest == second.digest


def test_an_empty_catalog_is_a_book_in_utc() -> None:
    with store().connect() as connection:
        book = books.load(connection, TENANT, 0)
    assert (len(book.customers), len(book.contracts.id), book.zones) == (0, 0, ["UTC"])


def test_any_subject_that_is_stored_is_loaded_as_it_is() -> None:
    names = ["a\\tb", "line\\nbreak", '\\"quoted\\"', "back\\\\slash", "\\u00fc\\u2028", "\\U0001F600", "{}", "null"]
    listed = ", ".join(f'"{name}"' for name in names)
    book = book_of(f"customers: [{{id: c, subjects: [{listed}]}}]")
    assert set(book.subjects.subject.to_pylist()) == {
        "a\tb",
        "line\nbreak",
        '"quoted"',
        "back\\slash",
        "ü\u2028",
        "\U0001f600",
        "{}",
        "null",
    }
