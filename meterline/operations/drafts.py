"""Show, approve and reject drafts of the catalog."""

from typing import Any

import msgspec
import sqlalchemy as sa

from metering.instants import instant_text
from meterline.installation import Installation, now_ms
from meterline.operations.catalog import actor_of, changes_json, told
from meterline.operations.proof import OfTenant
from meterline.operations.registry import RequestError, operation
from meterline.outcome import Outcome, Output
from meterline.tenants import checked_name
from rating import catalog_drafts
from rating.catalog_drafts import Approval, Draft
from rating.yaml_page import Mistake


class OneDraft(msgspec.Struct, frozen=True):
    """Which draft."""

    number: int
    tenant: str = "default"


class Approve(msgspec.Struct, frozen=True):
    """Which draft, who approves it, and the digest of the difference that they were shown."""

    number: int
    shown: str
    actor: str | None = None
    tenant: str = "default"


class Reject(msgspec.Struct, frozen=True):
    """Which draft, who rejects it, and why."""

    number: int
    reason: str
    actor: str | None = None
    tenant: str = "default"


@operation("drafts", OfTenant, alone=False)
def drafts(installation: Installation, asked: OfTenant, _: Output) -> Outcome:
    """Every draft, the newest first."""
    with installation.relational.connect() as connection:
        found = catalog_drafts.listed(connection, checked_name(asked.tenant))
    return Outcome({"drafts": [_draft_json(draft) for draft in found]})


@operation("drafts show", OneDraft, alone=False)
def show(installation: Installation, asked: OneDraft, _: Output) -> Outcome:
    """What a draft changes in the catalog of this moment; of one that was decided, what is recorded."""
    with installation.relational.connect() as connection:
        draft = _found(connection, asked.tenant, asked.number)
        if draft.state != catalog_drafts.DRAFT:
            changes = catalog_drafts.recorded(connection, draft)
            return Outcome(_draft_json(draft) | {"changes": changes_json(changes), "shown": draft.digest})
        reading = catalog_drafts.read_again(connection, draft)
    if isinstance(reading, list):
        raise _has_mistakes(draft, reading)
    against = {"against": reading.version, "changes": changes_json(reading.changes), "shown": reading.digest}
    return Outcome(_draft_json(draft) | against)


@operation("drafts approve", Approve)
def approve(installation: Installation, asked: Approve, _: Output) -> Outcome:
    """Make a draft the next version of the catalog, if it makes the difference that the approving person was shown."""
    actor = actor_of(asked.actor)
    with installation.relational.begin() as connection:
        before = _found(connection, asked.tenant, asked.number)
        done = catalog_drafts.approve(connection, before, asked.shown, actor, now_ms())
        draft = _found(connection, asked.tenant, asked.number)
    if isinstance(done, list):
        raise _has_mistakes(draft, done)
    if isinstance(done, Approval):
        if done.new:
            installation.catalog_changed()
        return Outcome(_draft_json(draft) | {"new": done.new})
    message = (
        f"refused: draft {draft.number} makes another difference now than {asked.shown}: look at this one; "
        f"`--shown {done.digest}` approves it"
    )
    another = {"against": done.version, "changes": changes_json(done.changes), "shown": done.digest}
    return Outcome(_draft_json(draft) | another | {"message": message}, 1)


@operation("drafts reject", Reject)
def reject(installation: Installation, asked: Reject, _: Output) -> Outcome:
    """Drop a draft, with a reason."""
    actor = actor_of(asked.actor)
    with installation.relational.begin() as connection:
        draft = _found(connection, asked.tenant, asked.number)
        new = catalog_drafts.reject(connection, draft, asked.reason, actor, now_ms())
        draft = _found(connection, asked.tenant, asked.number)
    return Outcome(_draft_json(draft) | {"new": new})


def _found(connection: sa.Connection, tenant: str, number: int) -> Draft:
    draft = catalog_drafts.find(connection, checked_name(tenant), number)
    if draft is None:
        raise RequestError(f"tenant {tenant} has no draft {number}: `meterline drafts --tenant {tenant}` lists them")
    return draft


def _has_mistakes(draft: Draft, mistakes: list[Mistake]) -> RequestError:
    name = f"draft {draft.number}"
    return RequestError(told(name, f"{name} has {len(mistakes)} mistakes by now; it stays a draft", mistakes))


def _draft_json(draft: Draft) -> dict[str, Any]:
    """A draft, for scripts and for people."""
    return {
        "draft": draft.number,
        "tenant": draft.tenant,
        "state": draft.state,
        "by": draft.drafted_by,
        "when": instant_text(draft.drafted_at),
        "base_version": draft.base_version,
        "changes": draft.changes,
        "decided_by": draft.decided_by,
        "decided": None if draft.decided_at is None else instant_text(draft.decided_at),
        "reason": draft.reason,
        "version": draft.version,
    }
