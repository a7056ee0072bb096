"""A service with a catalog and keys, and what tests ask of it: commands as typed, requests as sent."""

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from meterline.child import METERLINE, ServiceProcess

CATALOG = """
meters:
  - {name: api_calls, event_type: api.request, aggregation: count, dimensions: {region: region}}
  - {name: gb_out, event_type: egress, aggregation: sum, value: gb, unit: GB}
plans:
  - name: standard
    currency: EUR
    prices:
      - {product: API, meter: api_calls, model: graduated, tiers: [{up_to: 2, unit_price: "0"}, {unit_price: "0.005"}]}
      - {product: Egress, meter: gb_out, model: per_unit, unit_price: "0.05"}
customers:
  - {id: acme, name: Acme GmbH, subjects: [acme-prod, acme-test]}
  - {id: globex, name: Globex, subjects: [globex]}
contracts:
  - {id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-01-01}
  - {id: C-2, customer: globex, plan: standard, entity: DE01, start: 2026-01-01}
"""


STARTED: list[ServiceProcess] = []
"""Every service of this process: none outlives its test's module, whatever became of the test."""


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Done(NamedTuple):
    """A command that ended."""

    status: int
    output: str
    said: str

    @property
    def json(self) -> Any:
        """Standard output, read as one JSON object."""
        return json.loads(self.output)


def meterline(*arguments: str, data: Path | None = None) -> Done:
    """Run one command."""
    of_data = ["--data", str(data)] if data is not None else []
    ended = subprocess.run([*METERLINE, *arguments, *of_data], capture_output=True, text=True, check=False, timeout=240)
    return Done(ended.returncode, ended.stdout, ended.stderr)


def event(number: int, **changed: Any) -> dict[str, Any]:
    """An event of October 2026; changed where asked."""
    return {
        "id": f"e{number}",
        "source": "/tests",
        "type": "egress",
        "subject": "acme-prod",
        "time": f"2026-10-{1 + number % 28:02}T10:00:00.000Z",
        "data": {"gb": "0.1"},
    } | changed


class Site:
    """A data directory with a catalog and two keys, and the service on it while there is one."""

    def __init__(self, directory: Path, catalog: str = CATALOG) -> None:
        self.directory = directory
        self.data = directory / "data"
        (directory / "catalog.yaml").write_text(catalog)
        applied = self.run("apply", str(directory / "catalog.yaml"))
        assert applied.status == 0, applied.said
        self.ingest_key = self.run("keys", "create", "--scope", "ingest").output.strip()
        self.read_key = self.run("keys", "create", "--scope", "read").output.strip()
        self.service: ServiceProcess | None = None

    def start(self, *options: str) -> None:
        """Start the service."""
        self.service = ServiceProcess(self.data, self.directory / "service.log", *options)
        STARTED.append(self.service)

    def stop(self) -> int:
        """Stop the service, and its exit status."""
        assert self.service is not None
        status = self.service.stop()
        self.service = None
        return status

    def run(self, *arguments: str) -> Done:
        """Run a command on this directory."""
        return meterline(*arguments, data=self.data)

    def asked(self, *arguments: str) -> Any:
        """What a command that must succeed says as JSON."""
        done = self.run(*arguments, "--json")
        assert done.status == 0, done.said
        return done.json

    def send(self, events: object, **headers: str) -> Answer:
        """POST events, as JSON or as the bytes they are."""
        body = events if isinstance(events, bytes) else json.dumps(events).encode()
        given = {"Content-Type": "application/json", "Authorization": f"Bearer {self.ingest_key}"}
        return self.request(
            "/v1/events", body, given | {name.replace("_", "-"): value for name, value in headers.items()}
        )

    def read(self, path: str) -> Answer:
        """GET with the reading key."""
        return self.request(path, None, {"Authorization": f"Bearer {self.read_key}"})

    def request(self, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """One request, whatever it is answered with."""
        assert self.service is not None
        request = urllib.request.Request(self.service.url + path, body, headers)  # noqa: S310  loopback
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())
