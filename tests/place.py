"""A place where a ledger lives: a database of the one engine a process may have, a relational file, a directory.

A ledger that is opened twice in one place is a restart. What an intruder does goes through `raw`, a handle that may
write anything.
"""

import contextlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

import ledger.anchor
import ledger.meters  # noqa: F401 - declares its table
from ledger.block import ACCEPTED, SCHEMA, Marker
from ledger.engine import EngineSettings, Handle, open_handle
from ledger.ledger import Ledger
from ledger.meters import Meter, meters_at, write_meters
from ledger.relational import connect, metadata
from ledger.verify import Problem
from metering.columns import Admission
from metering.intake import Intake, IntakeSettings
from metering.requests import Answer

NOON_MS = 1_793_534_400_000
NOON = "2026-11-01T12:00:00.000Z"
METERS = [
    Meter("api_calls", "api.request", "count", dimensions={"region": "region"}),
    Meter("gb_out", "egress", "sum", value="gb", unit="GB"),
]
ANSWER_S = 60
YEAR_MS = 366 * 86_400_000


class Place:
    """Where one test's ledger lives."""

    def __init__(self, engine_path: Path, directory: Path) -> None:
        self.directory = directory
        self.settings = EngineSettings(path=str(engine_path), database=f"t{uuid.uuid4().hex}")
        self.relational = connect(f"sqlite:///{directory}/relational.sqlite")
        metadata.create_all(self.relational)
        self.catalog(1, {"default": METERS, "other": METERS})
        self._raw: Handle | None = None

    def catalog(self, version: int, meters: Mapping[str, Sequence[Meter]]) -> Admission:
        """Make `meters` catalog version `version`."""
        with self.relational.begin() as connection:
            for tenant, wanted in meters.items():
                write_meters(connection, tenant, version, wanted)
            return Admission(version, meters_at(connection, version))

    def ledger(self) -> Ledger:
        """The ledger, opened: as after a restart, when it was open before. Close it."""
        return Ledger(self.settings, self.relational, self.directory)

    def new_intake(self, ledger: Ledger, settings: IntakeSettings) -> Intake:
        """An intake into `ledger` that takes the place's first catalog, at noon. Close it."""
        return Intake(ledger, Admission(1, {"default": METERS, "other": METERS}), settings, lambda: NOON_MS)

    @contextlib.contextmanager
    def intake(self, ledger: Ledger, settings: IntakeSettings | None = None) -> Iterator[Intake]:
        """An intake into `ledger`, closed in the end."""
        intake = self.new_intake(ledger, settings or IntakeSettings(linger_ms=1))
        try:
            yield intake
        finally:
            intake.close()

    @property
    def raw(self) -> Handle:
        """What someone has who reached the engine itself."""
        if self._raw is None:
            self._raw = open_handle(self.settings)
        return self._raw

    def close(self) -> None:
        """Leave nothing behind."""
        self.raw.execute(f"DROP DATABASE {self.settings.database}")
        self.raw.close()
        self.relational.dispose()


def event(one: str, **fields: Any) -> dict[str, Any]:
    """An event the first catalog takes, unless `fields` say otherwise."""
    fields = {"data": {"gb": "0.1"}} | fields
    return {"id": one, "source": "/s", "type": "egress", "subject": "acme", "time": NOON} | fields


def body(*events: Any) -> bytes:
    """A batch of `events`."""
    return msgspec.json.encode(events)


def told(intake: Intake, *events: Any, tenant: str = "default") -> Answer:
    """What the intake answers to a batch of `events`."""
    return intake.submit(tenant, body(*events)).result(ANSWER_S)


def counts(answer: Answer) -> tuple[int, int, int, int, int]:
    """Accepted, duplicates, conflicts, quarantined, rejected."""
    return answer.accepted, answer.duplicates, answer.conflicts, answer.quarantined, len(answer.rejected)


def received(ledger: Ledger) -> dict[str, int]:
    """How many events of each outcome the ledger says it was sent."""
    found: dict[str, int] = {}
    for outcomes in ledger.outcomes("default", ledger.head.block).values():
        for outcome, many in outcomes.items():
            found[outcome] = found.get(outcome, 0) + many
    return found


def usage(ledger: Ledger, tenant: str = "default") -> dict[str, tuple[int, int]]:
    """Per meter, how many events and what quantity."""
    return ledger.counts(tenant, 0, NOON_MS + YEAR_MS, ledger.head.block)


def problems(ledger: Ledger) -> list[Problem]:
    """What verification finds."""
    return list(ledger.problems(lambda _rows: iter(())))


def rows(first: int, many: int, *, outcome: int = ACCEPTED, quantity: str = "0.1") -> pa.Table:
    """Rows of a block as metering makes them: `many` events, numbered from `first`, of one outcome."""
    columns: dict[str, list[Any]] = {
        "outcome": [outcome] * many,
        "tenant": ["default"] * many,
        "source": [f"/s/{number % 3}" for number in range(first, first + many)],
        "id": [f"id-{number}" for number in range(first, first + many)],
        "type": ["egress" if number % 2 else "api.request" for number in range(first, first + many)],
        "subject": [f"customer-{number % 5}" for number in range(first, first + many)],
        "time": [NOON_MS + number * 3_600_000 for number in range(first, first + many)],
        "data": ["{}"] * many,
        "identity": [(number + 1).to_bytes(16, "little") for number in range(first, first + many)],
        "content": list(range(first, first + many)),
        "quantities": [[Decimal(quantity)] if number % 2 else [] for number in range(first, first + many)],
        "dimensions": [[] if number % 2 else [f"eu-{number % 4}"] for number in range(first, first + many)],
        "reason": [""] * many,
        "count": [1] * many,
    }
    return pa.table({name: pa.array(columns[name], SCHEMA.field(name).type) for name in SCHEMA.names}, schema=SCHEMA)


def append(ledger: Ledger, many_blocks: int, many_rows: int = 4) -> list[Marker]:
    """Blocks appended to what `ledger` has."""
    first = ledger.accepted
    return [
        ledger.append(rows(first + block * many_rows, many_rows), 1, NOON_MS + block) for block in range(many_blocks)
    ]
