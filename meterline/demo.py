"""Tell the whole story on synthetic usage: serve, emit over HTTP, close, approve, post, trace, verify.

Everything is the real thing in small: the service is a process of its own, events go through the emitter over HTTP,
and every command runs as it would be typed. What is proved at the end was computed from the ledger, not remembered.
"""

import json
import shutil
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from metering.emitter import Emitter
from meterline import tables
from meterline.child import ServiceProcess
from meterline.client import operate
from meterline.settings import Settings, from_process

MARKER = "made-by-meterline-demo"
EVENTS = 200_000
GENERATED_CUSTOMERS = 1_000
BAKERY_CALLS = 12_500
CINEMA_GB = 400
DUPLICATE_EVERY = 50
STORM_EVENTS = 2_000
STORM_TIMES = 3

CATALOG = """\
meters:
  - {name: api_calls, event_type: api.request, aggregation: count, dimensions: {region: region}}
  - {name: gb_out, event_type: egress, aggregation: sum, value: gb, unit: GB}
plans:
  - name: standard
    currency: EUR
    prices:
      - product: API
        meter: api_calls
        model: graduated
        tiers: [{up_to: 1000, unit_price: "0"}, {unit_price: "0.0004"}]
      - {product: Egress, meter: gb_out, model: per_unit, unit_price: "0.05"}
customers:
  - {id: bakery, name: Bakery Brun, subjects: [bakery-shop]}
  - {id: cinema, name: Cinema Lumen, subjects: [cinema-east, cinema-west]}
"""

out = Console(highlight=False, stderr=True)


def demo(directory: Path, *, json_only: bool) -> int:
    """Run the story in `directory`; returns the exit status."""
    if not _prepare(directory):
        return 2
    begun = time.monotonic()
    with ServiceProcess(directory / "ledger", directory / "service.log") as service:
        report = Story(directory, from_process(data=str(service.data)), service.url, tables_shown=not json_only).tell()
    report["seconds"] = round(time.monotonic() - begun, 1)
    if json_only:
        print(json.dumps(report))
    else:
        _tell_proof(directory, report)
    return 0 if report["ok"] else 1


def _prepare(directory: Path) -> bool:
    """An empty directory; one that an earlier demo made is emptied, any other is left alone."""
    if directory.exists() and any(directory.iterdir()):
        if not (directory / MARKER).exists():
            out.print(f"meterline: {directory} is not empty and not from a demo: name another with --data")
            return False
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MARKER).touch()
    (directory / "catalog.yaml").write_text(_catalog(), "utf-8")
    return True


def _catalog() -> str:
    """Two customers anyone understands, and the generated ones."""
    customers = "".join(
        f"  - {{id: c{number:04}, name: Customer {number}, subjects: [c{number:04}-main]}}\n"
        for number in range(GENERATED_CUSTOMERS)
    )
    names = ["bakery", "cinema", *(f"c{number:04}" for number in range(GENERATED_CUSTOMERS))]
    start = _period_start().date() - timedelta(days=200)
    contracts = "".join(
        f"  - {{id: C-{name}, customer: {name}, plan: standard, entity: DE01, start: {start}}}\n" for name in names
    )
    return f"{CATALOG}{customers}contracts:\n{contracts}"


def _period_start() -> datetime:
    """The month before this one, so that the demo closes a period that is over."""
    this_month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (this_month - timedelta(days=1)).replace(day=1)


class Story:
    """One run of the demo."""

    def __init__(self, directory: Path, settings: Settings, url: str, *, tables_shown: bool) -> None:
        self._tables_shown = tables_shown
        self._directory = directory
        self._settings = settings
        self._start = _period_start()
        self._period = f"{self._start:%Y-%m}"
        self._url = url

    def tell(self) -> dict[str, Any]:
        """Every chapter in turn; what was proved."""
        self._chapter("A catalog: two meters, one plan, 1,002 customers and their contracts")
        catalog = self._directory / "catalog.yaml"
        applied = self._run("apply", text=catalog.read_text("utf-8"), file=str(catalog))
        out.print(f"  version {applied['version']}: {len(applied['changes']):,} things added")
        key = self._run("keys create", tenant="default", scopes=["ingest", "read"])["key"]

        self._chapter(f"{EVENTS:,} events through the emitter, over HTTP, with 2 % sent twice")
        emitted = self._emit(key)
        self._chapter(f"A retry storm: the same {STORM_EVENTS:,} events {STORM_TIMES} more times; and some broken ones")
        storm = [self._post(key, list(islice(self._usage(), STORM_EVENTS))) for _ in range(STORM_TIMES)]
        broken = self._post(key, self._broken())
        out.print(f"  storm: {sum(answer['duplicates'] for answer in storm):,} duplicates, nothing counted again")
        out.print(
            f"  broken: {broken['quarantined']} in quarantine, {len(broken['rejected'])} rejected, 1 conflict kept"
        )
        return self._bill(emitted, sum(answer["duplicates"] for answer in storm), broken)

    def _usage(self) -> Iterator[dict[str, Any]]:
        """The events of the period, the same ones each time: calls of the bakery, gigabytes of the cinema, the rest."""
        ids = count()
        for number in range(BAKERY_CALLS):
            yield self._event(next(ids), "api.request", "bakery-shop", number, {"region": "eu-west-1"})
        for number in range(CINEMA_GB):
            place = "cinema-east" if number % 4 else "cinema-west"
            yield self._event(next(ids), "egress", place, number, {"gb": "0.1" if number % 4 else 2.5})
        for number in range(EVENTS - BAKERY_CALLS - CINEMA_GB):
            subject = f"c{number * 7919 % GENERATED_CUSTOMERS:04}-main"
            if number % 3:
                yield self._event(next(ids), "api.request", subject, number, {"region": "us-east-1", "status": 200})
            else:
                yield self._event(next(ids), "egress", subject, number, {"gb": f"{number % 997}.{number % 1000:03}"})

    def _event(self, number: int, kind: str, subject: str, when: int, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": f"demo-{number}",
            "source": "/demo/shop",
            "type": kind,
            "subject": subject,
            "time": self._start + timedelta(milliseconds=when * 12_007 % (27 * 86_400_000)),
            "data": data,
        }

    def _broken(self) -> list[dict[str, Any]]:
        """What goes wrong in real life: each of these is told, and none of them stops the others."""
        good = self._event(0, "egress", "cinema-east", 1, {"gb": "1"}) | {"source": "/demo/broken"}
        return [
            good | {"id": "b1", "data": {"gb": "a lot"}},
            good | {"id": "b2", "data": {}},
            good | {"id": "b3", "type": "egres"},
            good | {"id": "b4", "time": "2019-01-01T00:00:00Z"},
            good | {"id": "b5", "time": "yesterday"},
            {name: value for name, value in good.items() if name != "id"},
            good | {"id": "b6", "subject": ""},
            next(self._usage()) | {"subject": "somebody-else"},
        ]

    def _emit(self, key: str) -> dict[str, int]:
        columns = [TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
        with Progress(*columns, console=out) as shown, Emitter(self._url, key, source="/demo/shop") as emitter:
            task = shown.add_task("emitted", total=EVENTS + EVENTS // DUPLICATE_EVERY)
            sent = 0
            for number, event in enumerate(self._usage()):
                for _ in range(2 if number % DUPLICATE_EVERY == 0 else 1):
                    emitter.emit(event["type"], event["subject"], event["data"], id=event["id"], time=event["time"])
                    sent += 1
                if number % 2_000 == 0:
                    shown.update(task, completed=sent)
            emitter.flush()
            shown.update(task, completed=sent)
            counts = emitter.counts
        out.print(f"  acknowledged: {counts.accepted:,} accepted, {counts.duplicates:,} duplicates")
        return {"sent": sent, "accepted": counts.accepted, "duplicates": counts.duplicates}

    def _post(self, key: str, events: list[dict[str, Any]]) -> dict[str, Any]:
        """One plain HTTP request, as any product service could send it."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/v1/events", msgspec.json.encode(events), headers)  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310  loopback, our own service
            said: dict[str, Any] = json.loads(answer.read())
        return said

    def _bill(self, emitted: dict[str, int], storm_duplicates: int, broken: dict[str, Any]) -> dict[str, Any]:
        self._chapter(f"Close {self._period}: fix the cutoff, rate everybody in one pass")
        closed = self._run("close", period=self._period)
        self._show("close", closed)
        again = self._run("close", period=self._period)
        out.print(f"  closing again: {again['message']}")

        self._chapter("Approve, and post to the file ERP")
        self._run("approve", period=self._period)
        posted = self._run("post", period=self._period)["documents"]
        repeated = self._run("post", period=self._period)["documents"]
        invoices = self._run("invoices", period=self._period)["invoices"]
        named = [invoice for invoice in invoices if invoice["customer"] in ("bakery", "cinema")]
        self._show("invoices", {"invoices": named})

        self._chapter("Trace a journal line down to its events")
        journal = next(document for document in posted if document["kind"] == "journal")
        trace = self._run("trace", document=f"{journal['id']}:2")
        self._show("trace", trace)

        self._chapter("Verify: read everything again")
        verified = self._run("verify")
        self._show("verify", verified)
        proofs = {
            "every event emitted was counted once": emitted["accepted"] == EVENTS,
            "duplicates and the storm counted nothing": emitted["duplicates"] == EVENTS // DUPLICATE_EVERY
            and storm_duplicates == STORM_EVENTS * STORM_TIMES,
            "broken events were told or kept, none lost": broken["quarantined"] == 4
            and len(broken["rejected"]) == 3
            and broken["conflicts"] == 1,
            "the conservation equation has no residual": not any(closed["residual"].values()),
            "closing again changed nothing": again["run"] == closed["run"],
            "every document is in the ERP, once": all(document["state"] == "posted" for document in posted)
            and repeated == posted,
            "a journal line expands to exactly its events": trace["ok"],
            "chains, digests, usage, runs and files agree": verified["ok"],
        }
        return {
            "ok": all(proofs.values()),
            "period": self._period,
            "events": EVENTS,
            "totals": closed["totals"],
            "documents": len(posted),
            "proofs": proofs,
            "journal": journal["file"],
        }

    def _run(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return operate(self._settings, operation, parameters).result

    def _show(self, kind: str, result: dict[str, Any]) -> None:
        if self._tables_shown:
            tables.show(kind, result)

    def _chapter(self, title: str) -> None:
        out.print(f"\n[bold]{title}[/bold]")


def _tell_proof(directory: Path, report: dict[str, Any]) -> None:
    tables.console.print("\n[bold]What was proved[/bold]", markup=True)
    for proof, holds in report["proofs"].items():
        tables.console.print(f"  {'[green]yes[/green]' if holds else '[red]NO[/red] '}  {proof}", markup=True)
    tables.console.print(f"\n{report['documents']:,} documents in {report['seconds']} s. Where everything is:")
    for what, path in (
        ("the ledger", directory / "ledger"),
        ("the journal and invoices", directory / "ledger" / "erp"),
        ("the catalog", directory / "catalog.yaml"),
    ):
        tables.console.print(f"  {what:<26}{path}")
    tables.console.print(
        f"\nGo on from here:\n  .venv/bin/meterline invoices {report['period']} --data {directory}/ledger"
    )
