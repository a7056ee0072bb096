"""Open the relational store (SQLite or PostgreSQL) and hold the metadata on which every package declares its tables.

What is small and changes lives here: keys, catalog, runs, documents. What grows with events lives in ClickHouse.
"""

import glob
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ledger.errors import Refused

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

EXPECTED = (
    "expected postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, with the package psycopg[binary] installed beside this "
    "one, or nothing for a file in the data directory"
)


def connect(url: str | sa.URL) -> sa.Engine:
    """An engine for `url`; on SQLite a commit is on the disk before it returns, as on PostgreSQL."""
    engine = _engine(url)
    if engine.dialect.name == "sqlite":
        if engine.url.database:
            _make_private(Path(engine.url.database))
        sa.event.listen(engine, "connect", _make_sqlite_durable)
    return engine


def _engine(url: str | sa.URL) -> sa.Engine:
    """An engine of one of the two kinds there are; no message holds the address, which may hold a password."""
    try:
        kind = sa.make_url(url).get_backend_name()
    except sa.exc.ArgumentError as error:
        raise Refused(f"relational_url can't be read: {EXPECTED}") from error
    if kind not in ("postgresql", "sqlite"):
        raise Refused(f"relational_url begins with {kind}: {EXPECTED}")
    try:
        return sa.create_engine(url)
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise Refused(f"relational_url asks for a driver that is not installed ({error}): {EXPECTED}") from error


def _make_private(file: Path) -> None:
    """Let only its owner open `file`, which holds hashes of keys and the ledger's secret.

    SQLite gives the files it puts beside it the same mode. One that is there is not opened here: to close it would
    give up the locks that this process may have on it.
    """
    try:
        file.touch(0o600)
        for one in (file, *file.parent.glob(f"{glob.escape(file.name)}-*")):
            one.chmod(0o600)
    except OSError as error:
        raise Refused(f"{file} can't be used as the relational store: {error.strerror}") from error


def _make_sqlite_durable(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA busy_timeout = 10000")
    cursor.close()
