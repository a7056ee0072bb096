"""Open one data directory: its lock, its relational store, its ledger, and the intake when events are to be taken.

One process opens an installation. Commands go to the running service when there is one, and open it themselves
otherwise; both run the same operations on the same object.
"""

import contextlib
import threading
import time
from functools import cached_property
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from ledger.engine import EngineSettings
from ledger.errors import Refused
from ledger.ledger import Ledger
from ledger.lock import DirectoryLock
from ledger.meters import meters_at
from ledger.relational import connect
from metering.columns import Admission, Bounds
from metering.intake import Intake, IntakeSettings
from meterline.migrations import upgrade
from meterline.settings import Settings
from posting.file_erp import FileErp
from rating.catalog_store import newest_version

ENGINE_DIRECTORY = "clickhouse"


def now_ms() -> int:
    """The time, in UTC milliseconds."""
    return time.time_ns() // 1_000_000


class Installation:
    """One data directory, open in this process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.directory = settings.data_directory.absolute()
        with contextlib.ExitStack() as opened:
            opened.enter_context(DirectoryLock(self.directory))
            self.relational = _relational(settings, self.directory)
            opened.callback(self.relational.dispose)
            self.ledger = opened.enter_context(
                Ledger(_engine(settings, self.directory), self.relational, self.directory)
            )
            self.erp = FileErp(Path(settings.erp_directory) if settings.erp_directory else self.directory / "erp")
            self._opened = opened.pop_all()
        self.stopping = False
        self.changing = threading.Lock()
        """Held by operations that change relational state, so that one is done before the next begins."""

    @cached_property
    def intake(self) -> Intake:
        """The way of events into the ledger; building it reads every identity back."""
        return Intake(self.ledger, self._admission(), _intake(self.settings), now_ms)

    def _admission(self) -> Admission:
        with self.relational.connect() as connection:
            version = newest_version(connection)
            return Admission(version, meters_at(connection, version))

    def catalog_changed(self) -> None:
        """Take events under the newest catalog from here on."""
        if "intake" in self.__dict__:
            self.intake.admission = self._admission()

    def close(self) -> None:
        """Finish what was accepted, and give the directory back."""
        with self._opened:
            if "intake" in self.__dict__:
                self.intake.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _relational(settings: Settings, directory: Path) -> sa.Engine:
    in_directory = sa.URL.create("sqlite", database=str(directory / "relational.sqlite"))
    engine = connect(settings.relational_url or in_directory)
    try:
        engine.connect().close()
    except sa.exc.DBAPIError as error:
        engine.dispose()
        where = engine.url.render_as_string(hide_password=True)
        raise Refused(f"the relational store {where} can't be opened: {error.orig}") from error
    upgrade(engine)
    return engine


def is_begun(settings: Settings) -> bool:
    """Whether there is a ledger to open, and not only a place for one; a server's is known when it is opened."""
    return bool(settings.clickhouse_host) or (settings.data_directory / ENGINE_DIRECTORY).is_dir()


def _engine(settings: Settings, directory: Path) -> EngineSettings:
    if not settings.clickhouse_host:
        return EngineSettings(
            path=str(directory / ENGINE_DIRECTORY), query_memory_bytes_max=settings.query_memory_bytes_max
        )
    return EngineSettings(
        host=settings.clickhouse_host,
        port=settings.clickhouse_port,
        username=settings.clickhouse_username,
        password=settings.clickhouse_password,
        query_memory_bytes_max=settings.query_memory_bytes_max,
    )


def _intake(settings: Settings) -> IntakeSettings:
    return IntakeSettings(
        body_bytes_max=settings.body_bytes_max,
        request_events_max=settings.request_events_max,
        inflight_bytes_max=settings.inflight_bytes_max,
        block_events_max=settings.block_events_max,
        block_bytes_max=settings.block_bytes_max,
        linger_ms=settings.linger_ms,
        bounds=Bounds(settings.late_days_max, settings.ahead_s_max),
    )
