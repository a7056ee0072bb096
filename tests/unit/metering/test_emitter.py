"""What a service sees of the emitter: what is sent, when, and what it is told about it."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

import metering.emitter
from metering.emitter import (
    BufferFull,
    Closed,
    Counts,
    Emitter,
    InvalidEvent,
    Limits,
    NotAcknowledged,
    Rejection,
)
from tests.scripted_intake import Intake, Step, scripted_intake
from tests.unit.metering.emitting import emit_some, emitter_to, ids_of, sizes

ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


def test_an_event_arrives_whole_under_the_key() -> None:
    with scripted_intake() as intake:
        with emitter_to(intake) as emitter:
            identity = emitter.emit("egress", "acme", {"gb": Decimal("0.10"), "n": 1 << 70, "f": 0.1})
        assert intake.stored[identity] == {
            "id": identity,
            "source": "/gateway",
            "type": "egress",
            "subject": "acme",
            "time": "2026-11-01T12:00:00.000Z",
            "data": {"gb": "0.10", "n": 1 << 70, "f": 0.1},
        }
        assert intake.requests[0].headers["authorization"] == "Bearer a-key"
        assert intake.requests[0].headers["content-type"] == "application/json"
        assert emitter.counts == Counts(accepted=1)


def test_a_given_id_and_time_are_kept() -> None:
    with scripted_intake() as intake:
        with emitter_to(intake) as emitter:
            emitter.emit("egress", "acme", {}, id="order-7", time=datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
        assert intake.stored["order-7"]["time"] == "2026-10-31T23:59:00.000Z"


def test_what_the_caller_changes_after_emit_does_not_change_the_event() -> None:
    with scripted_intake() as intake:
        data = {"gb": 1}
        with emitter_to(intake) as emitter:
            identity = emitter.emit("egress", "acme", data)
            data["gb"] = 2
        assert intake.stored[identity]["data"] == {"gb": 1}


def test_any_mapping_is_data() -> None:
    with scripted_intake() as intake:
        with emitter_to(intake) as emitter:
            identity = emitter.emit("egress", "acme", MappingProxyType({"gb": 1}))
        assert intake.stored[identity]["data"] == {"gb": 1}


@pytest.mark.parametrize(
    "emit",
    [
        lambda emitter: emitter.emit("egress", "acme", {"gb": object()}),
        lambda emitter: emitter.emit("egress", "acme", {"gb": ENDLESS}),
        lambda emitter: emitter.emit("egress", "\ud800", {}),
        lambda emitter: emitter.emit("egress", "acme", {}, time=datetime(2026, 11, 1)),  # noqa: DTZ001 - the point
        lambda emitter: emitter.emit("egress", "acme", {"text": "x" * 10_000}),
    ],
    ids=["no JSON form", "endless", "lone surrogate", "no zone", "larger than the buffer"],
)
def test_an_event_that_cannot_be_sent_is_refused_at_once_and_alone(emit: Callable[[Emitter], str]) -> None:
    with scripted_intake() as intake:
        with emitter_to(intake, Limits(buffer_bytes_max=5_000)) as emitter:
            good = emitter.emit("egress", "acme", {})
            with pytest.raises(InvalidEvent):
                emit(emitter)
        assert list(intake.stored) == [good]


def test_a_batch_ends_by_count() -> None:
    with scripted_intake() as intake:
        with emitter_to(intake, Limits(batch_events_max=3, batch_age_s=3_600)) as emitter:
            emit_some(emitter, 7)
        assert sizes(intake) == [3, 3, 1]


def test_a_batch_ends_by_size() -> None:
    with scripted_intake() as intake:
        with emitter_to(intake, Limits(batch_bytes_max=1_000, batch_age_s=3_600)) as emitter:
            for _ in range(4):
                emitter.emit("egress", "acme", {"text": "x" * 200})
            emitter.emit("egress", "acme", {"text": "x" * 2_000})
        assert sizes(intake) == [2, 2, 1]


def test_a_batch_ends_by_age() -> None:
    with scripted_intake() as intake, emitter_to(intake, Limits(batch_age_s=0.01)) as emitter:
        emit_some(emitter, 1)
        assert intake.wait_until_stored(1)
        emit_some(emitter, 1)
        assert intake.wait_until_stored(2)


def test_one_connection_carries_every_batch() -> None:
    with scripted_intake() as intake:
        with emitter_to(intake, Limits(batch_events_max=2)) as emitter:
            emit_some(emitter, 20)
        assert len(intake.requests) == 10
        assert intake.connections == 1


def test_only_a_large_body_is_compressed() -> None:
    with scripted_intake() as intake:
        with emitter_to(intake, gzip_bytes_min=1_000) as emitter:
            emit_some(emitter, 2)
            emitter.flush()
            emit_some(emitter, 100)
        assert [request.headers.get("content-encoding") for request in intake.requests] == [None, "gzip"]
        assert len(intake.stored) == 102


def test_what_the_service_rejects_is_told_and_counted() -> None:
    told: list[Rejection] = []
    with scripted_intake() as intake:
        with emitter_to(intake, on_rejected=told.append) as emitter:
            emit_some(emitter, 2)
            (rejected,) = emit_some(emitter, 1, "rejected")
            emit_some(emitter, 3, "quarantined")
            emitter.emit("egress", "acme", {}, id="one")
            emitter.emit("egress", "acme", {}, id="one")
            emitter.emit("egress", "acme", {"other": 1}, id="one")
        assert emitter.counts == Counts(accepted=3, duplicates=1, conflicts=1, quarantined=3, rejected=1)
        assert emitter.counts.answered == 9
        assert told == list(emitter.rejections)
        assert json.loads(told[0].event)["id"] == rejected
        assert (told[0].code, told[0].reason) == ("too_long", "as the test asked")


def test_a_callback_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Rejection) -> None:
        raise RuntimeError("the service's own bug")

    with scripted_intake() as intake:
        with emitter_to(intake, on_rejected=fail) as emitter:
            emit_some(emitter, 2, "rejected")
            emitter.flush()
            emit_some(emitter, 1)
        assert emitter.counts == Counts(accepted=1, rejected=2)
        assert "the service's own bug" in caplog.text


def test_a_full_buffer_says_so_and_buffers_nothing() -> None:
    with scripted_intake(*[Step(400)]) as intake:
        emitter = emitter_to(intake, Limits(buffer_bytes_max=500, block_s=0))
        held: list[str] = []
        with pytest.raises(BufferFull, match="raise buffer_bytes_max"):
            held.extend(emitter.emit("egress", "acme", {}) for _ in range(100))
        with pytest.raises(NotAcknowledged):
            emitter.flush()
        with pytest.raises(BufferFull, match=f"0 events wait for an answer and {len(held)} were refused"):
            emit_some(emitter, 1)
        (refused,) = emitter.take_unacknowledged()
        assert ids_of(refused.events) == held
        assert emit_some(emitter, 1)
        emitter.close()
        assert len(intake.stored) == 1


def test_emit_waits_for_room() -> None:
    with scripted_intake(*[Step(503)] * 3) as intake:
        with emitter_to(intake, Limits(buffer_bytes_max=300, batch_age_s=0.01, block_s=60)) as emitter:
            emit_some(emitter, 1)
            emit_some(emitter, 1)  # one event is all that fits
            assert emitter.counts == Counts(accepted=1)
        assert len(intake.stored) == 2


def test_a_closed_emitter_takes_no_events_and_can_be_closed_again() -> None:
    with scripted_intake() as intake:
        emitter = emitter_to(intake)
        emit_some(emitter, 1)
        emitter.close()
        emitter.close()
        with pytest.raises(Closed):
            emit_some(emitter, 1)
        assert len(intake.stored) == 1


def test_threads_share_one_emitter() -> None:
    with scripted_intake() as intake:
        with emitter_to(intake, Limits(batch_events_max=70)) as emitter:
            threads = [threading.Thread(target=emit_some, args=(emitter, 500)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert emitter.counts == Counts(accepted=2_000)


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://meterline", "http://"])
def test_an_address_that_is_none_is_told_when_the_emitter_is_made(url: str) -> None:
    with pytest.raises(ValueError, match="it must be the service's address"):
        Emitter(url, "a-key", source="/gateway")


def run_service(source: str, intake: Intake) -> None:
    """Run a service of its own process; an assertion in it fails the test."""
    prelude = "import os, sys\nfrom metering.emitter import Emitter, Limits\n"
    done = subprocess.run(
        [sys.executable, "-c", prelude + source, intake.url], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_what_is_buffered_at_exit_is_sent() -> None:
    with scripted_intake() as intake:
        run_service("Emitter(sys.argv[1], 'k', source='/s').emit('egress', 'acme', {})", intake)
        assert len(intake.stored) == 1


FORKING = """
emitter = Emitter(sys.argv[1], "k", source="/s", limits=Limits(batch_age_s=3600))
emitter.emit("egress", "sent", {})
emitter.flush()
emitter.emit("egress", "buffered", {})
child = os.fork()
if child == 0:
    assert emitter.counts.answered == 0
emitter.emit("egress", "child" if child == 0 else "parent", {})
emitter.close()
if child == 0:
    assert emitter.counts.accepted == 1
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert emitter.counts.accepted == 3
"""


def test_a_forked_child_starts_clean_and_sends_nothing_twice() -> None:
    with scripted_intake() as intake:
        run_service(FORKING, intake)
        subjects = sorted(event["subject"] for event in intake.stored.values())
        assert subjects == ["buffered", "child", "parent", "sent"]
        assert sum(sizes(intake)) == 4


def test_the_public_names_are_these() -> None:
    assert metering.emitter.__all__ == [
        "Backoff",
        "BufferFull",
        "Closed",
        "Counts",
        "Emitter",
        "EmitterError",
        "InvalidEvent",
        "Limits",
        "NotAcknowledged",
        "Rejection",
        "Unacknowledged",
    ]
