"""The service can be watched whatever it is busy with, and says what it can't do."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from ledger.anchor import FILE_NAME
from ledger.ledger import Ledger
from metering import keys
from meterline.app import App
from meterline.installation import Installation
from meterline.metrics import Metrics
from meterline.settings import Settings
from meterline.upkeep import Upkeep
from tests.place import Place, append

REPORT = "/v1/usage?meter=gb_out&from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z"
REPORTS = 100
ANSWER_S = 60


class Service:
    """The app of a service on one place, asked without a socket."""

    def __init__(self, place: Place, ledger: Ledger, intake: object, upkeep: Upkeep) -> None:
        self.ledger = ledger
        with place.relational.begin() as connection:
            _, self._key = keys.create(connection, "default", ["read"], 0)
        open_here = SimpleNamespace(
            ledger=ledger, intake=intake, relational=place.relational, settings=Settings(), stopping=False
        )
        installation = cast("Installation", open_here)
        self._app = App(installation, Metrics(installation, upkeep), upkeep)

    async def got(self, url: str) -> tuple[int, bytes]:
        """Status and body of a GET."""
        path, _, query = url.partition("?")
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"authorization", f"Bearer {self._key}".encode())],
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.fixture
def service(place: Place) -> Iterator[Service]:
    """The app of a service with a block of events."""
    with place.ledger() as ledger, place.intake(ledger) as intake:
        append(ledger, 1)
        upkeep = Upkeep(ledger, quiet_s=3600, lag_events_max=2**40)
        yield Service(place, ledger, intake, upkeep)
        upkeep.close()


def test_metrics_wait_for_no_report_however_many_there_are(service: Service) -> None:
    async def asked() -> None:
        with service.ledger.reading._turn:  # a report that takes long
            reports = [asyncio.create_task(service.got(REPORT)) for _ in range(REPORTS)]
            status, text = await asyncio.wait_for(service.got("/metrics"), ANSWER_S)
            assert not any(report.done() for report in reports)
        assert status == 200
        assert b'\nmeterline_parts{table="events"} 1.0\n' in text
        assert {status for status, _ in await asyncio.gather(*reports)} == {200}

    asyncio.run(asked())


def test_a_head_that_can_not_be_anchored_shows_and_the_service_stays_ready(place: Place, service: Service) -> None:
    assert asyncio.run(service.got("/readyz")) == (200, b"ready\n")
    in_the_way = place.directory / f"{FILE_NAME}.new"
    with capture_logs():
        while service.ledger.anchored_block < 1:
            service.ledger._closing.wait(0.01)
        in_the_way.mkdir()
        append(service.ledger, 1)
        while not service.ledger.anchor_trouble:
            service.ledger._closing.wait(0.01)
        status, said = asyncio.run(service.got("/readyz"))
        assert status == 200
        assert said.startswith(b"ready; a cut tail would not be seen, the head can't be anchored: IsADirectoryError")
        text = asyncio.run(service.got("/metrics"))[1]
        assert b"\nmeterline_anchored_block 1.0\n" in text
        assert b"\nmeterline_head_block 2.0\n" in text
        in_the_way.rmdir()
        while service.ledger.anchor_trouble:
            service.ledger._closing.wait(0.01)
    assert asyncio.run(service.got("/readyz")) == (200, b"ready\n")
