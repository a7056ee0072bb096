"""A year at other prices from what its closes keep, beside the closes themselves.

Timed is all that the command does but printing: the draft of the catalog, every month priced again, and the differences
customer by customer. One draft changes one price of five, which leaves most of what the closes keep alone; another one
changes all of them, and the goal is its.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.close import METERS, Scale, prepare, timed_close
from bench.ingest import in_process
from meterline.installation import Installation
from meterline.operations import run
from meterline.outcome import Output
from meterline.settings import Settings

GOAL = 5.0
YEAR = "2026"
ONE_PRICE = "[{product: gb_out, meter: gb_out, model: per_unit, unit_price: 0.06}]"
EVERY_PRICE = """
  - {product: api_calls, meter: api_calls, model: graduated, tiers: [{up_to: 10, unit_price: 0}, {unit_price: 0.0005}]}
  - {product: gb_out, meter: gb_out, model: per_unit, unit_price: 0.06}
  - {product: gb_stored, meter: gb_stored, model: volume, tiers: [{up_to: 20, unit_price: 0.03}, {unit_price: 0.01}]}
  - {product: messages, meter: messages, model: package, package_size: 10, package_price: 0.20}
  - {product: minutes, meter: minutes, model: per_unit, unit_price: 0.0018}
"""


def bench(events: int, customers: int, months: int) -> dict[str, Any]:
    """Both sides, and the report."""
    periods = [f"{YEAR}-{month:02}" for month in range(1, months + 1)]
    with tempfile.TemporaryDirectory(prefix="meterline-bench-") as name:
        data = str(Path(name) / "data")
        in_process(prepare, data, Scale(events, customers, len(METERS)), periods)
        with Installation(Settings(data=data)) as installation:
            closes = sum(timed_close(installation, period)[0] for period in periods)
            of_one, _ = timed_draft(installation, ONE_PRICE)
            seconds, found = timed_draft(installation, EVERY_PRICE)
    priced = sum(period["charges"] for period in found["periods"].values())
    return {
        "bench": "what-if",
        "months": months,
        "events": events * months,
        "customers": customers,
        "charges": priced,
        "cores": os.cpu_count(),
        "seconds": round(seconds, 3),
        "baseline_seconds": round(closes, 3),
        "rate_per_second": round(priced / seconds),
        "baseline_per_second": round(priced / closes),
        "ratio": round(closes / seconds, 3),
        "ratio_of_one_price": round(closes / of_one, 3),
        "goal": GOAL,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "totals": found["totals"],
    }


def timed_draft(installation: Installation, prices: str) -> tuple[float, dict[str, Any]]:
    """The seconds of a year at other prices, and the answer."""
    begun = time.perf_counter()
    text = f"plans:\n- name: standard\n  currency: EUR\n  prices: {prices}"
    asked = {"file": "draft", "text": text, "period": YEAR}
    found = run(installation, "what-if", asked, Output(lambda _: None, lambda _: None)).result
    return time.perf_counter() - begun, found


def main() -> int:
    """Run it; 1 when the goal is not reached."""
    parser = argparse.ArgumentParser(prog="meterline bench what-if", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="of each month")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--json", action="store_true", help="one JSON object, alone")
    asked = parser.parse_args()
    report = bench(asked.events, asked.customers, asked.months)
    print(json.dumps(report) if asked.json else json.dumps(report, indent=2))
    return 0 if report["ratio"] >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
