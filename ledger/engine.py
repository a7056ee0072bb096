"""Reach ClickHouse through one API, whether it is a server or the engine in this process.

A handle runs one statement at a time, so there is one for each role: the writer never queues behind a report. The
reading handle is read-only in the engine itself, which also refuses the table functions file() and url(). What a user
can influence reaches a statement only as a bound parameter, and every statement is a file of `ledger/sql`.

A server goes on with an insert whose client has gone away, so "it is not there" would be no answer while it does. Who
writes therefore has a session with a name, in which the server runs one statement at a time, and whoever looks later
looks in that session, after a restart too: the look waits for the insert, and is refused if that takes too long.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import clickhouse_connect
import msgspec
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from ledger.binding import bound
from ledger.errors import LedgerError, Unavailable, UnknownOutcome
from ledger.sql import statement

# Above every bound of a block, so that one insert is one part: 200,000 rows of 2 KB became three under the default.
ONE_PART_ROWS = 100_000_000
ONE_PART_BYTES = 64 * 2**30

# A list of values may stand in a statement's text.
STATEMENT_BYTES_MAX = 2**30

# Too many statements at once, too many parts: refused before anything is kept.
NOTHING_STORED_CODES = {202, 252}

# Memory limit, disk full: can end a statement at any moment, an insert right after its part was kept too.
SHORT_OF_ROOM_CODES = {241, 243}

PART_ROWS_MAX = 250_000
"""Of rows that need not be one part."""

SESSION_IS_LOCKED = 373
SESSION_PAUSE_S = 0.05

Answer = TypeVar("Answer")


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
    session_wait_s: float = 30.0
    """How long a statement waits for one that a lost connection left running on a server."""


class Handle:
    """One session with the engine; statements are named files of `ledger/sql`, values are parameters."""

    def __init__(self, client: Client, session_wait_s: float = 0.0) -> None:
        self._client = client
        self._session_wait_s = session_wait_s
        self._turn = threading.Lock()

    def run(self, name: str, **parameters: Any) -> None:
        """Execute the statement `name` for its effect."""
        text, beside = bound(statement(name), parameters)
        self._do(name, lambda: self._client.command(text, parameters=beside))

    def rows(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows the statement `name` answers; for small answers."""
        text, beside = bound(statement(name), parameters)
        return [tuple(row) for row in self._do(name, lambda: self._client.query(text, parameters=beside).result_rows)]

    def row(self, name: str, **parameters: Any) -> tuple[Any, ...]:
        """The one row the statement `name` answers."""
        (row,) = self.rows(name, **parameters)
        return row

    def table(self, name: str, **parameters: Any) -> pa.Table:
        """The answer of statement `name` as columns."""
        text, beside = bound(statement(name), parameters)
        return self._do(name, lambda: self._client.query_arrow(text, parameters=beside))

    def insert(self, table: str, columns: pa.Table) -> None:
        """Insert `columns` as one part, sent once; raises UnknownOutcome where the engine's answer leaves it open."""
        # A body of bytes the driver sends again by itself when the connection is lost; this goes as a buffer, once.
        whole = columns.combine_chunks()
        self._do(f"insert into {table}", lambda: self._client.insert_arrow(table, whole))

    def insert_in_parts(self, table: str, columns: pa.Table) -> None:
        """Insert `columns` as parts of a bounded size, in their order; when one raises, those before it are there."""
        # The engine holds what it takes at once in its memory, several times: millions of lines were more than it may.
        for first in range(0, len(columns), PART_ROWS_MAX):
            self.insert(table, columns.slice(first, PART_ROWS_MAX))

    def execute(self, text: str) -> None:
        """Execute one statement given as text: migrations and settings, never anything a user can influence."""
        self._do(text.split("\n", 1)[0], lambda: self._client.command(text))

    def ask(self, text: str) -> pa.Table:
        """The answer to one statement given as text; as with `execute`, never anything a user can influence."""
        return self._do(text.split("\n", 1)[0], lambda: self._client.query_arrow(text))

    def _do(self, doing: str, ask: Callable[[], Answer]) -> Answer:
        with self._turn, _translated(doing):
            return _once_free(ask, self._session_wait_s)

    def close(self) -> None:
        """End the session."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Turn the driver's errors into the ledger's."""
    try:
        yield
    except (ClickHouseError, OSError) as error:
        message = f"{doing}: {error}"
        code = getattr(error, "code", None)
        if code in NOTHING_STORED_CODES or _never_left(error):
            raise Unavailable(message) from error
        if doing.startswith("insert"):
            raise UnknownOutcome(message) from error
        if code in SHORT_OF_ROOM_CODES:
            raise Unavailable(message) from error
        raise LedgerError(message) from error


def _once_free(ask: Callable[[], Answer], session_wait_s: float) -> Answer:
    """What `ask` gives when its session is free: a statement that is refused because it is not was not executed."""
    until = time.monotonic() + session_wait_s
    while True:
        try:
            return ask()
        except ClickHouseError as error:
            if getattr(error, "code", None) != SESSION_IS_LOCKED or time.monotonic() >= until:
                raise
        time.sleep(SESSION_PAUSE_S)


def _never_left(error: BaseException) -> bool:
    """Whether there was no connection to send anything on."""
    return isinstance(getattr(error.__cause__, "reason", None), ConnectTimeoutError | NewConnectionError)


def open_handle(
    settings: EngineSettings, *, readonly: bool = False, one_thread: bool = False, session: str = ""
) -> Handle:
    """A handle on the ledger's database, which is made if it is not there; `session` names who writes through it.

    In one thread, the engine sums usage as it lies and answers in that order; several merge what they summed by hashing
    it, which takes half as long again.
    """
    with _translated(f"open the engine at {settings.path or f'{settings.host}:{settings.port}'}"):
        client = _once_free(lambda: _client(settings, session), settings.session_wait_s)
        if not readonly:
            client.command(f"CREATE DATABASE IF NOT EXISTS {settings.database}")
        client.database = settings.database
        if readonly:
            # Usage lies in the order it is summed in: a quarter less work than hashing it.
            client.set_client_setting("optimize_aggregation_in_order", 1)
            if one_thread:
                client.set_client_setting("max_threads", 1)
                client.set_client_setting("output_format_arrow_low_cardinality_as_dictionary", 1)
            # Set last: from here on the engine itself refuses writes, file() and url().
            client.set_client_setting("readonly", 1)
    return Handle(client, settings.session_wait_s)


def _session_settings(settings: EngineSettings) -> dict[str, Any]:
    return {
        "async_insert": 0,
        "deduplicate_insert": "disable",
        "min_insert_block_size_rows": ONE_PART_ROWS,
        "min_insert_block_size_bytes": ONE_PART_BYTES,
        "max_insert_block_size": ONE_PART_ROWS,
        "max_insert_threads": 1,
        # A step of usage may hold events of any number of months; it need not be one part.
        "max_partitions_per_insert_block": 0,
        "max_query_size": STATEMENT_BYTES_MAX,
        "max_memory_usage": settings.query_memory_bytes_max,
        "max_bytes_before_external_group_by": settings.query_memory_bytes_max // 2,
        "max_bytes_before_external_sort": settings.query_memory_bytes_max // 2,
        "output_format_arrow_string_as_string": 1,
        "output_format_arrow_low_cardinality_as_dictionary": 0,
    }


def _client(settings: EngineSettings, session: str) -> Client:
    if settings.path is None:
        return clickhouse_connect.get_client(
            host=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password,
            settings=_session_settings(settings),
            session_id=f"{settings.database}.{session}" if session else None,
            autogenerate_session_id=False,
            dedicated_pool=True,  # so that closing the handle closes its connections
        )
    Path(settings.path).mkdir(parents=True, exist_ok=True, mode=0o700)
    return clickhouse_connect.get_client(interface="chdb", path=settings.path, settings=_session_settings(settings))


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
