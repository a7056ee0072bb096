"""Commands that reach the service through its socket: what they are answered, and how the service ends with them."""

import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from ledger.errors import Damaged, Refused
from meterline import control
from meterline.control import ControlServer
from meterline.operations.registry import OPERATIONS, Operation
from meterline.outcome import Outcome, Output
from meterline.wire import SOCKET_NAME, Line, ask, connect

END_S = 30


class Nothing(msgspec.Struct, frozen=True):
    """No parameters."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ControlServer]:
    """A server whose installation is nothing but a directory and a lock."""
    server = ControlServer(SimpleNamespace(directory=tmp_path, changing=threading.Lock()))  # type: ignore[arg-type]
    yield server
    server.close()


@pytest.fixture
def operation(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make a function the operation `test`."""

    def register(function: Callable[[Output], Outcome], *, alone: bool = True) -> None:
        whole = Operation(Nothing, lambda _installation, _asked, output: function(output), alone)
        monkeypatch.setitem(OPERATIONS, "test", whole)

    return register


def asked(directory: Path) -> list[Line]:
    """Everything the operation `test` is answered with."""
    connection = connect(directory)
    assert connection is not None
    return list(ask(connection, "test", {}))


def ended(server: ControlServer) -> threading.Thread:
    """Begin to end `server`."""
    closing = threading.Thread(target=server.close, daemon=True)
    closing.start()
    return closing


def failing(error: Exception) -> Callable[[Output], Outcome]:
    def fail(_: Output) -> Outcome:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status"), [(Refused("no"), 2), (Damaged("block 1", "changed"), 1), (ValueError("a bug"), 1)]
)
def test_a_failure_has_the_exit_status_it_has_without_a_service(
    server: ControlServer, tmp_path: Path, operation: Callable[..., None], error: Exception, status: int
) -> None:
    assert server
    operation(failing(error))
    (line,) = asked(tmp_path)
    assert line.status == status
    assert str(error) in (line.failure or "")


def test_only_the_owner_may_open_the_socket(server: ControlServer, tmp_path: Path) -> None:
    assert server
    assert stat.S_IMODE((tmp_path / SOCKET_NAME).stat().st_mode) & 0o077 == 0


def test_who_says_nothing_does_not_keep_the_service_from_ending(server: ControlServer, tmp_path: Path) -> None:
    with connect(tmp_path) or socket.socket() as silent:
        silent.getpeername()
        closing = ended(server)
        closing.join(END_S)
        assert not closing.is_alive()


def test_a_command_that_runs_is_finished_and_answered(
    server: ControlServer, tmp_path: Path, operation: Callable[..., None]
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def run(_: Output) -> Outcome:
        begun.set()
        go_on.wait(END_S)
        return Outcome({"done": True})

    operation(run)
    lines: list[Line] = []
    asking = threading.Thread(target=lambda: lines.extend(asked(tmp_path)))
    asking.start()
    assert begun.wait(END_S)
    closing = ended(server)
    go_on.set()
    asking.join(END_S)
    closing.join(END_S)
    assert [line.result for line in lines] == [{"done": True}]


def test_an_answer_that_nobody_reads_is_given_up_in_the_end(
    server: ControlServer, tmp_path: Path, operation: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "UNREAD_S", 0)
    begun = threading.Event()

    def flood(output: Output) -> Outcome:
        begun.set()
        while True:
            output.row({"many": "x" * 10_000})

    operation(flood)
    connection = connect(tmp_path)
    assert connection is not None
    with connection:
        connection.sendall(msgspec.json.encode({"operation": "test", "parameters": {}}) + b"\n")
        assert begun.wait(END_S)
        closing = ended(server)
        closing.join(END_S)
        assert not closing.is_alive()


def test_what_need_not_be_alone_does_not_wait_for_what_is(
    server: ControlServer, tmp_path: Path, operation: Callable[..., None]
) -> None:
    installation: Any = server._server.installation
    operation(lambda _: Outcome({}), alone=False)
    with installation.changing:
        assert asked(tmp_path) == [Line(result={})]


def test_a_key_can_be_revoked_whatever_goes_on_and_a_close_has_the_ledger_for_itself() -> None:
    alone = {name for name, operation in OPERATIONS.items() if operation.alone}
    of_catalog, of_credit = {"apply", "drafts approve", "drafts reject"}, {"credits grant", "credits void"}
    billing = {"close", "discard", "approve", "post", "release"}
    assert alone == of_catalog | of_credit | billing | {"replay", "verify"}
