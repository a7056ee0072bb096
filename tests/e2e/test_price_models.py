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


TIMED = """
meters:
  - {name: kwh, event_type: charged, aggregation: sum, value: kwh, unit: kWh}
  - {name: frames, event_type: rendered, aggregation: sum, value: frames}
  - {name: reports, event_type: report, aggregation: count}
plans:
  - name: timed
    currency: EUR
    prices:
      - product: Charging
        meter: kwh
        model: matrix
        slots: [{name: night, from: 22:00, to: 06:00}, {name: weekend, days: [sat, sun]}]
        cells: [{slot: night, unit_price: 0.10}, {slot: weekend, unit_price: 0.20}]
        default: 0.30
      - product: Rendering
        meter: frames
        model: graduated
        tiers: [{up_to: 10, unit_price: 1}, {unit_price: 0.5}]
        bucket: hour
        adjustments: [{percent_off: 10}]
      - {product: Reports, meter: reports, model: package, package_size: 3, package_price: 1, bucket: day}
customers:
  - {id: acme, subjects: [a, b]}
contracts:
  - {id: C-1, customer: acme, plan: timed, entity: DE01, start: 2026-01-01, timezone: Europe/Berlin}
"""

# In Berlin the clock is set back from 03:00 to 02:00 on Sunday, the 25th, at 01:00 UTC.
TIMED_USAGE = [
    ("charged", "a", "24T19:59:59.999", {"kwh": 10}),  # Saturday before 22:00: 2
    ("charged", "b", "24T20:00:00", {"kwh": 10}),  # 22:00: 1
    ("charged", "a", "25T04:59:59.999", {"kwh": 10}),  # Sunday before 06:00: 1
    ("charged", "a", "25T05:00:00", {"kwh": 10}),  # 06:00: 2
    ("charged", "b", "26T12:00:00", {"kwh": 10}),  # Monday: 3
    ("rendered", "a", "25T00:30:00", {"frames": 8}),  # 02:30
    ("rendered", "a", "25T01:30:00", {"frames": 8}),  # 02:30 once more, and another hour: 8 and 8
    ("rendered", "a", "26T12:10:00", {"frames": 6}),
    ("rendered", "b", "26T12:50:00", {"frames": 6}),  # one hour of 12: 10 + 1
    ("report", "a", "24T21:00:00", {}),
    ("report", "b", "24T21:59:59.999", {}),  # two on Saturday: 1
    *[("report", "a", f"25T{hour:02}:00:00", {}) for hour in (1, 9, 22)],
    ("report", "a", "24T22:00:00", {}),  # four on Sunday, from its midnight to its last hour: 2
]


def test_usage_is_priced_by_the_clock_of_the_contract_on_the_day_it_is_set_back(tmp_path: Path) -> None:
    site = Site(tmp_path, TIMED)
    site.start()
    events = [
        event(nth, type=kind, subject=subject, data=data, time=f"2026-10-{time}Z")
        for nth, (kind, subject, time, data) in enumerate(TIMED_USAGE)
    ]
    assert site.send(events).json["accepted"] == len(events)
    site.asked("close", "2026-10")
    (invoice,) = site.asked("invoices", "2026-10")["invoices"]
    assert amounts(invoice) == {"Charging": "9.00", "Rendering": "24.30", "Reports": "3.00"}
    charging, rendering, reports = site.asked("explain", invoice["id"])["explained"]
    assert (charging["ok"], rendering["ok"], reports["ok"]) == (True, True, True)
    assert "night at 0.1: 20 x 0.1 = 2.00 EUR" in texts(charging)
    assert "2026-10-25 02:00+02:00: tier 1 at 1: 8 x 1 = 8.00 EUR" in texts(rendering)
    assert "2026-10-25 02:00+01:00: tier 1 at 1: 8 x 1 = 8.00 EUR" in texts(rendering)
    assert "2026-10-25: whole packages: 4/3 up to a multiple of 1 = 2 packages" in texts(reports)
    draft = tmp_path / "draft.yaml"
    draft.write_text(TIMED.replace("from: 22:00", "from: 21:00").replace("bucket: hour", "bucket: day"))
    again = site.asked("what-if", str(draft), "--period", "2026-10")
    # Ten at night instead of the weekend; of 16 frames on Sunday, six at the second tier.
    assert (again["totals"]["EUR"]["before"], again["totals"]["EUR"]["after"]) == ("36.30", "32.60")
    assert site.asked("trace", f"{invoice['id']}:2")["ok"]
    assert site.asked("verify")["ok"]
    assert site.stop() == 0


def texts(charge: dict[str, Any]) -> list[str]:
    """The steps to a charge as people read them."""
    return [f"{step['what']}: {step['text']}" for step in charge["derivation"]["steps"]]
