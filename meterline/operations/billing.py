"""Close a period, take a close back, show its invoices, approve and post its documents."""

import re
from typing import Any

import msgspec
import pyarrow as pa
import sqlalchemy as sa

from ledger.errors import Damaged
from ledger.memory import release_memory
from metering.instants import DAY_MS, instant_text
from meterline.installation import Installation, now_ms
from meterline.operations.registry import RequestError, operation
from meterline.outcome import Outcome, Output
from meterline.tenants import checked_tenant
from posting import documents, outbox, reports
from posting.approval import approve as approve_documents
from posting.drafts import write_drafts
from posting.journal import journals
from posting.making import maker
from rating import catalog_store, runs
from rating import close as closing
from rating.as_known import rated_as_known
from rating.catalog_fields import day
from rating.conservation import Balance
from rating.periods import day_number, parse_period
from rating.repeat import are_as_closed
from rating.runs import Manifest


class OfPeriod(msgspec.Struct, frozen=True):
    """Whose period."""

    period: str
    tenant: str = "default"


class OfDocument(msgspec.Struct, frozen=True):
    """Whose document."""

    document: str
    tenant: str = "default"


class Close(msgspec.Struct, frozen=True):
    """Which period, and whether to write anything."""

    period: str
    tenant: str = "default"
    dry_run: bool = False


class AsKnown(msgspec.Struct, frozen=True):
    """Which period, and as of when: what was stored by then (None: all), at which day's prices (None: the newest)."""

    period: str
    tenant: str = "default"
    cutoff: str | None = None
    prices_as_of: str | None = None


class Discard(msgspec.Struct, frozen=True):
    """Which close to take back, and why."""

    period: str
    reason: str
    tenant: str = "default"


@operation("close", Close)
def close(installation: Installation, asked: Close, output: Output) -> Outcome:
    """Rate a period at a fixed cutoff and draft its documents; a period that is closed stays as it is."""
    ledger = installation.ledger
    _checked_period(asked.period)
    with installation.relational.connect() as connection:
        checked_tenant(connection, asked.tenant)
    output.progress(f"deriving usage up to block {ledger.head.block}, then rating {asked.period}")

    def draft(connection: sa.Connection, run: int, charges: pa.Table) -> None:
        write_drafts(connection, asked.tenant, asked.period, run, charges, now_ms())

    closed = closing.close(
        ledger,
        installation.relational,
        asked.tenant,
        asked.period,
        now_ms(),
        dry_run=asked.dry_run,
        on_rated=draft,
        processes=installation.settings.rating_processes,
    )
    outcome = _closed(installation, closed, asked)
    del closed
    release_memory()
    return outcome


@operation("close as known", AsKnown, alone=False)
def close_as_known(installation: Installation, asked: AsKnown, output: Output) -> Outcome:
    """What a period would have come to at an earlier cutoff or an earlier day's prices, whether it is closed or not."""
    _checked_period(asked.period)
    cutoff = _known_cutoff(asked.cutoff, installation.ledger.head.block)
    with installation.relational.connect() as connection:
        tenant = checked_tenant(connection, asked.tenant)
        version = _version_as_of(connection, tenant, asked.prices_as_of)
        output.progress(f"rating {asked.period} at cutoff {cutoff} with catalog version {version}")
        period = parse_period(asked.period)
        found = rated_as_known(installation.ledger, connection, tenant, version, period, cutoff, now_ms())
    return _closed(installation, found, asked)


CUTOFF = re.compile("[0-9]{1,20}")


def _known_cutoff(text: str | None, head: int) -> int:
    """The marked block that `text` names."""
    if text is None:
        return head
    if not CUTOFF.fullmatch(text) or not 1 <= int(text) <= head:
        there_are = f"they go from 1 to {head}" if head else "nothing is stored yet"
        raise RequestError(f"cutoff {text} is none of this ledger: {there_are}; each close and report says its own")
    return int(text)


def _version_as_of(connection: sa.Connection, tenant: str, text: str | None) -> int:
    """The newest catalog version of the end of a day."""
    if text is None:
        return catalog_store.newest_version(connection)
    try:
        end_ms = (day_number(day(text)) + 1) * DAY_MS
    except ValueError as error:
        raise RequestError(f"prices as of {text}: {error}") from error
    version = catalog_store.version_before(connection, tenant, end_ms)
    if version is None:
        raise RequestError(f"tenant {tenant} had no catalog on {text} (UTC): ask for the prices of a later day")
    return version


def _closed(installation: Installation, closed: closing.Closed | closing.Unbalanced, asked: Close | AsKnown) -> Outcome:
    """What a close, a dry run or a look back found."""
    if isinstance(closed, closing.Unbalanced):
        refused = _manifest_json(installation, closed.manifest) | {"run": None, "state": "refused"}
        message = "refused: usage is left over that is neither rated nor explained; nothing was kept"
        return Outcome(refused | {"message": message}, 1)
    result = _manifest_json(installation, closed.manifest) | {
        "run": closed.run,
        "state": closed.state,
        "new": closed.new,
        "message": _message(closed),
    }
    if closed.run is None and closed.charges is not None:
        result["documents"] = _preview(closed.charges, asked)
    return Outcome(result)


def _preview(charges: pa.Table, asked: Close | AsKnown) -> list[dict[str, Any]]:
    """Every document that a close would draft."""
    made = [{"kind": "invoice"} | one for one in reports.invoices(charges, asked.tenant, asked.period)["invoices"]]
    summaries = journals(charges, asked.tenant, asked.period)
    return made + [{"kind": "journal", "id": one.id, "lines": msgspec.to_builtins(one.lines)} for one in summaries]


def _message(closed: closing.Closed) -> str:
    if closed.state == "dry_run":
        return "a dry run: nothing was written"
    if closed.new:
        still = "" if closed.manifest.complete else "; it is not over yet, and what comes later is not in it"
        return f"closed as run {closed.run}{still}"
    later = f"; {closed.later_blocks} later blocks are not in it" if closed.later_blocks else ""
    return f"nothing changed: it is closed as run {closed.run} ({closed.state}){later}"


def _manifest_json(installation: Installation, manifest: Manifest) -> dict[str, Any]:
    """What a close says, for scripts and for people."""
    outcomes = installation.ledger.outcome_totals(manifest.tenant, manifest.cutoff)
    with installation.relational.connect() as connection:
        applied_at = catalog_store.applied_at(connection, manifest.catalog_version)
    return {
        "period": manifest.period,
        "complete": manifest.complete,
        "cutoff": str(manifest.cutoff),
        "catalog": {"version": manifest.catalog_version, "applied_at": instant_text(applied_at)},
        "events": manifest.events,
        "charges": manifest.charges,
        "totals": manifest.totals,
        "rounding": manifest.rounding,
        "residual": _residual(manifest.conservation),
        "received": {"total": sum(outcomes.values()), "outcomes": outcomes},
        "conservation": {line.meter: msgspec.to_builtins(line) for line in manifest.conservation},
        "unrated": msgspec.to_builtins(manifest.unrated),
        "manifest": {
            "chain": manifest.chain,
            "catalog_version": manifest.catalog_version,
            "engine_version": manifest.engine_version,
            "input_digest": manifest.input_digest,
            "output_digest": manifest.output_digest,
        },
    }


def _residual(conservation: list[Balance]) -> dict[str, Any]:
    """What no part of the equation explains: events in all, and units of the meters where there are some."""
    units = {line.meter: line.residual.quantity for line in conservation if line.residual.quantity != "0"}
    return {"events": sum(abs(line.residual.events) for line in conservation), "units": units}


@operation("discard", Discard)
def discard(installation: Installation, asked: Discard, _: Output) -> Outcome:
    """Take back a close that is not approved, with a reason, so that the period can be closed again."""
    _checked_period(asked.period)
    with installation.relational.begin() as connection:
        checked_tenant(connection, asked.tenant)
        run = runs.discard(connection, asked.tenant, asked.period, asked.reason, now_ms())
        dropped = documents.drop_drafts(connection, asked.tenant, asked.period, run.id)
    return Outcome({"period": asked.period, "run": run.id, "state": run.state, "documents_dropped": dropped})


@operation("invoices", OfPeriod, alone=False)
def invoices(installation: Installation, asked: OfPeriod, _: Output) -> Outcome:
    """The invoices of a closed period, line by line."""
    with installation.relational.connect() as connection:
        run = _live(connection, asked)
        charges = installation.ledger.read_charges(run.id)
        return Outcome({"run": run.id, "state": run.state} | reports.invoices(charges, asked.tenant, asked.period))


@operation("approve", OfPeriod)
def approve(installation: Installation, asked: OfPeriod, _: Output) -> Outcome:
    """Let a closed period's documents be posted; from here on the run can't be discarded."""
    with installation.relational.begin() as connection:
        run = _live(connection, asked)
        charges = installation.ledger.read_charges(run.id)
        if not are_as_closed(charges, run):
            raise Damaged(f"run {run.id}", "its charges are not the ones it was closed with: nothing was approved")
        runs.approve(connection, asked.tenant, asked.period)
        approved = approve_documents(connection, asked.tenant, asked.period, charges, now_ms())
        listed = reports.documents(connection, asked.tenant, asked.period)
    message = f"{approved} documents approved" if approved else "nothing changed: all of them were approved before"
    return Outcome(listed | {"message": message})


@operation("post", OfPeriod)
def post(installation: Installation, asked: OfPeriod, output: Output) -> Outcome:
    """Send what is approved to the ERP, invoices before the journal that summarizes them, each document once."""
    with installation.relational.connect() as connection:
        run = _live(connection, asked)
    if run.state != runs.APPROVED:
        raise RequestError(f"{asked.period} is not approved: `meterline approve {asked.period}` lets it be posted")
    charges = installation.ledger.read_charges(run.id)
    output.progress(f"posting {asked.period}")
    load = maker(charges, asked.tenant, asked.period)
    posted = outbox.post_all(
        installation.relational,
        installation.erp,
        asked.tenant,
        asked.period,
        load,
        now_ms,
        lambda: installation.stopping,
    )
    with installation.relational.connect() as connection:
        listed = reports.documents(connection, asked.tenant, asked.period)
    left = sum(document["state"] != documents.POSTED for document in listed["documents"])
    done = sum(result.state == documents.POSTED for result in posted)
    message = f"{done} of {len(posted)} documents posted" if posted else "nothing to post"
    if left and installation.stopping:
        message = (
            f"the service is stopping: {done} documents posted, {left} not; `meterline post {asked.period}` goes on"
        )
    return Outcome(listed | {"message": message}, 1 if left else 0)


@operation("release", OfDocument)
def release(installation: Installation, asked: OfDocument, _: Output) -> Outcome:
    """Let a document that the ERP refused be posted again, once what it was refused for is removed."""
    with installation.relational.begin() as connection:
        documents.release(connection, asked.tenant, asked.document, now_ms())
    return Outcome({"document": asked.document, "released": True})


def _checked_period(text: str) -> None:
    try:
        parse_period(text)
    except ValueError as error:
        raise RequestError(str(error)) from error


def _live(connection: sa.Connection, asked: OfPeriod) -> runs.Run:
    _checked_period(asked.period)
    run = runs.live_run(connection, checked_tenant(connection, asked.tenant), asked.period)
    if run is None:
        raise RequestError(f"{asked.period} is not closed: `meterline close {asked.period}` comes first")
    return run
