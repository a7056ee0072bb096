"""A person asks why a line is what it is: step by step, evaluated again, and told where something was changed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rating.derivation_check import problems
from tests.e2e.site import Site, event

CATALOG = """
meters:
  - {name: api_calls, event_type: api.request, aggregation: count, dimensions: {region: region}}
  - {name: gb_out, event_type: egress, aggregation: sum, value: gb, unit: GB, dimensions: {region: region}}
  - {name: paid, event_type: payment, aggregation: sum, value: amount, unit: EUR}
  - {name: seats, event_type: seat, aggregation: sum, value: seats}
plans:
  - name: standard
    currency: EUR
    prices:
      - product: API
        meter: api_calls
        model: graduated
        free_units: 3
        tiers: [{up_to: 10, unit_price: "0.005"}, {unit_price: "0.0035", flat_fee: 1}]
        adjustments: [{percent_off: 10}, {minimum: 1}]
      - product: Egress
        meter: gb_out
        model: matrix
        dimensions: [region]
        cells: [{region: eu, unit_price: "0.05"}, {region: us, unit_price: "0.07"}]
        default: "0.1"
      - {product: Payments, meter: paid, model: percentage, percent: "1.5", fee: "0.10", free_amount: 100, most: 3}
      - {product: Seats, meter: seats, model: volume, tiers: [{up_to: 5, unit_price: 8}, {unit_price: 7}]}
      - {product: Support, model: flat, amount: 29}
      - {product: Platform, model: flat, amount: 100, from: 2027-01-01}
customers:
  - {id: acme, name: Acme GmbH, subjects: [acme-prod, acme-test]}
  - {id: globex, name: Globex, subjects: [globex]}
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-10-16, timezone: Europe/Berlin}
  - id: C-2
    customer: globex
    plan: standard
    entity: DE01
    start: 2026-01-01
    prices: [{product: Seats, meter: seats, model: package, package_size: 4, package_price: 30}]
"""
ACME, GLOBEX = "INV.2026-10.DE01.acme.EUR", "INV.2026-10.DE01.globex.EUR"
API, EGRESS, PAYMENTS, SEATS, SUPPORT = 1, 2, 3, 4, 5

TAMPER = """
import sys
from pathlib import Path
from ledger.engine import EngineSettings, open_handle

with open_handle(EngineSettings(path=str(Path(sys.argv[1]) / "clickhouse"))) as handle:
    handle.execute(f"ALTER TABLE charges UPDATE {sys.argv[2]} SETTINGS mutations_sync = 2")
"""


def usage() -> list[dict[str, Any]]:
    """Of acme in the second half of October, and seats of globex."""
    calls = [event(n, type="api.request", time=f"2026-10-{17 + n % 10}T10:00:00.000Z") for n in range(20)]
    regions = ["eu", "us", "eu", "mars"]
    egress = [
        event(100 + n, time=f"2026-10-{20 + n}T10:00:00.000Z", data={"gb": "1.5", "region": region})
        for n, region in enumerate(regions)
    ]
    payments = [
        event(200 + n, type="payment", time=f"2026-10-20T10:{n:02}:00.000Z", data={"amount": f"{n * 10}.05"})
        for n in range(30)
    ]
    seats = [
        event(300, type="seat", time="2026-10-20T10:00:00.000Z", data={"seats": 6}),
        event(301, type="seat", subject="globex", data={"seats": 6}),
    ]
    return calls + egress + payments + seats


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """October closed, and the service stopped: the commands open the ledger themselves."""
    site = Site(tmp_path_factory.mktemp("explain"), CATALOG)
    site.start()
    sent = usage()
    assert site.send(sent).json["accepted"] == len(sent)
    site.asked("close", "2026-10")
    yield site
    if site.service is not None:
        site.stop()


def explained(site: Site, line: int, document: str = ACME) -> dict[str, Any]:
    found = site.asked("explain", f"{document}:{line}")
    (charge,) = found["explained"]
    return dict(charge)


def texts(charge: dict[str, Any]) -> list[str]:
    return [f"{step['what']}: {step['text']}" for step in charge["derivation"]["steps"]]


def test_every_line_of_an_invoice_is_derived_and_holds(site: Site) -> None:
    invoices = {invoice["id"]: invoice for invoice in site.asked("invoices", "2026-10")["invoices"]}
    for name in (ACME, GLOBEX):
        found = site.asked("explain", name)
        assert found["ok"]
        assert [one["product"] for one in found["explained"]] == [one["product"] for one in invoices[name]["lines"]]
        for one, line in zip(found["explained"], invoices[name]["lines"], strict=True):
            assert (one["stored"]["amount"], one["ok"]) == (line["amount"], True)
            assert problems(one["derivation"]) == []


def test_tiers_are_told_with_what_each_holds_and_what_comes_off(site: Site) -> None:
    # 20 calls, 3 free: 10 at 0.005 and 7 at 0.0035 and 1 flat, together 1.0745; less 10 % 0.96705; 1 at least.
    charge = explained(site, API)
    assert texts(charge) == [
        "measured: 20 api_calls",
        "the first 3 are included: 20 - 3 = 17 api_calls",
        "tier 1 up to 10 holds: 10 api_calls",
        "tier 1 at 0.005: 10 x 0.005 = 0.05 EUR",
        "tier 2 above 10 holds: 17 - 10 = 7 api_calls",
        "tier 2 at 0.0035: 7 x 0.0035 = 0.0245 EUR",
        "tier 2, flat fee: 1.00 EUR",
        "together: 0.05 + 0.0245 + 1 = 1.0745 EUR",
        "discount of 10 %: 1.0745 x 10 % = 0.10745 EUR",
        "less the discount: 1.0745 - 0.10745 = 0.96705 EUR",
        "missing to the least of 1: 1 - 0.96705 = 0.03295 EUR",
        "together: 0.96705 + 0.03295 = 1.00 EUR",
        "rounded: 1 to the nearest 0.01 = 1.00 EUR",
    ]
    assert charge["stored"] == {"exact": "1", "amount": "1.00"}


def test_a_fee_is_told_by_the_days_it_is_owed_for(site: Site) -> None:
    charge = explained(site, SUPPORT)
    assert texts(charge) == [
        "days of the month: 16 of 31 = 16/31 (about 0.5161)",
        "at 29: 16/31 x 29 = 464/31 (about 14.9677) EUR",
        "rounded: 464/31 to the nearest 0.01 = 14.97 EUR",
    ]
    assert charge["derivation"]["residual"] == "7/3100"
    assert charge["derivation"]["summary"] == (
        "29.00 EUR a month x 16 of 31 days -> rounding +7/3,100 (about 0.0023) = 14.97 EUR"
    )


def test_a_matrix_is_told_cell_by_cell(site: Site) -> None:
    assert texts(explained(site, EGRESS))[:4] == [
        "measured: 3 + 1.5 + 1.5 = 6 GB",
        "eu at 0.05: 3 x 0.05 = 0.15 EUR",
        "us at 0.07: 1.5 x 0.07 = 0.105 EUR",
        "any at 0.1: 1.5 x 0.1 = 0.15 EUR",
    ]


def test_events_are_told_one_by_one_and_then_as_sums(site: Site) -> None:
    # 0.05, 10.05, 20.05, 30.05 are free, and 39.80 of 40.05; from 200.05 on the most of 3 is reached.
    charge = explained(site, PAYMENTS)
    said = texts(charge)
    assert "event 5, less what is free: 40.05 beyond 39.8 that is left of 100 = 0.25 EUR" in said
    assert "event 5: 0.25 x 1.5 % + 0.1, at most 3 = 0.10375 EUR" in said
    assert "10 more events at the most: 10 x 3 = 30.00 EUR" in said
    assert charge["unlisted_events"] == 10


def test_a_contracts_own_price_is_the_one_that_is_told(site: Site) -> None:
    acme, globex = explained(site, SEATS), explained(site, 2, GLOBEX)
    assert texts(acme)[1] == "tier 2 at 7: 6 x 7 = 42.00 EUR"
    assert texts(globex)[1:3] == [
        "in packages of 4: 6 / 4 = 1.5 packages",
        "whole packages: 1.5 up to a multiple of 1 = 2 packages",
    ]


def test_a_journal_line_is_explained_by_the_first_of_its_charges(site: Site) -> None:
    found = site.asked("explain", "JRN.2026-10.DE01:1", "--limit", "2")
    assert (found["charges"], len(found["explained"]), found["ok"]) == (8, 2, True)
    read = site.run("explain", "JRN.2026-10.DE01:1", "--limit", "2").output
    assert "and 6 charges more: `--limit 8` explains all of them" in read


def test_people_read_short_lines_with_the_rounding_and_the_proof(site: Site) -> None:
    done = site.run("explain", f"{ACME}:{PAYMENTS}")
    lines = done.output.splitlines()
    assert lines[0].startswith("acme, C-1: Payments, 2026-10-15T22:00:00.000Z to 2026-10-31T23:00:00.000Z")
    assert lines[1].startswith("  30 events of 4,351.5 EUR -> rounding ")
    assert f"10 events are in sums: `meterline trace {ACME}:{PAYMENTS} --events` lists all" in done.output
    assert "  re-evaluated: ok" in lines


def test_what_is_asked_wrongly_is_told(site: Site) -> None:
    assert site.run("explain", "INV.2026-10.DE01.nobody.EUR").status == 2
    assert site.run("explain", f"{ACME}:99").status == 2
    assert site.run("explain", ACME, "--limit", "0").status == 2


def test_a_line_that_was_tampered_with_does_not_hold(site: Site) -> None:
    """Last: it breaks what the other tests read."""
    assert site.stop() == 0
    change = "amount = amount + 1 WHERE customer = 'acme' AND product = 'Seats'"
    other = "kind = 'discount' WHERE customer = 'acme' AND product = 'Support'"
    for one in (change, other):
        subprocess.run([sys.executable, "-c", TAMPER, str(site.data), one], check=True, cwd=Path(__file__).parents[2])
    done = site.run("explain", ACME, "--json")
    wrong = {one["product"]: one["problems"] for one in done.json["explained"] if not one["ok"]}
    assert (done.status, done.json["ok"]) == (1, False)
    assert wrong == {"Seats": ["the derivation ends at the amount 42, and the charge says 42.01"]}
    read = site.run("explain", f"{ACME}:{SEATS}")
    assert read.status == 1
    assert "DOES NOT HOLD: the derivation ends at" in read.output
    assert "re-evaluated: ok" not in read.output
    unknown = site.run("explain", f"{ACME}:{SUPPORT}")
    assert (unknown.status, "made by discount: see the contract" in unknown.output) == (0, True)
