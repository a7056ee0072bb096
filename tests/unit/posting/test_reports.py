"""What scripts read: decimal text, and every document with its state."""

from posting import reports
from tests.contract.memory_erp import MemoryErp
from tests.unit.posting.charging import TWO_CUSTOMERS, charges
from tests.unit.posting.posted import PERIOD, Books


def test_invoices_are_told_with_lines_in_decimal_text() -> None:
    told = reports.invoices(charges(TWO_CUSTOMERS), "default", PERIOD)["invoices"]
    assert [(invoice["id"], invoice["total"]) for invoice in told] == [
        ("INV.2026-11.DE01.acme.EUR", "15.50"),
        ("INV.2026-11.DE01.bolt.EUR", "-0.50"),
        ("INV.2026-11.DE01.bolt.JPY", "1999"),
        ("INV.2026-11.KW-1.acme.KWD", "12.345"),
    ]
    assert told[0] == {
        "id": "INV.2026-11.DE01.acme.EUR",
        "customer": "acme",
        "entity": "DE01",
        "currency": "EUR",
        "total": "15.50",
        "lines": [
            {
                "contract": "C-1",
                "product": "API",
                "kind": "usage",
                "meter": "api_calls",
                "quantity": "12.5",
                "amount": "12.50",
                "events": 3,
            },
            {
                "contract": "C-1",
                "product": "Egress",
                "kind": "usage",
                "meter": "gb_out",
                "quantity": "60",
                "amount": "3.00",
                "events": 4,
            },
        ],
    }


def test_documents_are_told_with_their_state_and_where_they_are() -> None:
    books = Books()
    books.post(MemoryErp(script=["rejected"]))
    with books.engine.connect() as connection:
        told = reports.documents(connection, "default", PERIOD)["documents"]
    assert told[0] == {
        "id": "INV.2026-11.DE01.acme.EUR",
        "kind": "invoice",
        "key": "default/INV.2026-11.DE01.acme.EUR",
        "state": "parked",
        "reference": None,
        "file": None,
        "error": "the account is closed",
    }
    assert (told[-1]["kind"], told[-1]["state"]) == ("journal", "posted")
