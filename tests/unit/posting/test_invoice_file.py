"""An invoice's file is the same bytes every time, and no cell of it runs in a spreadsheet."""

import pytest

from posting.content import Document, Invoice
from posting.invoice_file import guarded, parse, render, unguarded
from posting.making import maker
from tests.unit.posting.charging import TWO_CUSTOMERS, Charge, charges


def invoice(document_id: str, lines: tuple[Charge, ...] = TWO_CUSTOMERS) -> Invoice:
    found: Document = maker(charges(lines), "default", "2026-11")(document_id)
    assert isinstance(found, Invoice)
    return found


def test_an_invoice_is_written_with_its_key_digest_and_total_on_top() -> None:
    text = render(invoice("INV.2026-11.DE01.acme.EUR")).decode().splitlines()
    assert text[0] == "# key,default/INV.2026-11.DE01.acme.EUR"
    assert text[1].startswith("# digest,")
    assert text[2:] == [
        "# total,15.50,EUR",
        "line,product,kind,meter,contract,plan,from,to,quantity,events,amount,currency,usage_digest",
        "1,API,usage,api_calls,C-1,standard,2026-11-01T00:00:00.000Z,2026-12-01T00:00:00.000Z,12.5,3,12.50,EUR,"
        + "01" * 16,
        "2,Egress,usage,gb_out,C-1,standard,2026-11-01T00:00:00.000Z,2026-12-01T00:00:00.000Z,60,4,3.00,EUR,"
        + "01" * 16,
    ]


@pytest.mark.parametrize(
    "product", ["=1+1", "+1", "-1", "@SUM(A1)", "'quoted", "''", 'say "hi", twice', "Größe, 世界", " "]
)
def test_any_product_is_read_back_as_it_is(product: str) -> None:
    written = invoice("INV.2026-11.DE01.acme.EUR", (Charge(product=product),))
    assert parse(render(written)) == written


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'x"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert guarded(text) == "'" + text
    assert unguarded(guarded(text)) == text


def test_a_negative_number_stays_a_number() -> None:
    text = render(invoice("INV.2026-11.DE01.bolt.EUR")).decode()
    assert ",-0.50,EUR," in text
