"""Apply a catalog: show what it changes, then make it the newest version, or say line by line what is wrong."""

import getpass

import msgspec

from meterline.installation import Installation, now_ms
from meterline.operations.registry import Outcome, Output, RequestError, operation
from meterline.tenants import checked_name
from rating import catalog_store


class Apply(msgspec.Struct, frozen=True):
    """The text of a catalog file."""

    text: str
    file: str
    tenant: str = "default"
    dry_run: bool = False


@operation("apply", Apply)
def apply(installation: Installation, asked: Apply, _: Output) -> Outcome:
    """Make the file the next version of the catalog; with a mistake in it, nothing is changed."""
    tenant = checked_name(asked.tenant)
    with installation.relational.begin() as connection:
        applied = catalog_store.apply(connection, tenant, asked.text, _actor(), now_ms(), dry_run=asked.dry_run)
    if isinstance(applied, list):
        mistakes = "\n".join(f"  {asked.file}: {mistake}" for mistake in sorted(applied))
        raise RequestError(f"{asked.file} has {len(applied)} mistakes; nothing was changed\n{mistakes}")
    if applied.changes and not asked.dry_run:
        installation.catalog_changed()
    changes = [msgspec.to_builtins(change) for change in applied.changes]
    return Outcome({"version": applied.version, "dry_run": asked.dry_run, "changes": changes})


def _actor() -> str:
    """Who runs this process; the service's user when it runs there, because only that user may open its socket."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
