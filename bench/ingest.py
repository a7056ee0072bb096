"""Events a second through HTTP with every promise on, beside ClickHouse's own JSON load of the same events.

The baseline loads the same lines from a file into the same two tables, in this run and on these cores, which it has
to itself; the service shares them with the load generator. The merges that the load leaves behind are run and
counted apart, because somebody pays for them later.
"""

import argparse
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ProcessPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from bench.load import Load, event, send
from ledger.engine import EngineSettings, migrate, open_handle
from ledger.meters import Meter, measures
from ledger.sql import migrations
from meterline.child import METERLINE, ServiceProcess

GOAL = 0.35
METERS = [
    Meter("api_calls", "api.request", "count", dimensions={"region": "region"}),
    Meter("gb_out", "egress", "sum", "gb", "GB"),
]
CATALOG = """
meters:
  - {name: api_calls, event_type: api.request, aggregation: count, dimensions: {region: region}}
  - {name: gb_out, event_type: egress, aggregation: sum, value: gb, unit: GB}
"""
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Used(NamedTuple):
    """What a process has used so far."""

    cpu_seconds: float
    peak_rss_bytes: int


def used(pid: int) -> Used:
    """What the process `pid` has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    status = Path(f"/proc/{pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    return Used((int(fields[11]) + int(fields[12])) / CLOCK_TICKS, int(peak[1]) * 1024)


def _meterline(*arguments: str) -> str:
    return subprocess.run([*METERLINE, *arguments], check=True, capture_output=True, text=True).stdout


def prepared(directory: Path) -> tuple[Path, str]:
    """A data directory with a catalog, and a key for it."""
    data, catalog = directory / "data", directory / "catalog.yaml"
    catalog.write_text(CATALOG)
    _meterline("apply", str(catalog), "--data", str(data))
    scopes = ["--scope", "ingest", "--scope", "read"]
    return data, _meterline("keys", "create", *scopes, "--data", str(data)).strip()


def derive(url: str, key: str) -> float:
    """Have usage derived to the end, so that both sides end with both tables filled; the seconds it took."""
    asked = f"{url}/v1/usage?meter=gb_out&from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z"
    request = urllib.request.Request(asked, headers={"Authorization": f"Bearer {key}"})  # noqa: S310  our own service
    begun = time.perf_counter()
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        answer.read()
    return time.perf_counter() - begun


def ours(load: Load, directory: Path) -> dict[str, Any]:
    """Send `load` to a service, have usage derived, and say what that took."""
    data, key = prepared(directory)
    with ServiceProcess(data, directory / "service.log") as service:
        before = used(service.process.pid)
        port = int(service.url.rsplit(":", 1)[1])
        sent = send(load._replace(port=port, key=key))
        owed_seconds = derive(service.url, key)
        after = used(service.process.pid)
        held = json.loads(_meterline("status", "--data", str(data), "--json"))
    assert sent.accepted == load.events, f"{sent.accepted} accepted of {load.events}"
    assert held["outcomes"]["accepted"] == load.events, held
    merges = in_process(merge_seconds, str(data / "clickhouse"))
    return {
        "seconds": sent.seconds + owed_seconds,
        "acknowledged_seconds": sent.seconds,
        "cpu_seconds": after.cpu_seconds - before.cpu_seconds,
        "load_generator_cpu_seconds": sent.cpu_seconds,
        "peak_rss_bytes": after.peak_rss_bytes,
        "blocks": int(held["cutoff"]),
        "meters": held["meters"],
        "merges_left_seconds": merges["seconds"],
        "merges_left_cpu_seconds": merges["cpu_seconds"],
    }


def merge_seconds(path: str) -> dict[str, float]:
    """Run every merge there is to run, and say what that took."""
    handle = open_handle(EngineSettings(path=path))
    begun, cpu = time.perf_counter(), time.process_time()
    for table in ("events", "usage", "blocks", "usage_steps"):
        handle.execute(f"OPTIMIZE TABLE {table} FINAL")
    found = {"seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu}
    handle.close()
    return found


def baseline(lines: str, path: str) -> dict[str, Any]:
    """Let ClickHouse load the same events from a file into the same two tables."""
    handle = open_handle(EngineSettings(path=path))
    migrate(handle, migrations())
    load = resources.files("bench").joinpath("baseline_events.sql").read_text("utf-8").replace("{file}", lines)
    begun, cpu = time.perf_counter(), time.process_time()
    handle.execute(load)
    handle.run("derive_usage", first=1, last=1, step=1, measures=measures({"default": METERS}))
    found = {"seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu}
    handle.close()
    return found


def in_process(function: Any, *arguments: Any) -> Any:
    """`function` in a fresh process: an engine opens one path a process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def ingest(events: int, batch: int, customers: int, connections: int, rounds: int) -> dict[str, Any]:
    """Both sides in turn, and the report: each side's median, because the machine is not ours alone."""
    load = Load("127.0.0.1", 0, "", events, batch, customers, connections)
    found, theirs = [], []
    with tempfile.TemporaryDirectory(prefix="meterline-bench-") as name:
        directory = Path(name)
        lines = directory / "events.ndjson"
        with lines.open("wb") as file:
            file.writelines(event(number, customers) + b"\n" for number in range(events))
        for turn in range(rounds):
            theirs.append(in_process(baseline, str(lines), str(directory / f"baseline-{turn}")))
            (directory / f"ours-{turn}").mkdir()
            found.append(ours(load, directory / f"ours-{turn}"))

    def middle(side: list[dict[str, Any]], figure: str) -> float:
        return float(statistics.median(one[figure] for one in side))

    def us_per_event(side: list[dict[str, Any]], figure: str) -> float:
        return round(middle(side, figure) / events * 1e6, 2)

    rate, baseline_rate = events / middle(found, "seconds"), events / middle(theirs, "seconds")
    with_merges = [one["seconds"] + one["merges_left_seconds"] for one in found]
    return {
        "bench": "ingest",
        "events": events,
        "batch_events": batch,
        "customers": customers,
        "connections": connections,
        "rounds": rounds,
        "cores": os.cpu_count(),
        "rate_per_second": round(rate),
        "baseline_per_second": round(baseline_rate),
        "ratio": round(rate / baseline_rate, 3),
        "goal": GOAL,
        "ratios": [round(b["seconds"] / a["seconds"], 3) for a, b in zip(found, theirs, strict=True)],
        "acknowledged_per_second": round(events / middle(found, "acknowledged_seconds")),
        "rate_with_merges_per_second": round(events / statistics.median(with_merges)),
        "merges_left_seconds": round(middle(found, "merges_left_seconds"), 2),
        "merges_left_cpu_us_per_event": us_per_event(found, "merges_left_cpu_seconds"),
        "cpu_us_per_event": us_per_event(found, "cpu_seconds"),
        "load_generator_cpu_us_per_event": us_per_event(found, "load_generator_cpu_seconds"),
        "baseline_cpu_us_per_event": us_per_event(theirs, "cpu_seconds"),
        "peak_rss_bytes": max(one["peak_rss_bytes"] for one in found),
        "blocks": found[0]["blocks"],
        "meters": found[0]["meters"],
    }


def main() -> int:
    """Run it; 1 when the goal is not reached."""
    parser = argparse.ArgumentParser(prog="meterline bench ingest", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=5_000, help="events a request; the emitter sends up to 10,000")
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs; medians are compared")
    parser.add_argument("--json", action="store_true", help="one JSON object, alone")
    asked = parser.parse_args()
    report = ingest(asked.events, asked.batch, asked.customers, asked.connections, asked.rounds)
    print(json.dumps(report) if asked.json else json.dumps(report, indent=2))
    return 0 if report["ratio"] >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
