"""Charges, documents and the ERP agree, or it is told where they don't."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from ledger.verify import Problem
from posting.documents import documents
from posting.erp import Erp
from posting.file_erp import FileErp
from posting.reconcile import agreement, read_back
from tests.contract.memory_erp import MemoryErp
from tests.unit.posting.charging import TWO_CUSTOMERS, Charge, charges
from tests.unit.posting.posted import PERIOD, Books

FIRST = "INV.2026-11.DE01.acme.EUR"


def problems(books: Books, erp: Erp, table: pa.Table | None = None) -> list[Problem]:
    rows = books.rows()
    return agreement(books.table if table is None else table, rows, read_back(erp, rows), "default", PERIOD)


def test_a_posted_period_agrees(tmp_path: Path) -> None:
    books, erp = Books(), FileErp(tmp_path)
    books.post(erp)
    assert problems(books, erp) == []


@pytest.mark.parametrize("script", [["rejected"], ["unavailable"] * 3, ["lost"], ["stored"]])
def test_a_period_that_is_posted_in_part_agrees_so_far(script: list[str]) -> None:
    books, erp = Books(), MemoryErp(script=script)  # type: ignore[arg-type]
    assert problems(books, erp) == []
    books.post(erp)
    assert problems(books, erp) == []


def test_an_amount_changed_in_the_charges_is_told_three_times() -> None:
    books, erp = Books(), MemoryErp()
    books.post(erp)
    changed = charges([Charge("acme", 1_251), *TWO_CUSTOMERS[1:]])
    found = problems(books, erp, changed)
    assert Problem(FIRST, "its charges make another document than the one that was approved") in found
    assert Problem("DE01 EUR", "rated 15.01, invoiced 15.00") in found
    assert Problem("DE01 EUR", "rated 15.01, posted 15.00") in found
    assert Problem("DE01 EUR", "rated 15.01, receivable 15.00") in found
    assert Problem("DE01 EUR", "rated 15.01, revenue 15.00") in found


def test_a_total_changed_in_a_row_is_told() -> None:
    books = Books()
    books.change(FIRST, total=1_551)
    assert problems(books, MemoryErp()) == [Problem("DE01 EUR", "rated 15.00, invoiced 15.01")]


def delete(books: Books) -> None:
    with books.engine.begin() as connection:
        connection.execute(sa.delete(documents).where(documents.c.id == FIRST))


@pytest.mark.parametrize(
    ("break_it", "expected"),
    [
        (delete, Problem(FIRST, "its charges were rated, and the document is missing")),
        (
            lambda books: books.change(FIRST, id="INV.2026-11.DE01.ghost.EUR"),
            Problem("INV.2026-11.DE01.ghost.EUR", "there are no charges that it was made of"),
        ),
        (
            lambda books: books.change(FIRST, state="draft"),
            Problem(FIRST, f"it is draft here, and the ERP has it as #{FIRST}"),
        ),
        (
            lambda books: books.change(FIRST, digest="00"),
            Problem(FIRST, f"what the ERP holds as #{FIRST} is not what was drafted"),
        ),
    ],
)
def test_a_row_that_was_tampered_with_is_told(break_it: Callable[[Books], None], expected: Problem) -> None:
    books, erp = Books(), MemoryErp()
    books.post(erp)
    break_it(books)
    assert expected in problems(books, erp)


def test_a_document_that_the_erp_lost_is_told() -> None:
    books, erp = Books(), MemoryErp()
    books.post(erp)
    erp.arrived = [document for document in erp.arrived if document.id != FIRST]
    assert problems(books, erp) == [Problem(FIRST, "it was posted, and the ERP does not have it")]


def test_a_file_that_was_changed_is_told_by_name(tmp_path: Path) -> None:
    books, erp = Books(), FileErp(tmp_path)
    books.post(erp)
    path = tmp_path / "default" / "DE01" / PERIOD / "JRN.2026-11.DE01.journal"
    path.write_text(path.read_text().replace("15.00", "15.10").replace("-12.00", "-12.10"))
    (found,) = problems(books, erp)
    assert found.where == "JRN.2026-11.DE01"
    assert str(path) in found.what
