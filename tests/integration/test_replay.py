"""A replay waits for room in the intake, and says how far it came when there is none."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from ledger.errors import Unavailable
from ledger.meters import Meter
from metering.intake import Intake, IntakeSettings, StoppedError
from meterline.operations import evidence
from meterline.outcome import Outcome, Output
from tests.place import METERS, NOON_MS, Place, event, told

ROOM = 2**20
MANY = 30


@pytest.fixture
def intake(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Intake]:
    """An intake with some bodies of events in quarantine that can be counted by now."""
    monkeypatch.setattr(evidence, "BODY_BYTES", 1_000)
    monkeypatch.setattr(evidence, "OVERLOADED_PAUSE_S", 0)
    monkeypatch.setattr(evidence, "now_ms", lambda: NOON_MS)
    with place.ledger() as ledger, place.intake(ledger, IntakeSettings(linger_ms=0, inflight_bytes_max=ROOM)) as intake:
        told(intake, *(event(str(number), type="later") for number in range(MANY)))
        intake.admission = place.catalog(2, {"default": [*METERS, Meter("later", "later", "count")]})
        yield intake


def replayed(intake: Intake, *, stopping: bool = False) -> Outcome:
    """What a replay comes to."""
    output = Output(lambda _: None, lambda _: None)
    installation: Any = SimpleNamespace(intake=intake, ledger=intake._ledger, stopping=stopping)
    return evidence.replay(installation, evidence.Replay(), output)


def test_a_replay_waits_while_there_is_no_room_and_goes_on(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    submit, tries = intake.submit, []
    intake.reserve(ROOM)

    def with_room_in_the_end(*asked: Any) -> Any:
        tries.append(asked)
        if len(tries) == 5:
            intake.release(ROOM)
        return submit(*asked)

    monkeypatch.setattr(intake, "submit", with_room_in_the_end)
    done = replayed(intake)
    assert (done.status, done.result["replayed"], done.result["accepted"]) == (0, MANY, MANY)
    assert "message" not in done.result


def test_a_replay_that_finds_no_room_says_how_far_it_came_and_run_again_goes_on(intake: Intake) -> None:
    intake.on_block = lambda _marker, _seconds: intake.release(-ROOM)  # full, from the first block on
    short = replayed(intake)
    assert short.status == 1
    assert 0 < short.result["replayed"] == short.result["accepted"] < MANY
    assert "no room for more" in short.result["message"]
    assert "run it again" in short.result["message"]
    intake.release(ROOM)
    intake.on_block = lambda _marker, _seconds: None
    done = replayed(intake)
    assert (done.status, done.result["accepted"]) == (0, MANY - short.result["accepted"])


def test_a_replay_does_not_wait_while_the_service_stops(intake: Intake) -> None:
    intake.reserve(ROOM)
    done = replayed(intake, stopping=True)
    assert (done.status, done.result["replayed"]) == (1, 0)
    assert "cut short: the service is stopping" in done.result["message"]
    intake.release(ROOM)


@pytest.mark.parametrize("error", [Unavailable("the disk is full"), StoppedError("the service is stopping")])
def test_a_replay_that_is_refused_says_why_and_how_far_it_came(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    append = intake._ledger.append
    blocks: list[int] = []

    def once(*asked: Any) -> Any:
        if blocks:
            raise error
        blocks.append(1)
        return append(*asked)

    monkeypatch.setattr(intake._ledger, "append", once)
    done = replayed(intake)
    assert done.status == 1
    assert 0 < done.result["replayed"] < MANY
    assert f"cut short: {error}" in done.result["message"]
