"""An intake on loopback that misbehaves from a script and, once the script is over, counts by the rules.

What becomes of an event is in its subject: "rejected" and "quarantined" are, anything else is counted once by its id.
"""

import contextlib
import gzip
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Fault = Literal[
    "answers",  # with `status`; 200 means by the rules
    "is cut before it is stored",
    "is cut after it is stored",
    "never answers",
    "answers before it has read the body",
]


@dataclass(frozen=True)
class Step:
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    fault: Fault = "answers"


@dataclass(frozen=True)
class Request:
    headers: dict[str, str]
    body: bytes  # as it came over the wire

    @property
    def text(self) -> bytes:
        """The body with its encoding undone."""
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body


@dataclass
class Intake:
    url: str
    script: list[Step] = field(default_factory=list)
    finally_: Step = field(default_factory=Step)
    body_bytes_max: int = 1 << 30
    requests: list[Request] = field(default_factory=list)
    stored: dict[str, Any] = field(default_factory=dict)
    connections: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def next_step(self) -> Step:
        """What the script says about the request that just came."""
        with self.changed:
            return self.script.pop(0) if self.script else self.finally_

    def count(self, text: bytes) -> bytes:
        """Store a batch by the rules, and the answer to it."""
        answer: dict[str, Any] = {"accepted": 0, "duplicates": 0, "conflicts": 0, "quarantined": 0, "rejected": []}
        with self.changed:
            for index, event in enumerate(json.loads(text)):
                if event["subject"] == "rejected":
                    answer["rejected"].append({"index": index, "code": "too_long", "reason": "as the test asked"})
                elif event["subject"] == "quarantined":
                    answer["quarantined"] += 1
                elif event["id"] not in self.stored:
                    self.stored[event["id"]] = event
                    answer["accepted"] += 1
                else:
                    answer["duplicates" if self.stored[event["id"]] == event else "conflicts"] += 1
            self.changed.notify_all()
        return json.dumps(answer).encode()

    def wait_until_stored(self, events: int) -> bool:
        """Whether that many events came, in the time a test has."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.stored) >= events, 60)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what these tests are about."""


def _handler(intake: Intake) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits 40 ms for the acknowledgement of its own headers

        def setup(self) -> None:
            super().setup()
            intake.connections += 1

        def do_POST(self) -> None:
            step = intake.next_step()
            if step.fault == "answers before it has read the body":
                intake.requests.append(Request({}, b""))
                self._answer(step, b"")
                self._cut()
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(headers, self.rfile.read(int(headers["content-length"])))
            intake.requests.append(request)
            self._play(step, request.text)

        def _play(self, step: Step, text: bytes) -> None:
            if step.fault == "is cut before it is stored":
                self._cut()
            elif step.fault == "never answers":
                self.connection.recv(1)  # until the client hangs up
                self.close_connection = True
            elif step.status == 200 and len(text) > intake.body_bytes_max:
                self._answer(Step(413), b"")
            elif step.status == 200 and step.body is None:
                answer = intake.count(text)
                if step.fault == "is cut after it is stored":
                    self._cut()
                else:
                    self._answer(step, answer)
            else:
                self._answer(step, step.body or b"")

        def _answer(self, step: Step, body: bytes) -> None:
            self.send_response(step.status)
            for name, value in step.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _cut(self) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Tests are silent."""

    return Handler


@contextlib.contextmanager
def scripted_intake(*script: Step, finally_: Step | None = None, body_bytes_max: int = 1 << 30) -> Iterator[Intake]:
    """A running intake, `script` first and then `finally_`, which by default counts by the rules."""
    intake = Intake("", list(script), finally_ or Step(), body_bytes_max)
    server = _Server(("127.0.0.1", 0), _handler(intake))
    intake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield intake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
