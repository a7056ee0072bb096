"""A commitment, a discount, credit of both kinds and a tax on one invoice: worked out by hand, followed to the ERP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.billed import accounts, check_balance, lines_of
from tests.e2e.site import Site, event

CATALOG = """
meters:
  - {name: gb_out, event_type: egress, aggregation: sum, value: gb, unit: GB}
plans:
  - name: standard
    currency: EUR
    prices:
      - {product: Egress, meter: gb_out, model: per_unit, unit_price: "10"}
customers:
  - {id: acme, subjects: [acme-prod], tax_place: DE}
  - {id: globex, subjects: [globex], tax_place: DE}
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-01-01,
     commitment: {product: Minimum, amount: 100, true_up: true}, discounts: [{name: Launch, percent: 10}]}
  - {id: C-2, customer: globex, plan: standard, entity: DE01, start: 2026-01-01}
taxes:
  - {name: VAT, rate: 19, place: DE}
"""
MONTH = "2026-10"
INVOICE = f"INV.{MONTH}.DE01.acme.EUR"
OTHER = f"INV.{MONTH}.DE01.globex.EUR"
JOURNAL = f"JRN.{MONTH}.DE01"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service that holds 2.5 GB of acme, at 10.00 each, and 1 GB of globex, and credit of both."""
    site = Site(tmp_path_factory.mktemp("everything"), CATALOG)
    site.start()
    used = [event(n, data={"gb": "0.5"}) for n in range(5)] + [event(9, subject="globex", data={"gb": 1})]
    assert site.send(used).json["accepted"] == 6
    grant(site, "topup", "acme", "50", "prepaid", "--name", "Top-up")
    grant(site, "hello", "acme", "30", "promotional", "--name", "Welcome", "--product", "Egress")
    grant(site, "ahead", "globex", "100", "prepaid", "--name", "Prepaid")
    yield site
    if site.service is not None:
        site.stop()


def grant(site: Site, grant_id: str, customer: str, amount: str, kind: str, *options: str) -> None:
    """Credit from the first of October on."""
    terms = ("--customer", customer, "--amount", amount, "--currency", "EUR", "--kind", kind, "--from", "2026-10-01")
    site.asked("credits", "grant", grant_id, *terms, *options)


def left(site: Site) -> dict[str, str]:
    return {one["id"]: one["balance"] for one in site.asked("credits", "balance")["grants"]}


def test_credit_pays_what_is_agreed_and_no_taxes(site: Site) -> None:
    dry = site.asked("close", MONTH, "--dry-run")
    closed = site.asked("close", MONTH)
    # 25.00 used and 75.00 missing, less 10 %: 90.00, of which 22.50 for egress and 67.50 for the rest; 19 % of 90.00
    # are 17.10. What was given away pays all of the egress, and what was paid for pays 50.00 of the rest. globex has
    # 10.00 paid for it, and owes the 1.90 of tax on them.
    assert closed["totals"] == dry["totals"] == {"EUR": "36.50"}
    assert (closed["rounding"], closed["charges"], closed["events"]) == ({"EUR": "0"}, 9, 6)
    invoices = {invoice["customer"]: invoice for invoice in site.asked("invoices", MONTH)["invoices"]}
    assert lines_of(invoices["acme"]) == [
        ("usage", "Egress", "25.00"),
        ("commitment", "Minimum", "75.00"),
        ("discount", "Launch", "-10.00"),
        ("credit", "Top-up", "-50.00"),
        ("promotion", "Welcome", "-22.50"),
        ("tax", "VAT", "17.10"),
    ]
    assert lines_of(invoices["globex"]) == [
        ("usage", "Egress", "10.00"),
        ("credit", "Prepaid", "-10.00"),
        ("tax", "VAT", "1.90"),
    ]
    assert (invoices["acme"]["total"], invoices["globex"]["total"]) == ("34.60", "1.90")
    assert left(site) == {"topup": "0.00", "hello": "7.50", "ahead": "90.00"}


def test_a_close_taken_back_is_still_verified_and_comes_out_the_same_again(site: Site) -> None:
    first = site.asked("close", MONTH)
    site.asked("close", MONTH, "--discard", "to look again")
    assert left(site) == {"topup": "50.00", "hello": "30.00", "ahead": "100.00"}
    again = site.asked("close", MONTH)
    assert again["run"] != first["run"]
    assert again["manifest"] == first["manifest"]
    assert left(site) == {"topup": "0.00", "hello": "7.50", "ahead": "90.00"}
    for run in (first["run"], again["run"]):
        assert site.asked("verify", "--run", str(run))["ok"] is True
    looked_back = site.asked("close", MONTH, "--dry-run", "--cutoff", again["cutoff"])
    assert (looked_back["manifest"], looked_back["totals"]) == (again["manifest"], again["totals"])


def test_the_journal_balances_with_one_line_for_an_account(site: Site) -> None:
    site.asked("approve", MONTH)
    posted = site.asked("post", MONTH)["documents"]
    assert {one["state"] for one in posted} == {"posted"}
    (journal,) = (Path(one["file"]) for one in posted if one["kind"] == "journal")
    assert accounts(journal) == {
        "assets:receivable": "36.50",
        "liabilities:customer credit": "60.00",
        "liabilities:tax payable:VAT": "-19.00",
        "revenue:Egress": "-35.00",
        "revenue:Minimum": "-75.00",
        "revenue:less credit:promotional": "22.50",
        "revenue:less discounts:Launch": "10.00",
    }
    check_balance(journal)


def traced(site: Site, line: str) -> tuple[int, list[str], list[tuple[str, ...]]]:
    """How many events a line leads to, the lines it was made of, and what which grant paid of which line."""
    found: dict[str, Any] = site.asked("trace", line)
    assert found["ok"] is True
    return found["events"], found["made_of"], [tuple(one.values()) for one in found["paid_by_credit"]]


def test_every_line_leads_to_what_it_was_made_of(site: Site) -> None:
    month_end = "2026-10-31T23:59:59.999Z"
    of_topup = ("topup", f"{INVOICE}:2", "Minimum", month_end, "50.00")
    of_hello = ("hello", f"{INVOICE}:1", "Egress", month_end, "22.50")
    of_ahead = ("ahead", f"{OTHER}:1", "Egress", month_end, "10.00")
    before_credit = [f"{INVOICE}:{number}" for number in (1, 2, 3)]
    assert traced(site, f"{INVOICE}:1") == (5, [], [])
    assert traced(site, f"{INVOICE}:4") == (0, before_credit, [of_topup])
    assert traced(site, f"{INVOICE}:5") == (0, before_credit, [of_hello])
    assert traced(site, f"{INVOICE}:6") == (0, before_credit, [])
    assert traced(site, f"{JOURNAL}:2") == (0, [f"{INVOICE}:4", f"{OTHER}:2"], [of_topup, of_ahead])
    assert traced(site, f"{JOURNAL}:3") == (0, [f"{INVOICE}:6", f"{OTHER}:3"], [])
    assert traced(site, f"{JOURNAL}:4") == (6, [f"{INVOICE}:1", f"{OTHER}:1"], [])
    assert traced(site, f"{JOURNAL}:6") == (0, [f"{INVOICE}:5"], [of_hello])
    explained = site.asked("explain", f"{INVOICE}:4")["explained"]
    assert [one["message"] for one in explained] == ["made by credit: `trace` says by which grants"]


def test_everything_is_verified_and_other_prices_are_seen_before_credit(site: Site, tmp_path: Path) -> None:
    assert site.asked("verify")["ok"] is True
    draft = tmp_path / "draft.yaml"
    draft.write_text("taxes:\n  - {name: VAT, rate: 20, place: DE}\n")
    told = site.asked("what-if", str(draft), "--period", MONTH)
    assert (told["totals"]["EUR"]["before"], told["totals"]["EUR"]["change"]) == ("119.00", "1.00")
