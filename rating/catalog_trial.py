"""Try a file on the newest catalog without applying it: what it changes stands in for what is stored.

A table that the file changes a row of is copied into temporary tables of a connection of its own, where a name is
looked up first; every other one is read where it is. So nothing of a draft can be billed, nobody waits for it, and a
file that changes prices alone copies none of the customers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import sqlalchemy as sa

from rating import catalog_store as store
from rating.catalog_reading import Reading, read
from rating.catalog_tables import catalog_versions
from rating.yaml_page import Mistake

ONE_STATE = {"sqlite": "BEGIN", "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"}
"""What makes a new connection see one state of the store until it is rolled back: a version that is applied meanwhile
has the number of the draft's."""

TEMPORARY = {"sqlite": "temp", "postgresql": "pg_temp"}
"""The schema of a connection's own tables."""


class Draft(NamedTuple):
    """A catalog that nobody applied, as the next version; only this connection sees it."""

    connection: sa.Connection
    version: int


@contextmanager
def drafted(engine: sa.Engine, tenant: str, text: str) -> Iterator[Draft | list[Mistake]]:
    """The tenant's newest catalog with the file `text` applied to it, or what is wrong with the file."""
    with apart(engine) as own:
        found = read(own, tenant, store.newest_version(own), text)
        yield found if isinstance(found, list) else tried(own, tenant, found)


@contextmanager
def apart(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that sees the store as it is now, and whose own changes, tables among them, go with it."""
    with engine.connect() as own:
        own.exec_driver_sql(ONE_STATE[own.dialect.name])
        try:
            yield own
        finally:
            own.rollback()


def tried(own: sa.Connection, tenant: str, reading: Reading) -> Draft:
    """What was read of a file, as the next version for a connection that is `apart`."""
    newest = {"version": store.newest_version(own), "tenant": tenant, "applied_at": 0}
    schema = own.dialect.default_schema_name
    assert schema is not None
    for table in store.changed_tables(*reading):
        stored = table.to_metadata(sa.MetaData(), schema=schema)
        rows = sa.select(stored).where(stored.c.tenant == tenant)
        own.execute(sa.insert(_standing_in(own, table)).from_select(stored.columns.keys(), rows))
    # Of the versions no more than the newest number: each keeps the whole text of its file.
    said = dict.fromkeys(("actor", "source", "digest"), "")
    own.execute(sa.insert(_standing_in(own, catalog_versions)).values(newest | said))
    return Draft(own, store.apply_catalog(own, tenant, *reading, "", "", 0).version)


def _standing_in(own: sa.Connection, table: sa.Table) -> sa.Table:
    """An empty table of the connection's own in the place of `table`; without indexes, but for its key."""
    copy = table.to_metadata(sa.MetaData(), schema=TEMPORARY[own.dialect.name])
    own.execute(sa.schema.CreateTable(copy))
    return copy
