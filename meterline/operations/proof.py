"""Prove what the ledger says: trace a line to its events, verify everything, and show what it all adds up to."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import sqlalchemy as sa

from ledger.errors import Damaged
from ledger.ledger import Ledger
from ledger.scale import quantity_text
from ledger.verify import Problem
from metering.instants import instant_text
from meterline.credits_report import paid_by_credit
from meterline.installation import Installation
from meterline.operations.keys import NoParameters
from meterline.operations.registry import RequestError, operation
from meterline.outcome import Outcome, Output
from meterline.rechecks import document_problems, extraction_problems, run_problems
from posting.documents import find as find_document
from posting.lineage import charges_behind, made_of
from rating import repeat, runs

LINES_SHOWN = 20


class Trace(msgspec.Struct, frozen=True):
    """Which document, or which line of it; and whether the events themselves are wanted."""

    document: str
    tenant: str = "default"
    events: bool = False


class OfTenant(msgspec.Struct, frozen=True):
    """Whose."""

    tenant: str = "default"


class OneRun(msgspec.Struct, frozen=True):
    """Which run."""

    run: int


@operation("trace", Trace, alone=False)
def trace(installation: Installation, asked: Trace, output: Output) -> Outcome:
    """Walk from a document or one of its lines down to the events, and prove that these are exactly the ones billed."""
    ledger = installation.ledger
    with installation.relational.connect() as connection:
        document, line, charges, of_run = behind(connection, ledger, asked.tenant, asked.document)
    said, found = ledger.described(charges), ledger.expanded(charges)
    if asked.events:
        for event in ledger.events_of(charges):
            output.row(_event_row(event))
    result = {
        "document": document.id,
        "line": line,
        "kind": document.kind,
        "charges": len(charges),
        "made_of": [] if line is None else made_of(document, line, of_run, LINES_SHOWN),
        "quantity": quantity_text(found.quantity),
        "events": found.events,
        "digest": f"{found.digest:032x}",
        "described": {
            "quantity": quantity_text(said.quantity),
            "events": said.events,
            "digest": f"{said.digest:032x}",
        },
        "paid_by_credit": paid_by_credit(ledger, document, of_run, charges, LINES_SHOWN),
        "ok": said == found,
    }
    return Outcome(result, 0 if said == found else 1)


class Behind(NamedTuple):
    """What was asked for, and the charges that it was made of."""

    document: sa.Row[Any]
    line: int | None
    charges: pa.Table
    of_run: pa.Table
    """All charges of its run."""


def behind(connection: sa.Connection, ledger: Ledger, tenant: str, asked: str) -> Behind:
    """The charges behind DOCUMENT[:LINE]."""
    document_id, line = _split(asked)
    document = find_document(connection, tenant, document_id)
    if document is None:
        raise RequestError(f"tenant {tenant} has no document {document_id}: `meterline invoices` lists them")
    of_run = ledger.read_charges(document.run)
    return Behind(document, line, charges_behind(document, line, of_run), of_run)


def _split(text: str) -> tuple[str, int | None]:
    """DOCUMENT[:LINE]."""
    document, colon, line = text.rpartition(":")
    if not colon:
        return text, None
    if not line.isdecimal() or int(line) < 1:
        raise RequestError(f"{text}: expected DOCUMENT or DOCUMENT:LINE, with lines counted from 1")
    return document, int(line)


def _event_row(event: dict[str, Any]) -> dict[str, Any]:
    """An event as a line of JSON."""
    shown = {name: event[name] for name in ("block", "row", "id", "source", "type", "subject", "meter")}
    return shown | {
        "time": instant_text(event["time"]),
        "quantity": f"{event['quantity'].normalize():f}",
        "data": event["data"],
    }


@operation("verify", NoParameters)
def verify(installation: Installation, _: NoParameters, output: Output) -> Outcome:
    """Read everything again: chain, digests, what was read from each event, usage, runs, documents."""
    ledger = installation.ledger
    head = ledger.head
    output.progress(f"reading {head.block} blocks")
    problems = list(_problems(installation, output))
    result = {
        "ok": not problems,
        "blocks": head.block,
        "events": ledger.accepted,
        "head": ledger.chain_at(head.block),
        "problems": [{"where": problem.where, "what": problem.what} for problem in problems],
    }
    return Outcome(result, 1 if problems else 0)


def _problems(installation: Installation, output: Output) -> Iterator[Problem]:
    try:
        yield from installation.ledger.problems(extraction_problems(installation))
        output.progress("rating past runs again")
        yield from run_problems(installation)
        output.progress("comparing documents")
        yield from document_problems(installation)
    except Damaged as damage:  # too much is wrong to look at the rest
        yield Problem(damage.where, damage.what)


@operation("verify run", OneRun, alone=False)
def verify_run(installation: Installation, asked: OneRun, output: Output) -> Outcome:
    """Rate one run again, whether it still stands or was discarded, and compare it with what is stored of it."""
    with installation.relational.connect() as connection:
        run = runs.find(connection, asked.run)
        if run is None:
            raise RequestError(f"there is no run {asked.run}: a close says the number of its run")
        if run.state == runs.RATING or run.reason == runs.CUT_SHORT:
            raise RequestError(f"run {run.id} was never done, so nothing of it was kept: close {run.period} again")
        output.progress(f"rating {run.period} again, at cutoff {run.manifest.cutoff}")
        try:
            problems = [
                Problem(f"run {run.id}", what) for what in repeat.problems(installation.ledger, connection, run)
            ]
        except Damaged as damage:
            problems = [Problem(damage.where, damage.what)]
    said = run.manifest
    if not problems and said.engine_version != runs.ENGINE_VERSION:
        raise RequestError(
            f"run {run.id} was rated by engine version {said.engine_version} and this is {runs.ENGINE_VERSION}: rate "
            "it again with the release that closed it; its stored charges are the ones it was closed with"
        )
    result = {
        "ok": not problems,
        "run": run.id,
        "tenant": run.tenant,
        "period": run.period,
        "state": run.state,
        "cutoff": str(said.cutoff),
        "catalog_version": said.catalog_version,
        "engine_version": said.engine_version,
        "charges": said.charges,
        "digest": said.output_digest,
        "problems": [{"where": problem.where, "what": problem.what} for problem in problems],
    }
    return Outcome(result, 1 if problems else 0)


@operation("status", OfTenant, alone=False)
def status(installation: Installation, asked: OfTenant, _: Output) -> Outcome:
    """What was taken in, from where, and what it adds up to."""
    ledger = installation.ledger
    cutoff = ledger.head.block
    sources = ledger.outcomes(asked.tenant, cutoff)
    totals = ledger.outcome_totals(asked.tenant, cutoff)
    meters = {
        meter: {"events": events, "quantity": quantity_text(quantity)}
        for meter, (events, quantity) in ledger.sums(asked.tenant, cutoff).items()
    }
    result = {
        "cutoff": str(cutoff),
        "received": sum(totals.values()),
        "outcomes": totals,
        "sources": sources,
        "meters": meters,
    }
    return Outcome(result)
