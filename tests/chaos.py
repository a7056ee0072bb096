"""Kill the service again and again while clients send and resend, and check that every event counts exactly once.

Four clients send batches of 2,000 events over two months, and resend what was not acknowledged, byte for byte. The
service is killed with SIGKILL at random points, start-up included. In the end everything sent was acknowledged: then
the ledger must hold each event once, sums must be exact, and `meterline verify` must be clean.

Run it as `python -m tests.chaos --kills 1000`; a seed repeats the kills' times, not the machine's.
"""

import argparse
import http.client
import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from meterline.child import METERLINE

CATALOG = """
meters:
  - {name: gb_out, event_type: egress, aggregation: sum, value: gb, unit: GB}
"""
CLIENTS = 4
BATCH_EVENTS = 2_000
MONTHS = ("2026-10", "2026-11")
LOAD_S = 1.0
"""How long the load lasts at most before a kill that falls into it."""
PAUSE_S_MAX = 3.0
"""How long a client waits at most between two batches: a thousand kills are about commits, not about a large ledger."""
FINISH_S = 120


class Service:
    """One `meterline serve` after another on the same directory and port."""

    def __init__(self, directory: Path, port: int) -> None:
        self._directory = directory
        self._port = port
        self._log = directory / "service.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = ["serve", "--data", str(self._directory / "data"), "--port", str(self._port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*METERLINE, *arguments], stderr=log, stdout=log)

    def start_seconds(self) -> float:
        """How long a start takes, by starting once."""
        begun = time.monotonic()
        self.start()
        self.wait_until_ready()
        took = time.monotonic() - begun
        self.kill(0)
        return took

    def wait_until_ready(self) -> None:
        """Wait until it takes events: it listens before that, and lets clients wait."""
        deadline = time.monotonic() + FINISH_S
        while time.monotonic() < deadline:
            if self._is_ready():
                return
            time.sleep(0.02)
        raise AssertionError("the service does not get ready")

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=FINISH_S)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def kill(self, after_s: float) -> None:
        """SIGKILL after so many seconds; an end before that is a start that failed."""
        assert self._process is not None
        try:
            status = self._process.wait(after_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        else:
            log = self._log.read_text("utf-8", "replace")[-3000:]
            raise AssertionError(f"the service ended by itself with {status}:\n{log}")

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)


class Client(threading.Thread):
    """Sends one batch after another, each until it is acknowledged."""

    def __init__(self, number: int, port: int, key: str) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self._number = number
        self._chance = random.Random(number)
        self._port = port
        self._key = key
        self.stopping = threading.Event()
        self.acknowledged = 0
        self.resent = 0

    def run(self) -> None:
        while not self.stopping.is_set():
            body = self._batch(self.acknowledged)
            while (status := self._send(body)) != 200:
                assert status in (0, 429, 503), f"answered {status}"
                self.resent += 1
                time.sleep(0.05)
            self.acknowledged += 1
            time.sleep(self._chance.uniform(0, PAUSE_S_MAX))

    def _batch(self, batch: int) -> bytes:
        """Each event's quantity is its number in tenths, so that sums show which are missing or doubled."""
        first = batch * BATCH_EVENTS
        return msgspec.json.encode(
            [
                {
                    "id": f"{self._number}-{number}",
                    "source": f"/chaos/{self._number}",
                    "type": "egress",
                    "subject": f"customer-{number % 50}",
                    "time": f"{MONTHS[number % 2]}-{1 + number % 20:02}T12:00:00.{number % 1000:03}Z",
                    "data": {"gb": f"{number // 10}.{number % 10}"},
                }
                for number in range(first, first + BATCH_EVENTS)
            ]
        )

    def _send(self, body: bytes) -> int:
        """The answer's status; 0 when there was none."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/v1/events", body, headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
        if answer.status == 200:
            counts = json.loads(said)
            assert counts["accepted"] + counts["duplicates"] == BATCH_EVENTS, said
        return answer.status


def chaos(kills: int, seed: int, directory: Path) -> dict[str, Any]:
    """Kill the service `kills` times; the report says what was sent, and what the ledger holds of it."""
    chance = random.Random(seed)
    data = str(directory / "data")
    catalog = directory / "catalog.yaml"
    catalog.write_text(CATALOG)
    _meterline("apply", str(catalog), "--data", data)
    key = _meterline("keys", "create", "--scope", "ingest", "--data", data)["key"]
    port = _free_port()
    service = Service(directory, port)
    clients = [Client(number, port, key) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    begun = time.monotonic()
    service.start_seconds()  # the first start on a machine compiles, and the kills' times are measured by a usual one
    start_s = service.start_seconds()
    for _ in range(kills):
        service.start()
        if chance.random() < 0.4:  # into the start: recovery, migrations, the index
            service.kill(chance.uniform(0, start_s))
        else:
            service.wait_until_ready()
            service.kill(chance.uniform(0, LOAD_S))
    service.start()
    service.wait_until_ready()
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join(FINISH_S)
    unfinished = [client.name for client in clients if client.is_alive()]
    status = service.stop()
    sent = {f"/chaos/{number}": client.acknowledged * BATCH_EVENTS for number, client in enumerate(clients)}
    held = _held(directory / "data", sent)
    return {
        "ok": held.pop("holds") and not unfinished and status == 0,
        "kills": kills,
        "seed": seed,
        "seconds": round(time.monotonic() - begun),
        "acknowledged_batches": sum(client.acknowledged for client in clients),
        "resent_requests": sum(client.resent for client in clients),
        "unfinished_clients": unfinished,
        "start_seconds": round(start_s, 2),
        "last_stop": status,
        **held,
    }


def _held(data: Path, sent: dict[str, int]) -> dict[str, Any]:
    """What the ledger holds of what was acknowledged, and whether it is exactly that."""
    verified = _meterline("verify", "--data", str(data), status=None)
    counted = _meterline("status", "--data", str(data))
    accepted = {source: outcomes.get("accepted", 0) for source, outcomes in counted["sources"].items()}
    tenths = {source: events * (events - 1) // 2 for source, events in sent.items()}
    usage = counted["meters"]["gb_out"]
    whole, tenth = divmod(sum(tenths.values()), 10)
    expected = {"events": sum(sent.values()), "quantity": f"{whole}.{tenth}" if tenth else str(whole)}
    ok = accepted == sent and usage == expected and verified["ok"]
    return {"holds": ok, "sent": sent, "accepted": accepted, "usage": usage, "expected": expected, "verify": verified}


def _meterline(*arguments: str, status: int | None = 0) -> Any:
    done = subprocess.run([*METERLINE, *arguments, "--json"], capture_output=True, check=False)
    assert status in (None, done.returncode), done.stderr.decode()
    return json.loads(done.stdout)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meterline-chaos-") as directory:
        report = chaos(asked.kills, asked.seed, Path(directory))
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
