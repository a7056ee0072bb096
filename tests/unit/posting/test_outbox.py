"""Each outcome of a call has its own next step, and a journal waits for its invoices."""

import msgspec
import pytest

from ledger.errors import Damaged
from posting.documents import release
from posting.erp import Receipt, Unavailable
from posting.outbox import BATCH, UNANSWERED_MAX
from tests.contract.memory_erp import Killed, MemoryErp
from tests.unit.posting.charging import Charge, charges
from tests.unit.posting.posted import Books

FIRST = "INV.2026-11.DE01.acme.EUR"
SETTLE_MS = 60_000


def test_everything_is_posted_once_and_journals_after_the_invoices_they_summarize() -> None:
    books, erp = Books(), MemoryErp()
    results = books.post(erp)
    assert [document.id for document in erp.arrived] == [
        "INV.2026-11.DE01.acme.EUR",
        "INV.2026-11.DE01.bolt.EUR",
        "INV.2026-11.DE01.bolt.JPY",
        "INV.2026-11.KW-1.acme.KWD",
        "JRN.2026-11.DE01",
        "JRN.2026-11.KW-1",
    ]
    assert {result.state for result in results} == {"posted"}
    assert [(row.reference, row.attempts) for row in books.rows()] == [(f"#{row.id}", 1) for row in books.rows()]


def test_posting_again_posts_nothing_and_says_so() -> None:
    books, erp = Books(), MemoryErp()
    books.post(erp)
    before = books.rows()
    assert books.post(erp) == []
    assert erp.calls == len(before)
    assert books.rows() == before


def test_drafts_are_not_posted() -> None:
    books, erp = Books(approved=False), MemoryErp()
    assert books.post(erp) == []
    assert erp.calls == 0


def test_a_refused_document_is_parked_with_the_reason_and_only_its_own_journal_waits() -> None:
    books, erp = Books(), MemoryErp(script=["rejected"])
    books.post(erp)
    states = books.states()
    assert states[FIRST] == "parked"
    assert states["JRN.2026-11.DE01"] == "approved"
    assert states["JRN.2026-11.KW-1"] == "posted"
    assert books.rows()[0].error == "the account is closed"
    books.post(erp)
    assert erp.calls == 5
    assert FIRST not in {document.id for document in erp.arrived}


def test_a_released_document_is_posted_and_its_journal_after_it() -> None:
    books, erp = Books(), MemoryErp(script=["rejected"])
    books.post(erp)
    with books.engine.begin() as connection:
        release(connection, "default", FIRST, books.clock())
    books.post(erp)
    assert set(books.states().values()) == {"posted"}
    assert [document.id for document in erp.arrived][-2:] == [FIRST, "JRN.2026-11.DE01"]


def test_an_unavailable_erp_leaves_the_document_due_and_counts_the_attempt() -> None:
    books, erp = Books(), MemoryErp(script=["unavailable"])
    books.post(erp)
    first = books.rows()[0]
    assert (first.state, first.attempts, first.error) == ("approved", 1, "the ERP is being upgraded")
    books.post(erp)
    first = books.rows()[0]
    assert (first.state, first.attempts, first.error) == ("posted", 2, None)


def test_an_erp_that_does_not_answer_is_left_alone_after_a_few_calls() -> None:
    books, erp = Books(), MemoryErp(script=["unavailable", "lost", "unavailable", "none"])
    books.post(erp)
    assert erp.calls == UNANSWERED_MAX
    assert list(books.states().values()) == ["approved", "unknown", *["approved"] * 4]


def test_one_answer_in_between_keeps_the_rest_going() -> None:
    books, erp = Books(), MemoryErp(script=["unavailable", "unavailable", "none", "unavailable"])
    books.post(erp)
    assert erp.calls == 4
    assert list(books.states().values()) == ["approved", "approved", "posted", "approved", "approved", "approved"]


def test_a_lost_answer_freezes_the_document_until_a_look_up_can_settle_it() -> None:
    books = Books(charges([Charge()]))
    erp = MemoryErp(books.clock, SETTLE_MS, ["late"])
    books.post(erp)
    frozen = books.rows()[0]
    assert (frozen.state, frozen.frozen_until) == ("unknown", books.clock() + SETTLE_MS)
    books.clock.now_ms += SETTLE_MS - 1
    books.post(erp)
    assert (books.states()[FIRST], erp.calls) == ("unknown", 1)
    books.clock.now_ms += 1
    books.post(erp)
    assert [document.id for document in erp.arrived] == [FIRST, "JRN.2026-11.DE01"]
    assert set(books.states().values()) == {"posted"}


def test_a_document_that_is_proven_absent_is_sent_again() -> None:
    books = Books(charges([Charge()]))
    erp = MemoryErp(books.clock, SETTLE_MS, ["lost"])
    books.post(erp)
    books.clock.now_ms += SETTLE_MS
    books.post(erp)
    assert [document.id for document in erp.arrived] == [FIRST, "JRN.2026-11.DE01"]
    assert books.rows()[0].attempts == 2


def test_a_call_cut_off_by_a_crash_settles_from_when_it_is_found() -> None:
    books = Books(charges([Charge()]))
    erp = MemoryErp(books.clock, SETTLE_MS, ["killed late"])
    with pytest.raises(Killed):
        books.post(erp)
    assert books.states()[FIRST] == "posting"
    books.clock.now_ms += SETTLE_MS // 2
    books.post(erp)
    row = books.rows()[0]
    assert (row.state, row.frozen_until, erp.calls) == ("unknown", books.clock() + SETTLE_MS, 1)
    books.clock.now_ms += SETTLE_MS
    books.post(erp)
    assert [document.id for document in erp.arrived] == [FIRST, "JRN.2026-11.DE01"]


def test_another_document_under_the_key_is_parked_and_never_overwritten() -> None:
    books, erp = Books(charges([Charge()])), MemoryErp()
    other = Books(charges([Charge(amount=1)]))
    other.post(erp)
    books.change(FIRST, state="unknown", frozen_until=0)
    books.post(erp)
    row = books.rows()[0]
    assert row.state == "parked"
    assert row.error == "the ERP holds something else under default/INV.2026-11.DE01.acme.EUR: #" + FIRST
    assert [document.id for document in erp.arrived] == [FIRST, "JRN.2026-11.DE01"]


class Amnesiac(MemoryErp):
    """Can't be asked what it holds."""

    def look_up(self, key: str) -> Receipt | None:
        raise Unavailable(f"{key}: no reading today")


def test_a_look_up_without_an_answer_changes_nothing_but_the_error() -> None:
    books = Books(charges([Charge()]))
    books.change(FIRST, state="unknown", frozen_until=5, attempts=1)
    erp = Amnesiac(books.clock, SETTLE_MS)
    books.post(erp)
    row = books.rows()[0]
    assert (row.state, row.frozen_until, row.attempts, row.error) == (
        "unknown",
        5,
        1,
        f"default/{FIRST}: no reading today",
    )
    assert erp.calls == 0


def test_charges_that_no_longer_say_what_was_approved_are_not_posted() -> None:
    books, erp = Books(), MemoryErp()
    books.table = charges([msgspec.structs.replace(Charge(), amount=1)])
    with pytest.raises(Damaged, match="do not say what was approved"):
        books.post(erp)
    assert erp.calls == 0
    assert set(books.states().values()) == {"approved"}


def test_more_documents_than_a_batch_are_all_posted() -> None:
    many = [Charge(f"cust-{number:04d}") for number in range(BATCH * 2 + 1)]
    books, erp = Books(charges(many)), MemoryErp()
    books.post(erp)
    assert len(erp.arrived) == len(many) + 1
    assert set(books.states().values()) == {"posted"}


def test_who_is_stopping_finishes_the_batch_that_was_begun_and_the_rest_waits() -> None:
    many = [Charge(f"cust-{number:04d}") for number in range(BATCH * 2 + 1)]
    books, erp = Books(charges(many)), MemoryErp()
    assert books.post(erp, lambda: True) == []
    results = books.post(erp, lambda: bool(erp.arrived))
    assert [result.id for result in results] == [document.id for document in erp.arrived]
    assert len(erp.arrived) == BATCH
    states = list(books.states().values())
    assert (states.count("posted"), states.count("approved")) == (BATCH, BATCH + 2)
    books.post(erp)
    assert len(erp.arrived) == erp.calls == len(many) + 1
