"""Contracts with months of their own and fees by the quarter and year, from a file through a close to an invoice."""

from pathlib import Path
from typing import Any

from tests.e2e.site import Site, event

CATALOG = """
meters:
  - {name: gb_out, event_type: egress, aggregation: sum, value: gb, unit: GB}
plans:
  - name: standard
    currency: EUR
    prices:
      - {product: Egress, meter: gb_out, model: per_unit, unit_price: 1}
      - {product: Platform, model: flat, amount: 30}
      - {product: Support, model: flat, amount: 1200, interval: year}
  - name: by-quarter
    currency: EUR
    prices: [{product: Platform, model: flat, amount: 300, interval: quarter}]
customers:
  - {id: acme, subjects: [acme-prod]}
  - {id: globex, subjects: [globex]}
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-09-20, anchor: 15, timezone: Europe/Berlin}
  - {id: C-2, customer: globex, plan: by-quarter, entity: DE01, start: 2026-03-31, anchor: 31}
"""
DEARER = "plans: [{name: standard, currency: EUR, prices: [{product: Platform, model: flat, amount: 60}]}]"
TIMES = ["2026-09-19T21:59:59.999Z", "2026-09-19T22:00:00Z", "2026-10-14T21:59:59.999Z", "2026-10-14T22:00:00Z"]
"""Around Berlin's midnights before the contract begins, and after its first period ends."""


def lines(site: Site, period: str) -> dict[str, list[tuple[str, str]]]:
    invoices: list[dict[str, Any]] = site.asked("invoices", period)["invoices"]
    return {one["customer"]: [(line["product"], line["amount"]) for line in one["lines"]] for one in invoices}


def test_a_contract_is_billed_by_its_own_months_and_in_advance(tmp_path: Path) -> None:
    site = Site(tmp_path, CATALOG)
    site.start()
    assert site.send([event(nth, time=time, data={"gb": str(10**nth)}) for nth, time in enumerate(TIMES)]).status == 200
    closed = site.asked("close", "2026-09")
    assert closed["complete"]
    assert lines(site, "2026-09") == {
        # 25 of the 30 days from 15 September to 15 October, and the year that begins on the 20th.
        "acme": [("Egress", "110.00"), ("Platform", "25.00"), ("Support", "1200.00")],
        # The third quarter begins on 30 September, which has no 31st.
        "globex": [("Platform", "300.00")],
    }
    (unrated,) = closed["unrated"]
    assert (unrated["reason"], unrated["quantity"]) == ("no_contract", "1")
    site.asked("close", "2026-10")
    assert lines(site, "2026-10") == {"acme": [("Egress", "1000.00"), ("Platform", "30.00")]}
    for invoice in site.asked("invoices", "2026-09")["invoices"]:
        for explained in site.asked("explain", invoice["id"])["explained"]:
            assert (explained["problems"], explained["derivation"] is None) == ([], False)
        assert all(site.asked("trace", f"{invoice['id']}:{nth}")["ok"] for nth in range(1, len(invoice["lines"]) + 1))
    draft = tmp_path / "draft.yaml"
    draft.write_text(DEARER)
    found = site.asked("what-if", str(draft), "--period", "2026")
    assert found["totals"]["EUR"]["change"] == "55.00"
    assert {period["from"] for period in found["periods"].values()} == {"charges"}
    moved = tmp_path / "moved.yaml"
    moved.write_text(CATALOG.replace("anchor: 15", "anchor: 1"))
    refused = site.run("apply", str(moved))
    assert (refused.status, "C-1 has periods from day 15 of the month" in refused.said) == (2, True)
    site.asked("approve", "2026-09")
    assert all(document["state"] == "posted" for document in site.asked("post", "2026-09")["documents"])
    assert site.asked("verify")["ok"]
    assert site.stop() == 0
