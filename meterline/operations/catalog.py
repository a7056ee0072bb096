"""Apply a catalog: make it the newest version, or a draft for review, or say line by line what is wrong with it."""

import getpass
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from meterline.installation import Installation, now_ms
from meterline.operations.registry import RequestError, operation
from meterline.outcome import Outcome, Output
from meterline.tenants import checked_name
from rating import catalog_drafts, catalog_store
from rating.catalog import Change
from rating.yaml_page import Mistake

ACTOR_CHARACTERS_MAX = 64


class Apply(msgspec.Struct, frozen=True):
    """The text of a catalog file, and who applies it."""

    text: str
    file: str
    tenant: str = "default"
    dry_run: bool = False
    actor: str | None = None


@operation("apply", Apply)
def apply(installation: Installation, asked: Apply, _: Output) -> Outcome:
    """Make the file the next version of the catalog, or a draft of it; with a mistake in it, nothing is changed."""
    tenant, actor = checked_name(asked.tenant), actor_of(asked.actor)
    if installation.settings.catalog_needs_review and not asked.dry_run:
        with installation.relational.begin() as connection:
            return _drafted(connection, tenant, actor, asked)
    with installation.relational.begin() as connection:
        applied = catalog_store.apply(connection, tenant, asked.text, actor, now_ms(), dry_run=asked.dry_run)
    if isinstance(applied, list):
        raise _mistaken(asked, applied)
    if applied.changes and not asked.dry_run:
        installation.catalog_changed()
    changes = changes_json(applied.changes)
    return Outcome({"version": applied.version, "dry_run": asked.dry_run, "draft": None, "changes": changes})


def _drafted(connection: sa.Connection, tenant: str, actor: str, asked: Apply) -> Outcome:
    """Keep the file as a draft, unless it changes nothing."""
    reading = catalog_drafts.read(connection, tenant, asked.text)
    if isinstance(reading, list):
        raise _mistaken(asked, reading)
    number = None
    if reading.changes:
        number = catalog_drafts.keep(connection, tenant, asked.text, reading, actor, now_ms())
    changes = changes_json(reading.changes)
    return Outcome({"version": reading.version, "dry_run": False, "draft": number, "changes": changes})


def _mistaken(asked: Apply, mistakes: Sequence[Mistake]) -> RequestError:
    return RequestError(told(asked.file, f"{asked.file} has {len(mistakes)} mistakes; nothing was changed", mistakes))


def told(file: str, heading: str, mistakes: Sequence[Mistake]) -> str:
    """The mistakes of a file, line by line."""
    return "\n".join([heading, *(f"  {file}: {mistake}" for mistake in sorted(mistakes))])


def changes_json(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """A difference, for scripts and for people."""
    return [msgspec.to_builtins(change) for change in changes]


def actor_of(name: str | None) -> str:
    """Who does this: the name that was given, or who runs this process."""
    if name is None:
        return _process_user()
    actor = name.strip()
    if not actor or len(actor) > ACTOR_CHARACTERS_MAX or not actor.isprintable():
        raise RequestError(f"{name!r} can't be a person's name: expected 1 to {ACTOR_CHARACTERS_MAX} printable letters")
    return actor


def _process_user() -> str:
    """The service's user when it runs there, because only that user may open its socket."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
