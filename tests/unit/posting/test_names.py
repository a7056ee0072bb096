"""A document's id says what it is, in one way only."""

import pytest

from posting.names import Name, UnknownDocument, read_id, read_key


def test_an_invoices_id_says_its_parties_even_with_dots_in_the_customer() -> None:
    assert read_id("INV.2026-11.DE01.acme.eu.v2.EUR") == Name("2026-11", "DE01", "acme.eu.v2", "EUR")
    assert read_id("INV.2026-11.DE01.acme.EUR").kind == "invoice"


def test_a_journals_id_says_its_entity() -> None:
    assert read_id("JRN.2026-11.DE01") == Name("2026-11", "DE01")
    assert read_id("JRN.2026-11.DE01").kind == "journal"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "INV.2026-11.DE01.acme",
        "INV.2026-13.DE01.acme.EUR",
        "JRN.2026-11.DE01.EUR",
        "JRN.2026-11.../../etc",
        "INV.2026-11.DE01.a/b.EUR",
        "INV.2026-11.DE01.acme.EUR\n",
        "INV.２０２６-11.DE01.acme.EUR",
    ],
)
def test_what_names_no_document_is_refused(text: str) -> None:
    with pytest.raises(UnknownDocument, match="names no document"):
        read_id(text)


@pytest.mark.parametrize("key", ["", "JRN.2026-11.DE01", "/JRN.2026-11.DE01", "../JRN.2026-11.DE01", "a b/x"])
def test_a_key_without_a_tenant_is_refused(key: str) -> None:
    with pytest.raises(UnknownDocument, match="expected <tenant>/<id>"):
        read_key(key)
