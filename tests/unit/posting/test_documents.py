"""Documents go from draft to approved together, and only drafts can be dropped."""

import pytest
import sqlalchemy as sa

from ledger.errors import Refused
from posting.approval import approve
from posting.documents import documents, drop_drafts, find, of_period, release
from posting.drafts import ROWS_AT_ONCE, write_drafts
from posting.names import UnknownDocument
from tests.contract.memory_erp import MemoryErp
from tests.unit.posting.charging import Charge, charges
from tests.unit.posting.posted import PERIOD, Books

FIRST = "INV.2026-11.DE01.acme.EUR"


def test_a_run_drafts_its_invoices_and_journals() -> None:
    rows = {row.id: row for row in Books(approved=False).rows()}
    assert list(rows) == [
        "INV.2026-11.DE01.acme.EUR",
        "INV.2026-11.DE01.bolt.EUR",
        "INV.2026-11.DE01.bolt.JPY",
        "INV.2026-11.KW-1.acme.KWD",
        "JRN.2026-11.DE01",
        "JRN.2026-11.KW-1",
    ]
    invoice, journal = rows[FIRST], rows["JRN.2026-11.DE01"]
    assert (invoice.kind, invoice.customer, invoice.currency, invoice.total) == ("invoice", "acme", "EUR", 1_550)
    assert (invoice.lines, invoice.events, invoice.run, invoice.state) == (2, 7, 1, "draft")
    assert (journal.kind, journal.customer, journal.currency, journal.total) == ("journal", None, None, None)
    assert (journal.lines, journal.events, journal.key) == (5, 15, "default/JRN.2026-11.DE01")


def test_approving_again_approves_nothing_more() -> None:
    books = Books(approved=False)
    with books.engine.begin() as connection:
        assert approve(connection, "default", PERIOD, books.table, 2_000) == 6
        assert approve(connection, "default", PERIOD, books.table, 3_000) == 0
    assert {(row.state, row.updated_at) for row in books.rows()} == {("approved", 2_000)}


def test_only_the_tenants_own_period_is_approved() -> None:
    books = Books(approved=False)
    with books.engine.begin() as connection:
        write_drafts(connection, "other", PERIOD, 2, books.table, 1)
        write_drafts(connection, "default", "2026-12", 3, books.table, 1)
        assert approve(connection, "default", PERIOD, books.table, 2_000) == 6
        other, later = find(connection, "other", FIRST), find(connection, "default", "JRN.2026-12.DE01")
    assert other is not None
    assert later is not None
    assert (other.state, later.state) == ("draft", "draft")


def test_a_discarded_run_leaves_room_for_the_next_ones_documents() -> None:
    books = Books(approved=False)
    with books.engine.begin() as connection:
        assert drop_drafts(connection, "default", PERIOD, 1) == 6
        write_drafts(connection, "default", PERIOD, 2, charges([Charge(amount=1)], run=2), 5)
    assert [(row.id, row.run) for row in books.rows()] == [(FIRST, 2), ("JRN.2026-11.DE01", 2)]


def test_two_runs_cannot_both_hold_a_document() -> None:
    books = Books(approved=False)
    with pytest.raises(sa.exc.IntegrityError), books.engine.begin() as connection:
        write_drafts(connection, "default", PERIOD, 2, books.table, 5)
    assert {row.run for row in books.rows()} == {1}


def test_an_approved_run_cannot_be_dropped() -> None:
    books = Books()
    with pytest.raises(Refused, match="is approved"), books.engine.begin() as connection:
        drop_drafts(connection, "default", PERIOD, 1)
    assert len(books.rows()) == 6


def test_a_document_is_found_by_its_id_within_its_tenant() -> None:
    with Books().engine.connect() as connection:
        found = find(connection, "default", FIRST)
        assert found is not None
        assert found.id == FIRST
        assert find(connection, "other", FIRST) is None
        with pytest.raises(UnknownDocument):
            find(connection, "default", "acme")


def test_only_a_parked_document_can_be_released() -> None:
    books = Books()
    with books.engine.begin() as connection:
        with pytest.raises(Refused, match="is approved: only a parked"):
            release(connection, "default", FIRST, 1)
        with pytest.raises(Refused, match="is not there: only a parked"):
            release(connection, "other", FIRST, 1)


def test_a_run_without_charges_drafts_nothing() -> None:
    books = Books(charges([]))
    assert books.rows() == []
    assert books.post(MemoryErp()) == []


def test_a_run_of_any_size_drafts_each_document_once() -> None:
    for customers in (ROWS_AT_ONCE - 1, ROWS_AT_ONCE, 2 * ROWS_AT_ONCE + 1):
        lines = [Charge(customer=f"c{number:04}", amount=number) for number in range(customers)]
        rows = Books(charges(lines), approved=False).rows()
        assert [(row.customer, row.total, row.run, row.state) for row in rows] == [
            *((f"c{number:04}", number, 1, "draft") for number in range(customers)),
            (None, None, 1, "draft"),
        ]


def test_a_driver_that_takes_no_tuples_gets_the_same_rows() -> None:
    books = Books(approved=False)
    named = sa.create_engine("sqlite://", paramstyle="named")
    documents.create(named)
    with named.begin() as connection:
        write_drafts(connection, "default", PERIOD, 1, books.table, books.clock())
        rows = list(of_period(connection, "default", PERIOD))
    named.dispose()
    assert rows == books.rows()
