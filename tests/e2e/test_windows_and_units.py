"""A quarter's commitment over three invoices, at prices in credits: worked out by hand, explained, and taken back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.billed import lines_of
from tests.e2e.site import Site, event

CATALOG = """
meters:
  - {name: gb_out, event_type: egress, aggregation: sum, value: gb, unit: GB}
plans:
  - name: standard
    currency: EUR
    pricing_unit: {name: credits, rates: [{rate: "0.10"}, {from: 2026-09-01, rate: "0.125"}]}
    prices:
      - {product: Egress, meter: gb_out, model: per_unit, unit_price: "9.99"}
customers:
  - {id: acme, subjects: [acme-prod]}
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-08-01,
     commitment: {product: Minimum, amount: 20, months: 3, true_up: true, overage_factor: "1.5"}}
"""
MONTHS = ("2026-08", "2026-09", "2026-10")
USED = ("11", "6", "10")
"""GB."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service that holds what acme used in three months."""
    site = Site(tmp_path_factory.mktemp("windows"), CATALOG)
    site.start()
    used = [
        event(nth, time=f"{month}-15T00:00:00Z", data={"gb": gb})
        for nth, (month, gb) in enumerate(zip(MONTHS, USED, strict=True))
    ]
    assert site.send(used).json["accepted"] == 3
    yield site
    if site.service is not None:
        site.stop()


def lines(site: Site, month: str) -> list[Any]:
    (invoice,) = site.asked("invoices", month)["invoices"]
    return list(lines_of(invoice))


def document(month: str) -> str:
    return f"INV.{month}.DE01.acme.EUR"


def test_a_months_invoice_goes_on_from_those_before_it(site: Site) -> None:
    site.asked("close", MONTHS[0])
    early = site.run("close", MONTHS[2])
    assert early.status == 2
    assert "2026-09 is not closed, and 2026-10 depends on it" in early.said
    for month in MONTHS[1:]:
        dry = site.asked("close", month, "--dry-run")
        assert site.asked("close", month)["totals"] == dry["totals"]
    # 109.89 credits at 0.10, then 59.94 and 99.9 at 0.125. The window has 18.48 by September, and 30.97 by October:
    # 10.97 are beyond it, and half as much again is owed for them.
    assert [lines(site, month) for month in MONTHS] == [
        [("usage", "Egress", "10.99")],
        [("usage", "Egress", "7.49")],
        [("usage", "Egress", "12.49"), ("commitment", "Minimum", "5.49")],
    ]


def test_every_line_is_explained_to_its_end(site: Site) -> None:
    found = site.asked("explain", document(MONTHS[2]))
    usage, commitment = found["explained"]
    assert found["ok"] is True
    assert usage["derivation"]["summary"] == "10 GB -> x 0.125 EUR -> rounding +0.0025 = 12.49 EUR"
    assert [step["text"] for step in usage["derivation"]["steps"]][-2:] == [
        "99.9 x 0.125 = 12.4875 EUR",
        "12.4875 to the nearest 0.01 = 12.49 EUR",
    ]
    assert commitment["derivation"]["summary"] == (
        "committed for 2026-08 to 2026-10 20.00 EUR, charged before 18.48 EUR, charged for 2026-10 12.49 EUR, "
        "10.97 EUR beyond it x 1.5 -> rounding +0.005 = 5.49 EUR"
    )
    assert commitment["price"].startswith("commits to 20 in 3 months (Minimum: what is missing is charged")
    read = site.run("explain", f"{document(MONTHS[2])}:2").output
    assert "re-evaluated: ok" in read


def test_a_file_with_other_rates_says_what_would_change(site: Site, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(
        "plans: [{name: standard, currency: EUR, prices: [], pricing_unit: {name: credits, rate: 0.05}}]\n"
    )
    (change,) = site.asked("apply", str(draft), "--dry-run")["changes"]
    assert (change["before"], change["after"]) == (
        "in EUR; priced in credits at 0.1 EUR, 0.125 EUR from 2026-09-01",
        "in EUR; priced in credits at 0.05 EUR",
    )
    told = site.asked("what-if", str(draft), "--period", "2026")
    # 269.73 credits are 5.49 and 3.00 and 5.00: 6.51 are missing in the last of the months.
    assert (told["totals"]["EUR"]["before"], told["totals"]["EUR"]["after"]) == ("36.46", "20.00")


def test_a_month_is_taken_back_after_those_that_count_it(site: Site) -> None:
    refused = site.run("close", MONTHS[0], "--discard", "to look again")
    assert refused.status == 2
    assert "counts for a commitment that run 2 of 2026-09 has settled: discard that first" in refused.said
    before = site.asked("close", MONTHS[2])
    for month in reversed(MONTHS):
        site.asked("close", month, "--discard", "to look again")
    again = [site.asked("close", month) for month in MONTHS]
    assert again[2]["manifest"] == before["manifest"]
    for run in (1, 3, again[2]["run"]):
        assert site.asked("verify", "--run", str(run))["ok"] is True
    assert site.asked("verify")["ok"] is True
