"""Calls along their own clock and messages in blocks, from a file to an invoice, an explanation and a what-if."""

from pathlib import Path

from rating.derivation_check import problems
from tests.e2e.site import Site, event

CATALOG = """
meters:
  - {name: talk, event_type: call, aggregation: sum, value: seconds, unit: s}
  - {name: messages, event_type: message, aggregation: count}
plans:
  - name: voice
    currency: EUR
    prices:
      - product: Messages
        meter: messages
        model: blocks
        tiers: [{block_size: 2, block_price: 1, blocks: 3}, {block_size: 5, block_price: 2}]
      - product: Calls
        meter: talk
        model: duration
        connect_fee: "0.4"
        rates: [{rate: "0.2", per: 60, increment: 60}, {from: 60, rate: "0.1", per: 60, increment: 1}]
        most: 2
        increment_rounding: {decimals: 5}
customers:
  - {id: acme, subjects: [desk, van]}
contracts:
  - {id: C-1, customer: acme, plan: voice, entity: DE01, start: 2026-01-01}
"""
BY_THE_SECOND = """
plans:
  - name: voice
    currency: EUR
    prices: [{product: Calls, meter: talk, model: duration, rates: [{rate: "0.6", per: 60, increment: 1}]}]
"""
CALLS = [
    ("desk", "130"),  # 0.4 + 0.2 + 70 x 0.00167 = 0.7169
    ("desk", "12.5"),  # a minute is begun: 0.6
    ("van", 60),  # 0.6
    ("van", 0),  # nobody answered
    ("desk", 3600),  # 0.6 + 3,540 x 0.00167, at most 2
    *[("van", "60.5")] * 20,  # 0.60167 each
]


MESSAGES = 17  # three blocks of two, and three begun ones of five: 3 x 1 + 3 x 2


def test_calls_and_blocks_are_billed_and_explained(tmp_path: Path) -> None:
    site = Site(tmp_path, CATALOG)
    site.start()
    sent = [
        event(nth, type="call", subject=subject, data={"seconds": seconds}, time=f"2026-10-20T00:00:{nth:02}Z")
        for nth, (subject, seconds) in enumerate(CALLS)
    ]
    sent += [event(100 + nth, type="message", subject="desk") for nth in range(MESSAGES)]
    assert site.send(sent).json["accepted"] == len(sent)
    assert site.asked("close", "2026-10")["totals"] == {"EUR": "24.95"}
    (invoice,) = site.asked("invoices", "2026-10")["invoices"]
    shown = [(line["product"], line["amount"], line["quantity"], line["events"]) for line in invoice["lines"]]
    assert shown == [("Calls", "15.95", "5012.5", 25), ("Messages", "9.00", "17", 17)]
    told, of_blocks = site.asked("explain", invoice["id"])["explained"]
    assert of_blocks["price"] == "1 for each started block of 2 up to 3 blocks, then 2 for each started block of 5"
    assert (of_blocks["ok"], problems(of_blocks["derivation"])) == (True, [])
    assert (told["ok"], told["stored"]) == (True, {"exact": "15.9503", "amount": "15.95"})
    assert (problems(told["derivation"]), told["unlisted_events"]) == ([], 5)
    assert told["price"] == (
        "0.4 to connect, 0.2 per 60 in increments of 60, from 60 on 0.1 per 60 in increments of 1, at most 2 an event, "
        "each increment rounded to the nearest to 5 decimals"
    )
    (tmp_path / "draft.yaml").write_text(BY_THE_SECOND)
    found = site.asked("what-if", str(tmp_path / "draft.yaml"), "--period", "2026-10")
    # 130 + 13 + 60 + 3,600 + 20 x 61 begun seconds.
    assert found["totals"]["EUR"]["after"] == "59.23"
    assert found["periods"] == {"2026-10": {"from": "usage", "charges": 2}}
    assert site.asked("approve", "2026-10")
    assert site.asked("trace", f"{invoice['id']}:1")["ok"]
    assert site.asked("verify")["ok"]
    assert site.stop() == 0
