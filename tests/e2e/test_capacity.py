"""Prices of several meters from a file through a close to an invoice, its explanation and other prices, by hand."""

from pathlib import Path
from typing import Any

from rating.derivation_check import problems
from tests.e2e.site import Site, event

CATALOG = """
meters:
  - {name: seats, event_type: seat, aggregation: sum, value: seats}
  - {name: stored, event_type: disk, aggregation: sum, value: gb, unit: GB}
  - {name: tokens_in, event_type: prompt, aggregation: sum, value: tokens.in}
  - {name: tokens_out, event_type: prompt, aggregation: sum, value: tokens.out}
plans:
  - name: space
    currency: EUR
    prices:
      - product: Workspace
        meters: [seats, stored]
        model: capacity
        tiers: [{price: 100, limits: {seats: 10, stored: 50}}, {price: 250}]
      - product: Tokens
        meters: {tokens_in: 1, tokens_out: 3}
        model: graduated
        tiers: [{up_to: 1000, unit_price: 0.01}, {unit_price: 0.005}]
customers:
  - {id: acme, subjects: [a, b]}
  - {id: idle, subjects: [z]}
contracts:
  - {id: C-1, customer: acme, plan: space, entity: DE01, start: 2026-10-17, timezone: Europe/Berlin}
  - {id: C-2, customer: idle, plan: space, entity: DE01, start: 2026-01-01}
"""
DEARER = CATALOG.replace("price: 250", "price: 310").replace("seats: 10, stored: 50", "seats: 10")
USAGE: list[tuple[str, str, dict[str, Any]]] = [
    ("seat", "a", {"seats": 9}),
    ("seat", "b", {"seats": 10}),
    ("disk", "a", {"gb": "12.5"}),
    ("disk", "b", {"gb": "50.1"}),
    ("prompt", "a", {"tokens": {"in": 500, "out": 100}}),
    ("prompt", "b", {"tokens": {"in": 100, "out": 200}}),
]
ACME = "INV.2026-10.DE01.acme.EUR"


def lines(invoice: dict[str, Any]) -> list[tuple[str, str, int, str]]:
    return [(line["meter"], line["quantity"], line["events"], line["amount"]) for line in invoice["lines"]]


def test_the_highest_values_of_two_meters_set_one_price(tmp_path: Path) -> None:
    site = Site(tmp_path, CATALOG)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        "plans: [{name: space, currency: EUR, prices: ["
        "{product: Workspace, meter: seats, model: per_unit, unit_price: 1, from: 2027-01-01}]}]"
    )
    refused = site.run("apply", str(wrong))
    assert (refused.status, "stored and seats are priced together" in refused.said) == (2, True)
    site.start()
    events = [
        event(nth, type=kind, subject=subject, data=data, time=f"2026-10-2{nth}T00:00:00Z")
        for nth, (kind, subject, data) in enumerate(USAGE)
    ]
    assert site.send(events).json["accepted"] == len(events)
    site.asked("close", "2026-10")
    acme, idle = site.asked("invoices", "2026-10")["invoices"]
    # More than 50 GB, for fifteen of thirty-one days; and a whole month in which nothing was used.
    # Of tokens 600 and three times 300: 1,000 at a cent, and 500 at half of one.
    assert lines(acme) == [
        ("tokens_in", "600", 2, "12.50"),
        ("tokens_out", "300", 2, "0.00"),
        ("seats", "19", 2, "120.97"),
        ("stored", "62.6", 2, "0.00"),
    ]
    assert lines(idle) == [("seats", "0", 0, "100.00")]
    for nth in (1, 2, 3, 4):
        assert site.asked("trace", f"{ACME}:{nth}")["ok"]
    explained = site.asked("explain", ACME)["explained"]
    assert [(one["ok"], problems(one["derivation"])) for one in explained] == [(True, [])] * 4
    assert [one["derivation"]["summary"] for one in explained] == [
        "1,500 units -> 2 tiers -> rounding +0.00 = 12.50 EUR",
        "300 tokens_out -> priced with tokens_in -> rounding +0.00 = 0.00 EUR",
        (
            "at most 10 seats and 50.1 stored -> tier 2: 250.00 EUR a month x 15 of 31 days "
            "-> rounding +7/3,100 (about 0.0023) = 120.97 EUR"
        ),
        "62.6 GB -> priced with seats -> rounding +0.00 = 0.00 EUR",
    ]
    draft = tmp_path / "draft.yaml"
    draft.write_text(DEARER)
    found = site.asked("what-if", str(draft), "--period", "2026-10")
    # Ten seats are in the first tier, whatever is stored: 48.39 for fifteen days.
    assert found["periods"] == {"2026-10": {"from": "usage", "charges": 5}}
    assert (found["totals"]["EUR"]["before"], found["totals"]["EUR"]["after"]) == ("233.47", "160.89")
    assert site.asked("verify")["ok"]
    assert site.stop() == 0
