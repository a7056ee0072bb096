"""A journal's file is the same bytes every time: hledger's own syntax, a transaction for each currency."""

from posting.content import Journal
from posting.journal import journals
from posting.journal_file import parse, render
from tests.unit.posting.charging import TWO_CUSTOMERS, Charge, charges


def journal(*lines: Charge) -> Journal:
    return journals(charges(lines), "default", "2026-11")[0]


def test_a_journal_is_written_as_hledger_reads_it() -> None:
    written = journal(*TWO_CUSTOMERS)
    text = render(written).decode().splitlines()
    assert text[1] == "; key: default/JRN.2026-11.DE01"
    assert (
        text[4:]
        == [
            "decimal-mark .",
            "commodity EUR 1000.00",
            "commodity JPY 1000.",
            "account assets:receivable",
            "account revenue:API",
            "account revenue:Egress",
            "",
            "2026-11-30 * (JRN.2026-11.DE01) Usage 2026-11 EUR",
            "    assets:receivable  EUR 15.00  ; line:1, charges:4, events:12",
            "    revenue:API  EUR -12.00  ; line:2, charges:2, events:6",
            "    revenue:Egress  EUR -3.00  ; line:3, charges:2, events:6",
            "",
            "2026-11-30 * (JRN.2026-11.DE01) Usage 2026-11 JPY",
            "    assets:receivable  JPY 1999  ; line:4, charges:1, events:3",
            "    revenue:API  JPY -1999  ; line:5, charges:1, events:3",
            "",
        ][: len(text) - 4]
    )


def test_a_journal_read_back_says_the_same() -> None:
    written = journal(*TWO_CUSTOMERS, Charge("cust", -10_000, product="a  b; c:d (e)"))
    read = parse(render(written))
    assert isinstance(read, Journal)
    assert [line.text() for line in read.lines] == [line.text() for line in written.lines]
    assert read.balances() == written.balances()


def test_february_ends_when_it_does() -> None:
    leap = journals(charges([Charge()]), "default", "2028-02")[0]
    assert b"\n2028-02-29 * " in render(leap)
