"""A close from usage to drafted documents, beside the bare GROUP BY of the same rows.

Timed is everything a close does: load the price book, aggregate with digests, count again for conservation, rate, let
credit pay, write and read back the charges, draft every invoice and the journal in one relational transaction.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa

from bench.ingest import in_process
from ledger.block import REJECTED
from ledger.memory import release_memory
from ledger.meters import Meter
from metering.batch import count_rows
from meterline.installation import Installation, now_ms
from meterline.settings import Settings
from posting.documents import documents, drop_drafts
from posting.drafts import write_drafts
from rating import credit_grants, runs
from rating.catalog import Catalog, Contract, Customer, Plan, Price
from rating.catalog_store import apply_catalog
from rating.close import Closed, close
from rating.pricing import parts
from rating.pricing.parts import Packages, PerUnit, Reading, Tier, Tiers

CREDITED_EVERY = 10
"""One customer in so many has paid ahead."""
GOAL = 0.25
FILLED_AT_ONCE = 5_000_000
METERS = ("api_calls", "gb_out", "gb_stored", "messages", "minutes")
PERIOD = "2026-10"
ROUNDS = 3
STARTS = date(2026, 1, 1)


class Scale(NamedTuple):
    """How much there is of a month."""

    events: int
    customers: int
    prices: int
    """Of each contract, each for a meter of its own."""


def catalog(scale: Scale) -> Catalog:
    """A plan, and customers on it."""
    names = [f"{number:07}" for number in range(scale.customers)]
    tiers = (Tier(Fraction(10), Fraction(0)), Tier(None, Fraction("0.0004")))
    charges: dict[str, parts.Charge] = {
        "api_calls": Tiers(tiers),
        "gb_out": PerUnit(Fraction("0.05")),
        "gb_stored": Tiers((Tier(Fraction(20), Fraction("0.03")), Tier(None, Fraction("0.02"))), Reading.VOLUME),
        "messages": Packages(Fraction(10), Fraction("0.25")),
        "minutes": PerUnit(Fraction("0.0017")),
    }
    meters = METERS[: scale.prices]
    prices = tuple(Price(meter, meter, parts.Price(charge=charges[meter], is_mirrored=True)) for meter in meters)
    return Catalog(
        meters=tuple(Meter(meter, meter, "sum", "value") for meter in meters),
        plans=(Plan("standard", "EUR", prices),),
        customers=tuple(Customer(f"c{name}", f"Customer {name}", (f"customer-{name}",)) for name in names),
        contracts=tuple(Contract(f"C-{name}", f"c{name}", "standard", "DE01", STARTS) for name in names),
    )


def _credit(scale: Scale) -> list[dict[str, Any]]:
    """What customers have paid ahead: enough for some of them."""
    shared = {"tenant": "default", "created_by": "bench", "created_at": now_ms()}
    granted = [
        credit_grants.Grant(
            f"G-{number:07}", f"c{number:07}", "EUR", 10 + number % 500, "prepaid", "Paid ahead", STARTS
        )
        for number in range(0, scale.customers, CREDITED_EVERY)
    ]
    return [
        shared | {"version": version} | credit_grants.row_of(grant) for version, grant in enumerate(granted, start=1)
    ]


def _sql(name: str) -> str:
    return resources.files("bench").joinpath(f"{name}.sql").read_text("utf-8")


def prepare(data: str, scale: Scale, months: Sequence[str]) -> None:
    """Fill the catalog, and each month with as much usage."""
    with Installation(Settings(data=data)) as installation:
        with installation.relational.begin() as connection:
            apply_catalog(connection, "default", Catalog(), catalog(scale), "bench", "bench", now_ms())
            connection.execute(sa.insert(credit_grants.grants), _credit(scale))
        ledger = installation.ledger
        ledger.append(count_rows([(REJECTED, "default", "bench", 1)]), 1, now_ms())
        ledger.derive()
        for month in months:
            for first in range(0, scale.events, FILLED_AT_ONCE):
                some = scale._replace(events=min(FILLED_AT_ONCE, scale.events - first))
                ledger.writing.execute(_filling(month, first, some))
        ledger.writing.execute("OPTIMIZE TABLE usage FINAL")


def _filling(month: str, first: int, scale: Scale) -> str:
    given = {"first_day:String": f"'{month}-01 00:00:00'", "customers:UInt64": str(scale.customers)}
    given |= {"first:UInt64": str(first), "events:UInt64": str(scale.events)}
    given |= {"meters:Array(String)": str(list(METERS[: scale.prices]))}
    text = _sql("fill_usage")
    for name, value in given.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def bare_group_by(installation: Installation) -> float:
    """The seconds of the bare GROUP BY."""
    begun = time.perf_counter()
    installation.ledger.writing.ask(_sql("group_by"))
    return time.perf_counter() - begun


def timed_close(installation: Installation, period: str, processes: int = 1) -> tuple[float, Closed]:
    """The seconds of one close, and what it closed; its charges are let go, as they are after a command."""

    def draft(connection: sa.Connection, run: int, charges: pa.Table) -> None:
        write_drafts(connection, "default", period, run, charges, now_ms())

    begun = time.perf_counter()
    closed = close(
        installation.ledger, installation.relational, "default", period, now_ms(), on_rated=draft, processes=processes
    )
    seconds = time.perf_counter() - begun
    assert isinstance(closed, Closed), closed
    return seconds, closed._replace(charges=None)


def take_back(installation: Installation, closed: Closed) -> int:
    """Discard a close, so that it can be timed again; how many documents it had drafted."""
    assert closed.run is not None
    with installation.relational.begin() as connection:
        drafted = connection.execute(sa.select(sa.func.count()).select_from(documents)).scalar_one()
        runs.discard(connection, "default", PERIOD, "timed", now_ms())
        drop_drafts(connection, "default", PERIOD, closed.run)
    return int(drafted)


def bench(scale: Scale, processes: int = 1) -> dict[str, Any]:
    """Both sides in turn, and the report."""
    ours: list[float] = []
    theirs: list[float] = []
    with tempfile.TemporaryDirectory(prefix="meterline-bench-") as name:
        data = str(Path(name) / "data")
        # In a process of its own: what filling takes is no part of the memory that a close takes.
        in_process(prepare, data, scale, [PERIOD])
        with Installation(Settings(data=data)) as installation:
            bare_group_by(installation)  # reads the files into memory for both sides
            for _ in range(ROUNDS):
                theirs.append(bare_group_by(installation))
                seconds, closed = timed_close(installation, PERIOD, processes)
                ours.append(seconds)
                drafted = take_back(installation, closed)
                release_memory()  # as the command does
    seconds, baseline = statistics.median(ours), statistics.median(theirs)
    return {
        "bench": "close",
        **scale._asdict(),
        "charges": closed.manifest.charges,
        "documents": drafted,
        "processes": processes,
        "cores": os.cpu_count(),
        "seconds": round(seconds, 3),
        "baseline_seconds": round(baseline, 3),
        "rate_per_second": round(scale.events / seconds),
        "baseline_per_second": round(scale.events / baseline),
        "ratio": round(baseline / seconds, 3),
        "goal": GOAL,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "output_digest": closed.manifest.output_digest,
        "totals": closed.manifest.totals,
    }


def main() -> int:
    """Run it; 1 when the goal is not reached."""
    parser = argparse.ArgumentParser(prog="meterline bench close", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--prices", type=int, default=2, choices=range(1, len(METERS) + 1), help="of each contract")
    parser.add_argument("--processes", type=int, default=1, help="that rate (the setting rating_processes)")
    parser.add_argument("--json", action="store_true", help="one JSON object, alone")
    asked = parser.parse_args()
    report = bench(Scale(asked.events, asked.customers, asked.prices), asked.processes)
    print(json.dumps(report) if asked.json else json.dumps(report, indent=2))
    return 0 if report["ratio"] >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
