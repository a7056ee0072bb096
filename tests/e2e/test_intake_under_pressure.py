"""The service with small limits, and on its way down: bounded, told, and nothing acknowledged is lost."""

import http.client
import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from meterline.child import METERLINE
from tests.e2e.site import Site, event

LIMITS = """
inflight_bytes_max = 100000
body_bytes_max = 200000
body_seconds_max = 1
header_seconds_max = 1
"""


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service with small limits."""
    site = Site(tmp_path_factory.mktemp("small"))
    config = site.directory / "meterline.toml"
    config.write_text(LIMITS)
    site.start("--config", str(config))
    yield site
    if site.service is not None:
        site.stop()


def begin(site: Site, length: int) -> http.client.HTTPConnection:
    """A request whose body is announced and not sent yet."""
    assert site.service is not None
    connection = http.client.HTTPConnection(site.service.url.removeprefix("http://"), timeout=30)
    connection.putrequest("POST", "/v1/events")
    connection.putheader("Authorization", f"Bearer {site.ingest_key}")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    return connection


def test_over_the_limit_a_request_is_told_to_come_back_before_its_body_is_read(site: Site) -> None:
    with closing(begin(site, 90_000)) as holding, closing(begin(site, 50_000)) as late:
        refused = late.getresponse()
        assert refused.status == 429
        assert int(refused.headers["Retry-After"]) >= 1
        assert json.loads(refused.read())["status"] == 429
        slow = holding.getresponse()
        assert slow.status == 408, "its body never came"
        slow.read()
    assert site.send([event(1)]).json["accepted"] == 1, "there is room again"
    assert b"meterline_inflight_bytes 0.0" in site.request("/metrics", None, {}).body


def test_headers_that_come_by_drops_are_ended(site: Site) -> None:
    assert site.service is not None
    host, port = site.service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as slow:
        slow.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\n")
        slow.settimeout(0.05)
        answer = b""
        while not answer:
            try:
                slow.sendall(b"x: y\r\n")
                answer = slow.recv(65536)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"content-type: application/problem+json" in answer
    assert b"header_seconds_max" in answer


def test_a_client_that_goes_away_gives_its_room_back(site: Site) -> None:
    begin(site, 90_000).close()
    while b"meterline_inflight_bytes 0.0" not in site.request("/metrics", None, {}).body:
        pass
    assert site.send([event(1)]).status == 200


def test_sigterm_finishes_what_was_accepted(site: Site) -> None:
    assert site.service is not None
    accepted: list[int] = []
    ended = threading.Event()

    def send(client: int) -> None:
        number = 0
        while not ended.is_set():
            batch = [event(number + n, source=f"/term/{client}") for n in range(100)]
            try:
                answer = site.send(batch)
            except OSError:
                return
            if answer.status == 200:
                accepted.append(answer.json["accepted"])
                number += 100

    clients = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for client in clients:
        client.start()
    while len(accepted) < 20:
        pass
    service = site.service
    assert service.stop() == 0
    ended.set()
    for client in clients:
        client.join()
    site.service = None
    held = site.asked("status")
    assert held["outcomes"]["accepted"] >= sum(accepted)
    assert site.asked("verify")["ok"] is True


def test_a_half_sent_request_does_not_keep_the_service_from_stopping(site: Site) -> None:
    assert site.service is not None
    host, port = site.service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Le")
        assert site.stop() == 0


@pytest.mark.parametrize("_again", range(3))
def test_whoever_reads_that_it_listens_may_end_it_that_moment(tmp_path: Path, _again: int) -> None:
    serve = [*METERLINE, "serve", "--data", str(tmp_path), "--port", "0"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as service:
        assert service.stdout is not None
        next(line for line in service.stdout if "'listening'" in line)
        service.send_signal(signal.SIGTERM)
        service.stdout.read()
    assert service.returncode == 0
