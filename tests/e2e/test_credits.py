"""Credit from its grant to the journal: granted, drawn down by closes, shown, voided, and checked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Site, event


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service that holds 50 GB of acme in September and 100 GB in October, at 0.05 each."""
    site = Site(tmp_path_factory.mktemp("credits"))
    site.start()
    september = event(1, time="2026-09-15T00:00:00Z", data={"gb": "50"})
    october = [event(2, data={"gb": "100"}), event(3, subject="globex", data={"gb": 20})]
    assert site.send([september, *october]).json["accepted"] == 3
    yield site
    if site.service is not None:
        site.stop()


def grant(site: Site, grant_id: str, amount: str, *options: str) -> Any:
    kind = () if "--kind" in options else ("--kind", "prepaid")
    start = () if "--from" in options else ("--from", "2026-09-01")
    return site.asked(
        *("credits", "grant", grant_id, "--customer", "acme", "--amount", amount, "--currency", "EUR"),
        *kind,
        *start,
        *options,
    )


def left(site: Site, *options: str) -> dict[str, str]:
    return {one["id"]: one["balance"] for one in site.asked("credits", "balance", *options)["grants"]}


def test_credit_pays_invoices_until_it_is_used_up(site: Site) -> None:
    topup = grant(site, "topup-1", "3", "--name", "Top-up")
    assert (topup["new"], topup["amount"], topup["cost_basis"]) == (True, "3.00", "1")
    assert grant(site, "topup-1", "3", "--name", "Top-up")["new"] is False
    grant(site, "welcome", "1.50", "--kind", "promotional", "--expires", "2027-01-01", "--product", "Egress")
    grant(site, "oops", "99")
    site.asked("credits", "void", "oops", "--reason", "for somebody else")
    assert left(site, "--at", "2026-09-30") == {"topup-1": "3.00", "welcome": "1.50", "oops": "99.00"}
    assert left(site) == {"topup-1": "3.00", "welcome": "1.50", "oops": "0.00"}

    dry = site.asked("close", "2026-09", "--dry-run")
    closed = site.asked("close", "2026-09")
    # 2.50 of egress: the credit that was given away burns first.
    assert closed["totals"] == dry["totals"] == {"EUR": "0.00"}
    (invoice,) = site.asked("invoices", "2026-09")["invoices"]
    assert [(line["product"], line["amount"], line["events"]) for line in invoice["lines"]] == [
        ("Egress", "2.50", 1),
        ("Top-up", "-1.00", 0),
        ("welcome", "-1.50", 0),
    ]
    assert site.asked("close", "2026-10")["totals"] == {"EUR": "4.00"}  # acme 5.00 less 2.00, globex 1.00
    assert left(site) == {"topup-1": "0.00", "welcome": "0.00", "oops": "0.00"}
    assert left(site, "--at", "2026-10-30") == {"topup-1": "2.00", "welcome": "0.00", "oops": "0.00"}
    assert site.asked("verify")["ok"] is True


def test_a_run_that_another_one_drew_on_is_not_discarded(site: Site) -> None:
    done = site.run("close", "2026-09", "--discard", "a wrong price")
    assert done.status == 2
    assert "2026-10" in done.said
    first = site.asked("close", "2026-10")
    site.asked("close", "2026-10", "--discard", "a wrong price")
    assert left(site)["topup-1"] == "2.00"
    again = site.asked("close", "2026-10")
    assert again["manifest"] == first["manifest"]
    assert left(site)["topup-1"] == "0.00"


def test_the_journal_says_what_credit_paid_and_its_lines_can_be_traced(site: Site) -> None:
    site.asked("approve", "2026-09")
    posted = site.asked("post", "2026-09")["documents"]
    assert {one["state"] for one in posted} == {"posted"}
    journal = next(one for one in posted if one["kind"] == "journal")
    text = Path(journal["file"]).read_text()
    assert "    liabilities:customer credit  EUR 1.00  ;" in text
    assert "    revenue:less credit:promotional  EUR 1.50  ;" in text
    assert "    assets:receivable  EUR 0.00  ;" in text
    traced = site.asked("trace", f"{journal['id']}:2")
    assert (traced["events"], traced["charges"], traced["ok"]) == (0, 1, True)
    invoice = "INV.2026-09.DE01.acme.EUR"
    assert traced["made_of"] == [f"{invoice}:2"]
    assert traced["paid_by_credit"] == [
        {
            "grant": "topup-1",
            "line": f"{invoice}:1",
            "product": "Egress",
            "at": "2026-09-30T23:59:59.999Z",
            "amount": "1.00",
        }
    ]
    assert "topup-1" in site.run("trace", f"{invoice}:2").output
    assert site.asked("verify")["ok"] is True


def test_what_is_asked_over_http_is_what_the_command_says(site: Site) -> None:
    asked = site.read("/v1/credits?customer=acme&at=2026-10-30").json
    assert asked == site.asked("credits", "balance", "--customer", "acme", "--at", "2026-10-30")
    assert asked["balances"] == [{"customer": "acme", "currency": "EUR", "balance": "2.00"}]
    assert site.read("/v1/credits?customer=globex").json["grants"] == []
    assert site.read("/v1/credits?at=yesterday").status == 400
    assert [one["id"] for one in site.asked("credits", "list")["grants"]] == ["topup-1", "welcome", "oops"]


def test_what_makes_no_sense_ends_with_status_2_and_says_why(site: Site) -> None:
    words = ("--customer", "acmee", "--amount", "3", "--currency", "EUR", "--kind", "prepaid")
    done = site.run("credits", "grant", "new", *words)
    assert (done.status, "did you mean acme?" in done.said) == (2, True), done.said
    done = site.run("credits", "void", "oops", "--reason", "again")
    assert (done.status, "for somebody else" in done.said) == (2, True), done.said


def test_a_top_up_brings_its_bonus_and_both_say_who_granted_them(site: Site) -> None:
    words = ("--from", "2026-11-01", "--bonus", "50:5%", "--bonus", "100:12", "--bonus-expires", "2027-02-01")
    done = grant(site, "topup-2", "80", *words, "--actor", "ann")
    assert (done["amount"], done["created_by"], done["expires"]) == ("80.00", "ann", None)
    bonus = done["bonus"]
    assert (bonus["id"], bonus["kind"], bonus["amount"]) == ("topup-2.bonus", "promotional", "4.00")
    assert (bonus["expires"], bonus["created_by"], bonus["new"]) == ("2027-02-01", "ann", True)
    again = grant(site, "topup-2", "80", *words, "--actor", "bob")
    assert (again["new"], again["bonus"]["new"], again["bonus"]["created_by"]) == (False, False, "ann")
    other = site.run(
        *("credits", "grant", "topup-2", "--customer", "acme", "--amount", "80", "--currency", "EUR"),
        *("--kind", "prepaid", "--from", "2026-11-01", "--bonus", "9"),
    )
    assert (other.status, "topup-2.bonus is there with other terms" in other.said) == (2, True), other.said
    site.asked("credits", "void", "topup-2.bonus", "--reason", "a test", "--actor", "bob")
    listed = {one["id"]: one for one in site.asked("credits", "list")["grants"]}
    assert (listed["topup-2.bonus"]["voided_by"], listed["topup-2"]["voided_by"]) == ("bob", None)


def test_credit_is_spent_as_the_catalog_says(site: Site) -> None:
    file = site.directory / "spending.yaml"
    credit = "{order: [kind prepaid<promotional], drawn: daily, overage: carried}"
    file.write_text(f"customers: [{{id: globex, subjects: [globex], credit: {credit}}}]\n")
    (change,) = site.asked("apply", str(file))["changes"]
    assert change["after"].endswith(
        "; credit burns day by day by kind prepaid<promotional, and what it does not suffice for is carried over"
    )
    of_globex = ("--customer", "globex", "--from", "2026-10-01")
    grant(site, "gift", "0.25", *of_globex, "--kind", "promotional", "--expires", "2026-10-10")
    grant(site, "paid", "0.60", *of_globex, "--kind", "prepaid")
    site.asked("close", "2026-10", "--discard", "credit came late")
    # 1.00 on October 4th: paid credit first, then the gift before it is gone.
    closed = site.asked("close", "2026-10")
    assert closed["totals"] == {"EUR": "3.00"}
    assert left(site, "--at", "2026-10-03")["gift"] == "0.25"
    assert (left(site)["paid"], left(site)["gift"]) == ("0.00", "0.00")
    (invoice,) = (one for one in site.asked("invoices", "2026-10")["invoices"] if one["customer"] == "globex")
    assert [(line["product"], line["amount"]) for line in invoice["lines"]] == [
        *(("Egress", "1.00"), ("paid", "-0.60"), ("gift", "-0.25"), ("Egress", "-0.15")),
    ]
    site.asked("approve", "2026-10")
    (by_gift,) = site.asked("trace", f"{invoice['id']}:3")["paid_by_credit"]
    assert (by_gift["grant"], by_gift["at"], by_gift["amount"]) == ("gift", "2026-10-04T23:59:59.999Z", "0.25")
    assert site.asked("trace", f"{invoice['id']}:4")["made_of"] == [f"{invoice['id']}:1"]
    assert "later credit pays" in site.run("explain", f"{invoice['id']}:4", "--json").output
    journal = next(one for one in site.asked("post", "2026-10")["documents"] if one["kind"] == "journal")
    assert "    assets:usage carried over  EUR 0.15  ;" in Path(journal["file"]).read_text()
    assert site.asked("verify", "--run", str(closed["run"]))["ok"] is True
    assert site.asked("verify")["ok"] is True
