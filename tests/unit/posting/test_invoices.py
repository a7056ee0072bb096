"""An invoice is what one customer of one entity owes in one currency, digest and all."""

import pyarrow as pa

from posting.content import digest
from posting.invoices import Invoices
from tests.unit.posting.charging import TWO_CUSTOMERS, Charge, charges


def test_charges_become_one_invoice_for_each_entity_customer_and_currency() -> None:
    drafts = Invoices(charges(TWO_CUSTOMERS), "default", "2026-11").drafts()
    assert dict(zip(drafts.id, zip(drafts.total, drafts.lines, drafts.events, strict=True), strict=True)) == {
        "INV.2026-11.DE01.acme.EUR": (1_550, 2, 7),
        "INV.2026-11.DE01.bolt.EUR": (-50, 2, 5),
        "INV.2026-11.DE01.bolt.JPY": (1_999, 1, 3),
        "INV.2026-11.KW-1.acme.KWD": (12_345, 1, 3),
    }
    assert drafts.key[0] == "default/INV.2026-11.DE01.acme.EUR"


def test_the_digest_made_from_columns_is_the_one_made_from_the_document() -> None:
    table = charges(TWO_CUSTOMERS)
    chunked = pa.concat_tables([table.slice(0, 2), table.slice(2)])
    invoices = Invoices(chunked, "default", "2026-11")
    assert invoices.digests() == [digest(invoices.invoice(document_id)) for document_id in invoices.places]


def test_the_digest_tells_any_field_of_a_line_from_another() -> None:
    changes: list[dict[str, object]] = [
        {},
        {"amount": 1_251},
        {"product": "API2"},
        {"meter": "api_call"},
        {"plan": "other"},
        {"contract": "C-2"},
        {"quantity": "12.500000001"},
        {"events": 4},
        {"window_start": 1},
        {"window_end": 2},
        {"digest": b"\x02" * 16},
    ]
    tables = [charges([Charge(**change)]) for change in changes]  # type: ignore[arg-type]
    digests = {Invoices(table, "default", "2026-11").digests()[0] for table in tables}
    assert len(digests) == len(changes)
    assert Invoices(tables[0], "other", "2026-11").digests()[0] not in digests


def test_a_run_repeated_under_another_number_makes_the_same_invoices() -> None:
    first, again = (Invoices(charges(TWO_CUSTOMERS, run), "default", "2026-11").drafts() for run in (1, 2))
    assert first == again


def test_an_invoice_says_what_its_charges_say() -> None:
    invoice = Invoices(charges(TWO_CUSTOMERS), "default", "2026-11").invoice("INV.2026-11.DE01.acme.EUR")
    assert [(line.product, line.quantity, line.amount) for line in invoice.lines] == [
        ("API", 12_500_000_000, 1_250),
        ("Egress", 60_000_000_000, 300),
    ]
    assert invoice.lines[0].usage_digest == "01" * 16
    assert invoice.balances() == {("acme", "EUR"): 1_550}


def test_no_charges_make_no_invoices() -> None:
    assert Invoices(charges([]), "default", "2026-11").drafts().id == []
