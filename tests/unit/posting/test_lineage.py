"""Every document and every line of one leads to the charges it was made of."""

from typing import NamedTuple

import pyarrow as pa
import pytest

from posting.invoices import Invoices
from posting.journal import journals
from posting.lineage import charges_behind, made_of
from posting.names import UnknownDocument
from tests.unit.posting.charging import PAID_BY_CREDIT, SETTLED, TWO_CUSTOMERS, charges

TABLE = charges(TWO_CUSTOMERS)


class Row(NamedTuple):
    id: str
    tenant: str = "default"


def behind(document_id: str, line: int | None = None) -> pa.Table:
    return charges_behind(Row(document_id), line, TABLE)


def test_an_invoice_leads_to_its_charges_and_a_line_to_its_own() -> None:
    assert behind("INV.2026-11.DE01.acme.EUR")["amount"].to_pylist() == [1_250, 300]
    assert behind("INV.2026-11.DE01.acme.EUR", 2)["amount"].to_pylist() == [300]


def test_a_revenue_line_leads_to_the_charges_of_its_product() -> None:
    assert sorted(behind("JRN.2026-11.DE01", 2)["amount"].to_pylist()) == [-50, 1_250]


def test_a_receivable_line_leads_to_all_charges_of_its_currency() -> None:
    assert sorted(behind("JRN.2026-11.DE01", 1)["amount"].to_pylist()) == [-50, 0, 300, 1_250]
    assert behind("JRN.2026-11.DE01", 4)["amount"].to_pylist() == [1_999]


def test_a_journal_leads_to_all_charges_of_its_entity_and_no_other() -> None:
    assert len(behind("JRN.2026-11.DE01")) == 5
    assert behind("JRN.2026-11.KW-1")["amount"].to_pylist() == [12_345]


def made_of_line(document_id: str, line: int, most: int = 20) -> list[str]:
    """What a line of the settled charges is made of, without the name of acme's invoice."""
    found = made_of(Row(document_id), line, charges([*SETTLED, *PAID_BY_CREDIT]), most)
    return [one.removeprefix("INV.2026-11.DE01.") for one in found]


def test_a_line_that_others_made_names_them() -> None:
    invoice = "INV.2026-11.DE01.acme.EUR"
    of_contract, others = [f"acme.EUR:{nth}" for nth in (1, 2)], [f"acme.EUR:{nth}" for nth in (1, 2, 3, 4, 5)]
    assert [made_of_line(invoice, line) for line in range(1, 6)] == [
        [],
        [],
        [],
        of_contract,
        [*of_contract, "acme.EUR:4"],
    ]
    # Neither credit nor taxes are made of credit.
    assert [made_of_line(invoice, line) for line in range(6, 11)] == [others] * 5


def test_a_line_of_a_journal_names_the_lines_that_it_summarizes() -> None:
    assert made_of_line("JRN.2026-11.DE01", 4) == ["acme.EUR:10", "bolt.EUR:2"]
    assert made_of_line("JRN.2026-11.DE01", 5) == ["acme.EUR:1", "acme.EUR:2", "acme.EUR:3", "bolt.EUR:1"]
    assert made_of_line("JRN.2026-11.DE01", 7) == ["acme.EUR:7", "acme.EUR:8"]
    assert made_of_line("JRN.2026-11.DE01", 1, most=2) == ["acme.EUR:1", "acme.EUR:2"]


def test_a_line_of_an_account_leads_to_no_charge_of_another() -> None:
    table = charges(SETTLED)
    for line, amounts in ((2, [186]), (4, [3_300, 2_900, 100, 1_000]), (5, [6_700]), (6, [-500])):
        found = charges_behind(Row("JRN.2026-11.DE01"), line, table)
        assert sorted(found["amount"].to_pylist()) == sorted(amounts)


def test_a_line_of_credit_leads_to_what_credit_paid() -> None:
    table = charges([*TWO_CUSTOMERS, *PAID_BY_CREDIT])
    assert charges_behind(Row("JRN.2026-11.DE01"), 2, table)["amount"].to_pylist() == [-400]
    assert charges_behind(Row("JRN.2026-11.DE01"), 5, table)["amount"].to_pylist() == [-100, -50]
    assert charges_behind(Row("INV.2026-11.DE01.acme.EUR"), 3, table)["product"].to_pylist() == ["Top-up 17"]


def test_every_line_comes_to_what_its_charges_come_to() -> None:
    for journal in journals(TABLE, "default", "2026-11"):
        for line in journal.lines:
            found = behind(journal.id, line.number)
            assert abs(sum(found["amount"].to_pylist())) == line.debit + line.credit
            assert (len(found), sum(found["events"].to_pylist())) == (line.charges, line.events)


def test_the_lines_of_invoices_cover_every_charge_once() -> None:
    invoices = Invoices(TABLE, "default", "2026-11")
    lines = [(i, n) for i in invoices.places for n in range(1, len(invoices.invoice(i).lines) + 1)]
    found = [behind(document_id, number)["line"][0].as_py() for document_id, number in lines]
    assert found == list(range(len(TABLE)))


@pytest.mark.parametrize(
    ("document_id", "line", "message"),
    [
        ("INV.2026-11.DE01.nobody.EUR", None, "the run made no charges for it"),
        ("JRN.2026-11.FR01", None, "the run made no charges for FR01"),
        ("INV.2026-11.DE01.acme.EUR", 3, "has no line 3: its lines are 1 to 2"),
        ("INV.2026-11.DE01.acme.EUR", 0, "has no line 0"),
        ("JRN.2026-11.DE01", 6, "has no line 6: its lines are 1 to 5"),
        ("C-1", None, "names no document"),
    ],
)
def test_what_is_not_there_is_told(document_id: str, line: int | None, message: str) -> None:
    with pytest.raises(UnknownDocument, match=message):
        behind(document_id, line)
