"""Reach ClickHouse through one API, whether it is a server or the engine in this process.

A handle runs one statement at a time, so there is one for each role: the writer never queues behind a report. The
reading handle is read-only in the engine itself, which also puts file(), url() and every other way out of the
database beyond anything a user can influence. Values reach a statement only as bound parameters.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import clickhouse_connect
import msgspec
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from ledger.errors import LedgerError, Unavailable, UnknownOutcome
from ledger.sql import statement

# Above every bound of a block, so that one insert is one part: 200,000 rows of 2 KB became three under the default.
ONE_PART_ROWS = 100_000_000
ONE_PART_BYTES = 64 * 2**30

# Disk full, memory limit, too many parts, no such file (a full temporary directory): refused before anything is kept.
NOTHING_STORED_CODES = {241, 243, 252}


class EngineSettings(msgspec.Struct, frozen=True):
    """Where the engine is and how much of the machine it may take."""

    path: str | None = None
    """Directory of the embedded engine; None for a server."""
    host: str = "127.0.0.1"
    port: int = 8123
    username: str = "default"
    password: str = ""
    database: str = "meterline"
    query_memory_bytes_max: int = 4 * 2**30
    threads_max: int = 0
    """0: as many as there are cores."""


class Handle:
    """One session with the engine; statements are named files of `ledger/sql`, values are parameters."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def run(self, name: str, **parameters: Any) -> None:
        """Execute the statement `name` for its effect."""
        with _translated(name):
            self._client.command(statement(name), parameters=parameters)

    def rows(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows the statement `name` answers; for small answers."""
        with _translated(name):
            return [tuple(row) for row in self._client.query(statement(name), parameters=parameters).result_rows]

    def row(self, name: str, **parameters: Any) -> tuple[Any, ...]:
        """The one row the statement `name` answers."""
        (row,) = self.rows(name, **parameters)
        return row

    def table(self, name: str, **parameters: Any) -> pa.Table:
        """The answer of statement `name` as columns."""
        with _translated(name):
            return self._client.query_arrow(statement(name), parameters=parameters)

    def insert(self, table: str, columns: pa.Table) -> None:
        """Insert `columns` as one part; raises UnknownOutcome where the engine's answer leaves it open."""
        with _translated(f"insert into {table}"):
            self._client.insert_arrow(table, columns.combine_chunks())

    def execute(self, text: str) -> None:
        """Execute one statement given as text: migrations and settings, never anything a user can influence."""
        with _translated(text.split("\n", 1)[0]):
            self._client.command(text)

    def ask(self, text: str) -> pa.Table:
        """The answer to one statement given as text; as with `execute`, never anything a user can influence."""
        with _translated(text.split("\n", 1)[0]):
            return self._client.query_arrow(text)

    def close(self) -> None:
        """End the session."""
        self._client.close()


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Turn the driver's errors into the ledger's."""
    try:
        yield
    except (ClickHouseError, OSError) as error:
        message = f"{doing}: {error}"
        if getattr(error, "code", None) in NOTHING_STORED_CODES:
            raise Unavailable(message) from error
        if doing.startswith("insert"):
            raise UnknownOutcome(message) from error
        raise LedgerError(message) from error


def open_handle(settings: EngineSettings, *, readonly: bool = False) -> Handle:
    """A session in the ledger's database, which is made if it is not there."""
    client = _client(settings, _session_settings(settings))
    if not readonly:
        client.command(f"CREATE DATABASE IF NOT EXISTS {settings.database}")
    client.database = settings.database
    if readonly:
        # Set last, and on the session: from here on the engine itself refuses writes, file() and url().
        client.set_client_setting("readonly", 1)
    return Handle(client)


def _session_settings(settings: EngineSettings) -> dict[str, Any]:
    return {
        "async_insert": 0,
        "deduplicate_insert": "disable",
        "min_insert_block_size_rows": ONE_PART_ROWS,
        "min_insert_block_size_bytes": ONE_PART_BYTES,
        "max_insert_block_size": ONE_PART_ROWS,
        "max_insert_threads": 1,
        "max_threads": settings.threads_max,
        "max_memory_usage": settings.query_memory_bytes_max,
        "max_bytes_before_external_group_by": settings.query_memory_bytes_max // 2,
        "max_bytes_before_external_sort": settings.query_memory_bytes_max // 2,
        "output_format_arrow_string_as_string": 1,
        "output_format_arrow_low_cardinality_as_dictionary": 0,
    }


def _client(settings: EngineSettings, session: dict[str, Any]) -> Client:
    if settings.path is None:
        return clickhouse_connect.get_client(
            host=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password,
            settings=session,
        )
    Path(settings.path).mkdir(parents=True, exist_ok=True)
    return clickhouse_connect.get_client(interface="chdb", path=settings.path, settings=session)


def migrate(handle: Handle, migrations: Sequence[tuple[str, str, str]]) -> None:
    """Apply what of `migrations` (number, digest, text) is missing; a digest that changed is refused."""
    handle.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (number String, digest String) ENGINE = MergeTree ORDER BY number"
    )
    applied = dict(handle.rows("migrations_applied"))
    for number, digest, text in migrations:
        if number in applied:
            if applied[number] != digest:
                raise LedgerError(f"migration {number} was changed after it was applied: restore the file it had")
            continue
        for one in filter(str.strip, text.split(";\n")):
            handle.execute(one.replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS "))
        record = pa.table({"number": [number], "digest": [digest]})
        handle.insert("schema_migrations", record)
