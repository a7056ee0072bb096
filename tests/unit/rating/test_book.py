"""A book is the catalog in columns, the same whatever order the database gives it in."""

import numpy as np
import sqlalchemy as sa

from rating import book as books
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
