"""Answer GET /v1/usage and GET /v1/events, each at a cutoff and for one tenant.

A question that can't be answered as asked is refused with what was expected; nothing is guessed.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ledger.ledger import Ledger
from ledger.meters import Meter
from ledger.scale import quantity_text
from metering.identity import Hasher, IdentityIndex
from metering.instants import instant, instant_text
from meterline.copies import copies

GROUPS_MAX = 100_000
USAGE_PARAMETERS = {"meter", "from", "to", "group_by", "subject", "cutoff"}
EVENT_PARAMETERS = {"source", "id"}
CUTOFF = re.compile("[0-9]{1,20}")

Query = Mapping[str, Sequence[str]]


class QuestionError(ValueError):
    """A question that can't be answered as asked."""


def usage_report(ledger: Ledger, tenant: str, meters: Sequence[Meter], query: Query) -> dict[str, Any]:
    """Usage of one meter in a span of time, grouped as asked."""
    known_only(query, USAGE_PARAMETERS)
    meter = _meter(meters, only_one(query, "meter"))
    start, end = _instant(query, "from"), _instant(query, "to")
    if start >= end:
        raise QuestionError("from is not before to: the span is from <= time < to")
    names = [name for text in query.get("group_by", []) for name in text.split(",") if name]
    groups = ["subject", *meter.dimensions]
    if unknown := [name for name in names if name not in groups]:
        raise QuestionError(f"group_by={unknown[0]}: meter {meter.name} groups by {', '.join(groups)}")
    cutoff = _cutoff(query, ledger.head.block)
    found = ledger.usage_report(
        tenant, meter.name, start, end, cutoff, names, list(query.get("subject", [])), GROUPS_MAX
    )
    if len(found) > GROUPS_MAX:
        raise QuestionError(f"the answer has more than {GROUPS_MAX} groups: ask for a shorter span, or for one subject")
    rows = [
        {**dict(zip(names, key, strict=True)), "quantity": quantity_text(quantity), "events": events}
        for key, quantity, events in found
    ]
    return {"cutoff": str(cutoff), "rows": rows}


def events_report(ledger: Ledger, index: IdentityIndex, hasher: Hasher, tenant: str, query: Query) -> dict[str, Any]:
    """Every copy of one event that is kept, and which of them counts."""
    known_only(query, EVENT_PARAMETERS)
    source, event_id = only_one(query, "source"), only_one(query, "id")
    cutoff = ledger.head.block
    found = copies(ledger, index, tenant, hasher.identity(tenant, source, event_id), cutoff)
    return {"cutoff": str(cutoff), "events": [event_json(copy) for copy in found]}


def event_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """An event as it is shown: where it is, what became of it, and what it said."""
    said = {"outcome": row["outcome"]} if "outcome" in row else {}
    return {
        **said,
        "block": row["block"],
        "row": row["row"],
        "received": instant_text(row["received"]),
        **({"reason": row["reason"]} if row["reason"] else {}),
        "id": row["id"],
        "source": row["source"],
        "type": row["type"],
        "subject": row["subject"],
        "time": instant_text(row["time"]),
        "data": row["data"],
    }


def known_only(query: Query, known: set[str]) -> None:
    """Refuse a parameter that nobody reads."""
    for name in query:
        if name not in known:
            raise QuestionError(f"unknown parameter {name}: expected {', '.join(sorted(known))}")


def only_one(query: Query, name: str) -> str:
    """The value of a parameter that is given once."""
    values = query.get(name, [])
    if len(values) != 1 or not values[0]:
        raise QuestionError(f"expected {name}=... once")
    return values[0]


def _instant(query: Query, name: str) -> int:
    text = only_one(query, name)
    found = instant(text)
    if found is None:
        raise QuestionError(f"{name}={text}: expected an RFC 3339 time with a zone, such as 2026-11-01T00:00:00Z")
    return found


def _meter(meters: Sequence[Meter], name: str) -> Meter:
    for meter in meters:
        if meter.name == name:
            return meter
    known = ", ".join(meter.name for meter in meters) or "none"
    raise QuestionError(f"no meter is named {name}: the meters are {known}")


def _cutoff(query: Query, head: int) -> int:
    texts = query.get("cutoff", [])
    if not texts:
        return head
    if len(texts) > 1 or not CUTOFF.fullmatch(texts[0]) or int(texts[0]) > head:
        raise QuestionError(f"cutoff={texts[-1]}: expected a cutoff that an answer gave; the newest is {head}")
    return int(texts[0])
