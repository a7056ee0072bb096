"""Stand in for a ClickHouse server: its HTTP interface, answered by the embedded engine.

It answers what the driver sends and no more: statements in the body, values bound in the URL or in a form, settings in
the URL (`readonly` is the engine's own), data to insert as a body. It refuses what a server refuses and the embedded
engine does not: long values, a session that is busy, a wrong password. A process opens one engine path only, so it runs
in a process of its own; `ClickHouseOverHttp` starts it and cuts connections from what they carry, on request.
"""

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import chdb

USERNAME = "meterline"
PASSWORD = "a secret: 100 % & more"
AUTHORIZATION = f"Basic {b64encode(f'{USERNAME}:{PASSWORD}'.encode()).decode()}"

# A server's defaults: `http_max_field_value_size`, counted before a URL is decoded, and `http_max_uri_size`.
FIELD_BYTES_MAX = 128 * 1024
URI_BYTES_MAX = 1024 * 1024

NO_SETTINGS = {
    "query",
    "database",
    "query_id",
    "session_id",
    "session_timeout",
    "session_check",
    "wait_end_of_query",
    "client_protocol_version",
}

NOT_STORED = "before it is executed"
STORED = "after it is executed"
UNDER_WAY = "while it is executed"
HALF_ANSWERED = "in the middle of the answer"


class Refusal(Exception):
    """What a server says itself, with its code, where the engine has no part in it."""

    def __init__(self, code: int, what: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {what}")


class Cut(NamedTuple):
    """A connection to cut: the next one that carries `text`, and when."""

    text: str
    when: str


class Request(NamedTuple):
    """A statement as it arrived, with everything that bears on it."""

    statement: str
    data: bytes
    fields: dict[str, str]

    @property
    def values(self) -> dict[str, str]:
        """The values of its bound parameters."""
        return {name.removeprefix("param_"): text for name, text in self.fields.items() if name.startswith("param_")}

    @property
    def settings(self) -> dict[str, str]:
        """Its settings."""
        return {k: v for k, v in self.fields.items() if k not in NO_SETTINGS and not k.startswith("param_")}


class Server(ThreadingHTTPServer):
    """The engine behind the interface, and what is asked of it besides statements."""

    daemon_threads = True

    def __init__(self, path: str, port: int) -> None:
        super().__init__(("127.0.0.1", port), Interface)
        self.path = path
        self.kept_open = chdb.connect(path)  # type: ignore[no-untyped-call]
        self.timezone = self.kept_open.query("SELECT timezone()").bytes().decode().strip().strip('"')
        self.cut: Cut | None = None
        self.arrived: list[str] = []
        self.go_on = threading.Event()
        self.gone_on = threading.Event()
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def session(self, name: str) -> Iterator[None]:
        """Session `name`, which has one statement at a time; "" is none."""
        with self._lock:
            if name and name in self._busy:
                raise Refusal(373, f"Session {name} is locked by a concurrent client. (SESSION_IS_LOCKED)")
            self._busy.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(name)

    def cut_of(self, statement: str) -> str:
        """When to cut the connection that carries `statement`; "" for never."""
        with self._lock:
            if self.cut is None or self.cut.text not in statement:
                return ""
            when, self.cut = self.cut.when, None
            return when

    def execute(self, request: Request) -> bytes:
        """What the engine answers; it is given nothing but what the request carries."""
        connection = chdb.connect(self.path)  # type: ignore[no-untyped-call]
        try:
            if "database" in request.fields:
                connection.query(f"USE `{request.fields['database']}`")
            if request.settings:
                changes = ", ".join(f"{name} = '{value}'" for name, value in request.settings.items())
                connection.query(f"SET {changes}")
            if not request.data:
                answer: bytes = connection.query(request.statement, "TabSeparated", params=request.values).bytes()
                return answer
            with tempfile.NamedTemporaryFile() as file:
                file.write(request.data)
                file.flush()
                into, _, form = request.statement.rpartition(" FORMAT ")
                connection.query(f"{into} FROM INFILE '{file.name}' FORMAT {form}")
            return b""
        finally:
            connection.close()


class Interface(BaseHTTPRequestHandler):
    """One connection: statements at `/`, and beside it what the tests ask for."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target = urlsplit(self.path)
        if target.path == "/cut":
            self.server.cut = Cut(**dict(parse_qsl(target.query)))
            self.server.go_on.clear()
            self.server.gone_on.clear()
            self._answer(200, b"")
        elif target.path == "/go_on":
            self.server.go_on.set()
            self.server.gone_on.wait()
            self._answer(200, b"")
        elif target.path == "/arrived":
            self._answer(200, json.dumps(self.server.arrived).encode())
        else:
            self._statement(body)

    def _statement(self, body: bytes) -> None:
        try:
            request = self._request(body)
            self.server.arrived.append(request.statement)
            cut, answer = self._executed(request)
        except Exception as error:  # noqa: BLE001 - the engine has errors of several classes, and the client is told
            code = re.search(r"Code: (\d+)", str(error))
            self._answer(500, str(error).encode(), {"X-ClickHouse-Exception-Code": code[1] if code else "1001"})
            return
        if cut == UNDER_WAY:
            self.server.gone_on.set()
        elif cut == STORED:
            self._hang_up()
        elif cut == HALF_ANSWERED:
            self._answer(200, answer, length=2 * len(answer))
            self._hang_up()
        elif not cut:
            self._answer(200, answer, {"X-ClickHouse-Format": "TabSeparated"} if answer else {})

    def _executed(self, request: Request) -> tuple[str, bytes]:
        """When to cut the connection, or "", and the engine's answer; the session is free again when this returns."""
        with self.server.session(request.fields.get("session_id", "")):
            cut = self.server.cut_of(request.statement)
            if cut in {NOT_STORED, UNDER_WAY}:
                self._hang_up()
            if cut == UNDER_WAY:
                self.server.go_on.wait()
            return cut, b"" if cut == NOT_STORED else self.server.execute(request)

    def _request(self, body: bytes) -> Request:
        if self.headers.get("Authorization") != AUTHORIZATION:
            raise Refusal(516, "Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)")
        if len(self.path) > URI_BYTES_MAX:
            raise Refusal(1000, "URI too long")
        query = urlsplit(self.path).query
        fields = dict(parse_qsl(query, keep_blank_values=True))
        sizes = [len(field.partition("=")[2]) for field in query.split("&")]
        if self.headers.get_content_type() == "multipart/form-data":
            form = _form(self.headers["Content-Type"], body)
            sizes += [len(value.encode()) for value in form.values()]
            fields, body = fields | form, b""
        if max(sizes) > FIELD_BYTES_MAX:
            raise Refusal(1000, "Field value too long")
        if "query" in fields:
            return Request(fields["query"], body, fields)
        return Request(body.decode(), b"", fields)

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None
    ) -> None:
        self.send_response(status)
        said = {"X-ClickHouse-Timezone": self.server.timezone, "X-ClickHouse-Summary": "{}"} | (headers or {})
        for name, value in said.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(2)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the tests' own output is what is read."""


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a multipart form."""
    form = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return {
        str(part.get_param("name", header="Content-Disposition")): bytes(part.get_payload(decode=True)).decode()
        for part in form.iter_parts()
    }


class ClickHouseOverHttp:
    """The server as the tests hold it."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        command = [sys.executable, __file__, str(directory), str(port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def cut(self, text: str, when: str) -> None:
        """Cut the next connection that carries a statement with `text`."""
        self._ask("cut", text=text, when=when)

    def go_on(self) -> None:
        """Let the statement that was cut off while it was executed come to its end."""
        self._ask("go_on")

    def arrived(self, text: str) -> int:
        """How many statements with `text` have arrived so far, refused or not."""
        return sum(text in statement for statement in json.loads(self._ask("arrived")))

    def _ask(self, what: str, **fields: str) -> bytes:
        address = f"http://127.0.0.1:{self.port}/{what}?{urlencode(fields)}"
        with urllib.request.urlopen(address, data=b"") as answer:
            body: bytes = answer.read()
        return body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


if __name__ == "__main__":
    server = Server(sys.argv[1], int(sys.argv[2]))
    print(server.server_port, flush=True)  # noqa: T201 - the port is what the parent reads
    server.serve_forever()
