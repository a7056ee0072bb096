"""Keep every version of the catalog, and make a file the next one. Versions are numbered over all tenants."""

import hashlib
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from ledger.meters import meters, write_meters
from rating.catalog import Catalog, Change, difference, merged
from rating.catalog_reading import read
from rating.catalog_rows import ROWS, Row
from rating.catalog_tables import catalog_versions
from rating.yaml_page import Mistake


class Applied(msgspec.Struct, frozen=True):
    """What a file changed; without changes there is no new version."""

    version: int
    changes: list[Change]
    dry_run: bool


def apply(
    connection: sa.Connection, tenant: str, text: str, actor: str, now_ms: int, *, dry_run: bool = False
) -> Applied | list[Mistake]:
    """Make `text` part of the tenant's catalog, in the caller's transaction; with a mistake in it, nothing."""
    found = read(connection, tenant, newest_version(connection), text)
    if isinstance(found, list):
        return found
    return apply_catalog(connection, tenant, found.stored, found.new, text, actor, now_ms, dry_run=dry_run)


def apply_catalog(
    connection: sa.Connection,
    tenant: str,
    stored: Catalog,
    new: Catalog,
    source: str,
    actor: str,
    now_ms: int,
    *,
    dry_run: bool = False,
    drafted_by: str | None = None,
) -> Applied:
    """Make `new`, which has no faults on top of `stored`, the next version of the tenant's catalog.

    Of the catalog `stored` is all that `new` can touch, at least.
    """
    version = newest_version(connection)
    changes = difference(stored, new)
    if dry_run or not changes:
        return Applied(version + bool(changes), changes, dry_run)
    version += 1
    connection.execute(
        sa.insert(catalog_versions).values(
            version=version,
            tenant=tenant,
            applied_at=now_ms,
            actor=actor,
            drafted_by=drafted_by,
            source=source,
            digest=hashlib.blake2b(source.encode(), digest_size=32).hexdigest(),
        )
    )
    write_meters(connection, tenant, version, new.meters)
    after = merged(stored, new)
    for table, rows_of in ROWS.items():
        if table is meters:  # written above: rating only refers to them
            continue
        _write(connection, table, tenant, version, rows_of(stored), rows_of(after))
    return Applied(version, changes, dry_run)


def changed_tables(stored: Catalog, new: Catalog) -> list[sa.Table]:
    """The tables of which the upsert of `new` replaces rows or writes them."""
    after = merged(stored, new)
    return [table for table, rows_of in ROWS.items() if any(_changed(_key(table), rows_of(stored), rows_of(after)))]


def newest_version(connection: sa.Connection) -> int:
    """The newest catalog version, or 0 for the empty catalog."""
    return connection.execute(sa.select(sa.func.max(catalog_versions.c.version))).scalar() or 0


def version_before(connection: sa.Connection, tenant: str, instant_ms: int) -> int | None:
    """The newest catalog version applied before an instant, when the tenant had a catalog by then."""
    of_tenant = sa.case((catalog_versions.c.tenant == tenant, catalog_versions.c.version))
    query = sa.select(sa.func.max(catalog_versions.c.version), sa.func.min(of_tenant))
    newest, first = connection.execute(query.where(catalog_versions.c.applied_at < instant_ms)).one()
    return None if first is None else newest


def applied_at(connection: sa.Connection, version: int) -> int:
    """When catalog version `version` was applied, UTC milliseconds."""
    query = sa.select(catalog_versions.c.applied_at).where(catalog_versions.c.version == version)
    return int(connection.execute(query).scalar_one())


def _write(
    connection: sa.Connection, table: sa.Table, tenant: str, version: int, old: list[Row], new: list[Row]
) -> None:
    """Supersede the rows that are gone or changed, and insert the ones that are new or changed."""
    key = _key(table)
    gone, added = _changed(key, old, new)
    if gone:
        mine = sa.and_(table.c.tenant == tenant, *(table.c[column] == sa.bindparam(f"old_{column}") for column in key))
        statement = sa.update(table).where(mine, table.c.superseded.is_(None)).values(superseded=version)
        connection.execute(statement, [{f"old_{column}": row[column] for column in key} for row in gone])
    if added:
        connection.execute(sa.insert(table), [{"tenant": tenant, "version": version, **row} for row in added])


def _key(table: sa.Table) -> list[str]:
    return [column.name for column in table.primary_key if column.name not in {"tenant", "version"}]


def _changed(key: Sequence[str], old: list[Row], new: list[Row]) -> tuple[list[Row], list[Row]]:
    """The rows that are gone or changed as they were, and those that are new or changed as they are."""

    def keyed(rows: list[Row]) -> dict[tuple[str, ...], Row]:
        return {tuple(row[column] for column in key): row for row in rows}

    before, after = keyed(old), keyed(new)
    gone = [row for row_key, row in before.items() if after.get(row_key) != row]
    return gone, [row for row_key, row in after.items() if before.get(row_key) != row]


def difference_digest(stored: Catalog, new: Catalog) -> str:
    """What the upsert of `new` replaces and writes, row by row, in 16 hex digits.

    Not of the words that `difference` finds for it: they name five of a customer's subjects, and count the others.
    """
    after = merged(stored, new)
    said = [
        (str(table.name), *_changed(_key(table), rows_of(stored), rows_of(after))) for table, rows_of in ROWS.items()
    ]
    return hashlib.blake2b(msgspec.json.encode(said, order="sorted"), digest_size=8).hexdigest()
