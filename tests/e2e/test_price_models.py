"""Every model of the catalog, from a file through a close to an invoice whose amounts were worked out by hand."""

from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.e2e.site import Site, event

CATALOG = """
meters:
  - {name: calls, event_type: call, aggregation: count, dimensions: {region: region, size: size}}
  - {name: gb, event_type: egress, aggregation: sum, value: gb, unit: GB}
  - {name: paid, event_type: payment, aggregation: sum, value: amount}
  - {name: spend, event_type: spend, aggregation: sum, value: amount}
  - {name: seats, event_type: seat, aggregation: sum, value: seats}
plans:
  - name: pro
    currency: EUR
    prices:
      - {product: Platform, model: flat, amount: 29}
      - product: Calls
        meter: calls
        model: matrix
        dimensions: [region, size]
        cells: [{region: eu, size: xl, unit_price: 2}, {region: eu, unit_price: 1}]
        default: 0.5
      - product: Egress
        meter: gb
        model: volume
        tiers: [{up_to: 10, unit_price: 1, flat_fee: 5}, {unit_price: 0.5}]
        conversion: {per: 1.024, rounding: up}
        free_units: 1
        adjustments: [{percent_off: 10}, {minimum: 20}]
      - {product: Pay, meter: paid, model: percentage, percent: 2.9, fee: 0.30, free_events: 1, least: 0.5, most: 5}
      - {product: Spend, meter: spend, model: dynamic}
      - {product: Seats, meter: seats, model: package, package_size: 5, package_price: 10}
customers:
  - {id: acme, subjects: [a, b]}
  - {id: idle, subjects: [z]}
contracts:
  - {id: C-1, customer: acme, plan: pro, entity: DE01, start: 2026-01-01}
  - id: C-2
    customer: idle
    plan: pro
    entity: DE01
    start: 2026-10-17
    prices: [{product: Platform, model: flat, amount: 15.90, rounding: {decimals: 0, mode: up}}]
"""

USAGE = [
    ("call", "a", {"region": "eu", "size": "xl"}),  # 2
    ("call", "b", {"region": "eu", "size": "s"}),  # 1
    ("call", "a", {"region": "us"}),  # 0.5
    ("egress", "a", {"gb": "12.288"}),
    ("egress", "b", {"gb": "0.001"}),  # 13 units of 1.024 begun, 1 free, 12 at 0.5, 10 % off: 5.40, lifted to 20
    ("payment", "b", {"amount": "1000"}),  # the first is free
    ("payment", "a", {"amount": "1"}),  # 0.329, at least 0.5
    ("payment", "a", {"amount": "10"}),  # 0.59
    ("payment", "b", {"amount": "900"}),  # 26.40, at most 5
    ("spend", "a", {"amount": "12.345"}),
    ("seat", "a", {"seats": "11"}),  # three packages begun
]


def test_every_model_bills_what_a_calculation_by_hand_says(tmp_path: Path) -> None:
    site = Site(tmp_path, CATALOG)
    site.start()
    events = [
        event(nth, type=kind, subject=subject, data=data, time=f"2026-10-20T00:00:{nth:02}Z")
        for nth, (kind, subject, data) in enumerate(USAGE)
    ]
    assert site.send(events).json["accepted"] == len(events)
    closed = site.asked("close", "2026-10")
    assert closed["totals"] == {"EUR": "128.94"}
    added = Fraction("12.35") - Fraction("12.345") + 8 - Fraction("15.90") * 15 / 31
    assert Fraction(closed["rounding"]["EUR"]) == added
    acme, idle = site.asked("invoices", "2026-10")["invoices"]
    assert amounts(acme) == {
        "Platform": "29.00", "Calls": "3.50", "Egress": "20.00", "Pay": "6.09", "Spend": "12.35", "Seats": "30.00",
    }  # fmt: skip
    # Fifteen of thirty-one days at the contract's own price, rounded up to whole euros; and a minimum nobody reached.
    assert amounts(idle) == {"Platform": "8.00", "Egress": "20.00"}
    assert site.asked("approve", "2026-10")
    assert all(document["state"] == "posted" for document in site.asked("post", "2026-10")["documents"])
    for line in range(1, len(acme["lines"]) + 1):
        assert site.asked("trace", f"{acme['id']}:{line}")["ok"]
    assert site.asked("verify")["ok"]
    assert site.stop() == 0


def amounts(invoice: dict[str, Any]) -> dict[str, str]:
    """What each product costs."""
    return {line["product"]: line["amount"] for line in invoice["lines"]}
