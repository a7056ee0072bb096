"""What the emitter does when the intake is down, slow, cut off, over its limit, or refuses a batch."""

import threading

import pytest

from metering.emitter import Backoff, Closed, Counts, Limits, NotAcknowledged
from tests.scripted_intake import Step, scripted_intake
from tests.unit.metering.emitting import QuickClock, emit_some, emitter_to, ids_of, sizes


@pytest.mark.parametrize(
    ("step", "counts"),
    [
        (Step(503), Counts(accepted=50)),
        (Step(429), Counts(accepted=50)),
        (Step(408), Counts(accepted=50)),
        (Step(fault="is cut before it is stored"), Counts(accepted=50)),
        (Step(fault="is cut after it is stored"), Counts(duplicates=50)),
        (Step(fault="never answers"), Counts(accepted=50)),
        (Step(200, body=b"<html>"), Counts(accepted=50)),
    ],
    ids=lambda value: f"{value.status} {value.fault}" if isinstance(value, Step) else "",
)
def test_a_retry_is_the_same_request_and_counts_once(step: Step, counts: Counts) -> None:
    with scripted_intake(step, step) as intake:
        clock = QuickClock()
        with emitter_to(intake, clock=clock, timeout_s=0.2) as emitter:
            ids = emit_some(emitter, 50)
        assert len(intake.requests) == 3
        assert len(clock.pauses_s) == 2
        assert len({request.body for request in intake.requests}) == 1
        assert list(intake.stored) == ids
        assert emitter.counts == counts


def test_events_for_an_intake_that_never_comes_are_handed_back() -> None:
    with scripted_intake() as gone:
        pass
    emitter = emitter_to(gone)
    ids = emit_some(emitter, 3)
    with pytest.raises(NotAcknowledged, match=r"3 events have no answer yet \(ConnectionRefusedError") as lacking:
        emitter.flush(0.05)
    assert (lacking.value.pending, lacking.value.refused) == (3, 0)
    with pytest.raises(NotAcknowledged, match="3 events have no answer yet"):
        emitter.close(0.01)
    with pytest.raises(NotAcknowledged, match="3 events have no answer yet"):
        emitter.close(0.01)
    assert [ids_of(part.events) for part in emitter.take_unacknowledged()] == [ids]
    emitter.close()


def test_pauses_double_up_to_a_bound_and_are_drawn_from_the_whole_range() -> None:
    with scripted_intake(*[Step(503)] * 6) as intake:
        clock = QuickClock()
        draws = iter([1, 1, 1, 1, 0.25, 0])
        backoff = Backoff(first_s=1, longest_s=8, draw=lambda: next(draws))
        with emitter_to(intake, clock=clock, backoff=backoff) as emitter:
            emit_some(emitter, 1)
        assert clock.pauses_s == [1, 2, 4, 8, 2, 0]


@pytest.mark.parametrize("value", ["7", "Sun, 01 Nov 2026 12:00:07 GMT"])
def test_retry_after_is_honoured(value: str) -> None:
    with scripted_intake(Step(429, headers=(("Retry-After", value),))) as intake:
        clock = QuickClock()
        with emitter_to(intake, clock=clock, backoff=Backoff(first_s=1, draw=lambda: 0.5)) as emitter:
            emit_some(emitter, 1)
        assert clock.pauses_s == [7.5]


def test_an_answer_that_comes_before_the_body_is_read_is_heard() -> None:
    parting = (("Retry-After", "7"), ("Connection", "close"))
    early = Step(429, headers=parting, fault="answers before it has read the body")
    with scripted_intake(early) as intake:
        clock = QuickClock()
        with emitter_to(intake, clock=clock, backoff=Backoff(draw=lambda: 0), gzip_bytes_min=1 << 30) as emitter:
            emitter.emit("egress", "acme", {"text": "x" * 4_000_000})
        assert clock.pauses_s == [7]
        assert len(intake.stored) == 1


def test_a_batch_that_is_too_large_is_halved_until_it_fits() -> None:
    with scripted_intake(body_bytes_max=1_000) as intake:
        with emitter_to(intake) as emitter:
            ids = emit_some(emitter, 50)
        assert list(intake.stored) == ids
        assert emitter.counts == Counts(accepted=50)


def test_batches_after_a_413_are_smaller_from_the_start() -> None:
    with scripted_intake(body_bytes_max=1_000) as intake:
        with emitter_to(intake) as emitter:
            emit_some(emitter, 50)
            emitter.flush()
            before = len(intake.requests)
            emit_some(emitter, 50)
        assert max(sizes(intake)[before:]) * 2 <= max(sizes(intake)[:before])
        assert len(intake.stored) == 100


def test_an_event_that_is_too_large_alone_is_kept_and_stops_no_other() -> None:
    with scripted_intake(body_bytes_max=1_000) as intake:
        emitter = emitter_to(intake)
        before = emit_some(emitter, 3)
        large = emitter.emit("egress", "acme", {"text": "x" * 5_000})
        after = emit_some(emitter, 3)
        with pytest.raises(NotAcknowledged, match="0 events have no answer yet, and 1 were refused"):
            emitter.flush()
        (refused,) = emitter.take_unacknowledged()
        assert (ids_of(refused.events), refused.status) == ([large], 413)
        assert list(intake.stored) == before + after
        emitter.close()


@pytest.mark.parametrize("status", [400, 401, 403, 415, 422])
def test_a_batch_that_is_refused_whole_is_not_tried_again_and_kept(status: int) -> None:
    problem = b'{"title": "No", "detail": "because"}'
    with scripted_intake(Step(status, body=problem)) as intake:
        with emitter_to(intake) as emitter:
            lost = emit_some(emitter, 3)
            with pytest.raises(NotAcknowledged, match="3 were refused") as lacking:
                emitter.flush()
            assert (lacking.value.pending, lacking.value.refused) == (0, 3)
            good = emit_some(emitter, 2)
            with pytest.raises(NotAcknowledged, match="3 were refused"):
                emitter.flush()
            (refused,) = emitter.take_unacknowledged()
            emitter.flush()
        assert (ids_of(refused.events), refused.status, refused.reason) == (lost, status, f"{status} No: because")
        assert list(intake.stored) == good
        assert emitter.counts == Counts(accepted=2)


def test_close_does_not_wait_for_an_answer_that_never_comes() -> None:
    with scripted_intake(finally_=Step(fault="never answers")) as intake:
        emitter = emitter_to(intake, Limits(batch_events_max=2), timeout_s=3_600)
        ids = emit_some(emitter, 5)
        with pytest.raises(NotAcknowledged, match="5 events have no answer yet"):
            emitter.close(0.1)
        left = emitter.take_unacknowledged()
        assert [identity for part in left for identity in ids_of(part.events)] == ids
        assert {(part.status, part.reason) for part in left} == {(None, "the emitter was closed")}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_the_thread_is_told_to_those_who_emit() -> None:
    class BrokenClock(QuickClock):
        def pause(self, stop: threading.Event, seconds: float) -> None:
            raise ZeroDivisionError(stop, seconds)

    with scripted_intake(Step(503)) as intake:
        emitter = emitter_to(intake, clock=BrokenClock())
        ids = emit_some(emitter, 1)
        with pytest.raises(NotAcknowledged, match="1 events have no answer"):
            emitter.flush()
        with pytest.raises(Closed, match="ZeroDivisionError"):
            emit_some(emitter, 1)
        assert ids_of(emitter.take_unacknowledged()[0].events) == ids
