"""Show what was kept and not counted, conflicts and quarantine, and replay what can be counted by now."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from ledger.block import ACCEPTED
from ledger.errors import Unavailable
from metering.columns import columns
from metering.events import Event, fields_of
from metering.instants import instant_text
from metering.intake import OverloadedError, StoppedError
from metering.requests import Answer
from meterline.copies import accepted
from meterline.installation import Installation, now_ms
from meterline.operations.registry import operation
from meterline.outcome import Outcome, Output
from meterline.reports import event_json

PAGE = 5_000
SHOWN_MAX = 1_000
BODY_BYTES = 2**20
OVERLOADED_PAUSE_S = 0.1
OVERLOADED_TRIES = 300
"""How often a replay asks again while the service has no room: for half a minute."""


class Kept(msgspec.Struct, frozen=True):
    """Whose events, and how many to show."""

    tenant: str = "default"
    limit: int = SHOWN_MAX


class Replay(msgspec.Struct, frozen=True):
    """Which events to try again: all in quarantine, or those of one source or id."""

    tenant: str = "default"
    source: str | None = None
    id: str | None = None


@operation("quarantine", Kept, alone=False)
def quarantine(installation: Installation, asked: Kept, _: Output) -> Outcome:
    """Events that could not be counted and still are not, each with its reason."""
    shown: list[dict[str, Any]] = []
    reasons: dict[str, int] = {}
    for page in _open_quarantine(installation, asked.tenant):
        for row in page:
            reasons[row["reason"]] = reasons.get(row["reason"], 0) + 1
        shown += [event_json(row) for row in page[: asked.limit - len(shown)]]
    return Outcome({"open": sum(reasons.values()), "reasons": reasons, "quarantined": shown})


@operation("conflicts", Kept, alone=False)
def conflicts(installation: Installation, asked: Kept, _: Output) -> Outcome:
    """Second bodies under an identity that was taken, each beside the first, which stands."""
    pairs: list[dict[str, Any]] = []
    ledger, index, after = installation.ledger, installation.intake.index, (0, 0)
    while page := ledger.kept_events(asked.tenant, "conflict", after, min(PAGE, asked.limit - len(pairs))):
        after = (page[-1]["block"], page[-1]["row"])
        identities = [int.from_bytes(row["identity"], "little") for row in page]
        firsts = accepted(ledger, index, asked.tenant, identities, ledger.head.block)
        first_of = {row["identity"]: event_json(row) for row in firsts}
        pairs += [{"first": first_of[row["identity"]], "second": event_json(row)} for row in page]
    return Outcome({"conflicts": pairs})


@operation("replay", Replay)
def replay(installation: Installation, asked: Replay, output: Output) -> Outcome:
    """Send again, through the same intake, what the catalog of today can count; the rest stays where it is."""
    counts = {"replayed": 0, "accepted": 0, "duplicates": 0, "conflicts": 0, "left": 0}
    try:
        for page in _open_quarantine(installation, asked.tenant):
            wanted = [row for row in page if asked.source in (None, row["source"]) and asked.id in (None, row["id"])]
            countable = _countable(installation, asked.tenant, wanted)
            counts["left"] += len(wanted) - len(countable)
            for lines in _bodies(map(as_sent, countable)):
                answer = _answer(installation, asked.tenant, b"\n".join(lines))
                counts["replayed"] += len(lines)
                counts["accepted"] += answer.accepted
                counts["duplicates"] += answer.duplicates
                counts["conflicts"] += answer.conflicts
                counts["left"] += answer.quarantined
            if countable:
                output.progress(f"{counts['replayed']} events replayed")
    except (OverloadedError, StoppedError, Unavailable) as error:
        message = f"cut short: {error}. What was replayed counts; run it again to go on with the rest"
        return Outcome(counts | {"message": message}, 1)
    return Outcome(counts)


def _answer(installation: Installation, tenant: str, body: bytes) -> Answer:
    """What the intake answers to `body`; while it has no room it is asked again, for a bounded time."""
    for _ in range(OVERLOADED_TRIES):
        try:
            return installation.intake.submit(tenant, body, "application/x-ndjson").result()
        except OverloadedError:
            time.sleep(OVERLOADED_PAUSE_S)
        if installation.stopping:
            raise StoppedError("the service is stopping")
    raise OverloadedError("the service has no room for more (inflight_bytes_max)")


def _bodies(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """`lines` in as few bodies as the intake takes: events may be large, and a page of them more than one body."""
    taken: list[bytes] = []
    nbytes = 0
    for line in lines:
        if taken and nbytes + len(line) > BODY_BYTES:
            yield taken
            taken, nbytes = [], 0
        taken.append(line)
        nbytes += len(line) + 1
    if taken:
        yield taken


def _open_quarantine(installation: Installation, tenant: str) -> Iterator[list[dict[str, Any]]]:
    """What is in quarantine and has not been accepted since, a page at a time."""
    after = (0, 0)
    while page := installation.ledger.kept_events(tenant, "quarantined", after, PAGE):
        after = (page[-1]["block"], page[-1]["row"])
        identity = np.frombuffer(b"".join(row["identity"] for row in page), dtype=np.uint64).reshape(-1, 2)
        known = installation.intake.index.find(identity).known
        yield [row for row, since in zip(page, known.tolist(), strict=True) if not since]


def _countable(installation: Installation, tenant: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of `rows` that would be accepted now."""
    intake = installation.intake
    bounds = intake.bounds
    time = np.array([row["time"] for row in rows], np.int64)
    events = fields_of([as_event(row) for row in rows], time)
    made = columns(tenant, events, intake.admission, intake.hasher, bounds, now_ms())
    return [row for row, outcome in zip(rows, made.outcome.tolist(), strict=True) if outcome == ACCEPTED]


def as_event(row: dict[str, Any]) -> Event:
    """A stored event as it was read."""
    when = instant_text(row["time"])
    return Event(row["id"], row["source"], row["type"], row["subject"], when, msgspec.Raw(row["data"].encode()))


def as_sent(row: dict[str, Any]) -> bytes:
    """A stored event as a line that can be sent."""
    return msgspec.json.encode(as_event(row))
