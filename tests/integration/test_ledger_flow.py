"""The intake under many senders, lost answers, limits and the end: each is answered for what became of theirs."""

import gzip
import queue
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from ledger.block import SCHEMA, Marker, genesis, sealed
from ledger.errors import Unavailable
from ledger.ledger import Ledger
from ledger.meters import Meter
from metering.errors import BodyRefusedError
from metering.intake import Intake, IntakeSettings, OverloadedError, StoppedError
from metering.requests import Answer
from tests.faults import Fuse, Kill, Unsure, cut_short, made_unsure
from tests.place import ANSWER_S, METERS, Place, body, counts, event, problems, received, told, usage

ALL = {"first": 0, "last": 2**64 - 1, "limit": 1_000}
"""Every marker."""


def held_back(ledger: Ledger, until: threading.Event) -> Any:
    """An append that begins when it is told to, so that who asks for the answer is there before it."""
    append = ledger._writer.append

    def wait_and_append(*arguments: Any) -> Any:
        until.wait(ANSWER_S)
        return append(*arguments)

    return wait_and_append


def test_no_answer_comes_before_its_block_is_marked(place: Place) -> None:
    """A callback runs in the very moment of the answer, in the writer's own thread."""
    seen: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
    with place.ledger() as ledger, place.intake(ledger, IntakeSettings(linger_ms=0)) as intake:

        def look(_answer: "Future[Answer]") -> None:
            marked = sum(marker[4] for marker in place.raw.rows("markers", **ALL))
            stored = sum(many for _, many, _ in place.raw.rows("blocks_after", block=0))
            seen.put((marked, stored))

        place.raw.rows("markers", **ALL)
        for number in range(10):
            held = threading.Event()
            ledger._writer.append, append = held_back(ledger, held), ledger._writer.append  # type: ignore[method-assign]
            sent = intake.submit("default", body(event(str(number))))
            sent.add_done_callback(look)
            held.set()
            sent.result(ANSWER_S)
            ledger._writer.append = append  # type: ignore[method-assign]
        assert [seen.get(timeout=ANSWER_S) for _ in range(10)] == [(number, number) for number in range(1, 11)]


def test_many_senders_at_once_are_each_answered_with_what_became_of_theirs(place: Place) -> None:
    """Each of 8 senders sends the same 400 ids in its own order, and 50 of its own; all in bodies of 25."""
    senders = 8

    def send(intake: Intake, sender: int) -> list[tuple[int, int, int, int, int]]:
        shared = [event(f"shared-{(number * (2 * sender + 1)) % 400}", data={"gb": "1"}) for number in range(400)]
        own = [event(f"own-{sender}-{number}") for number in range(50)]
        bad = [event(f"bad-{sender}", data={}), {"id": 1}]
        every = shared + own + bad
        answers = [intake.submit("default", body(*every[first : first + 25])) for first in range(0, len(every), 25)]
        return [counts(answer.result(ANSWER_S)) for answer in answers]

    settings = IntakeSettings(linger_ms=1, block_events_max=300)
    with place.ledger() as ledger, place.intake(ledger, settings) as intake, ThreadPoolExecutor(senders) as pool:
        answers = [each for of in pool.map(lambda sender: send(intake, sender), range(senders)) for each in of]
        accepted, duplicates, conflicts, quarantined, rejected = map(sum, zip(*answers, strict=True))
        distinct = len({(number * (2 * sender + 1)) % 400 for sender in range(senders) for number in range(400)})
        assert accepted == distinct + senders * 50
        assert (conflicts, quarantined, rejected) == (0, senders, senders)
        assert accepted + duplicates + quarantined + rejected == senders * 452
        assert received(ledger) == {
            "accepted": accepted,
            "duplicates": duplicates,
            "quarantined": quarantined,
            "rejected": rejected,
        }
        assert ledger.head.block > 1
        assert intake.index.count == accepted == ledger.accepted
        assert problems(ledger) == []


def test_a_catalog_applied_between_two_requests_counts_for_the_second_alone(place: Place) -> None:
    newer = place.catalog(2, {"default": [METERS[0], Meter("egress_events", "egress", "count")]})
    with place.ledger() as ledger, place.intake(ledger, IntakeSettings(linger_ms=50)) as intake:
        older = intake.admission
        answers = []
        for number in range(8):
            intake.admission = newer if number % 2 else older
            answers.append(intake.submit("default", body(event(str(number)))))
            answers[-1].result(ANSWER_S)
        assert all(counts(answer.result()) == (1, 0, 0, 0, 0) for answer in answers)
        assert [marker[1] for marker in place.raw.rows("markers", **ALL)] == [1, 2] * 4
        assert usage(ledger) == {"egress_events": (4, 4 * 10**9), "gb_out": (8, 8 * 10**8)}
        assert problems(ledger) == []


def test_a_block_never_mixes_catalogs_however_fast_they_are_applied(place: Place) -> None:
    newer = place.catalog(2, {"default": [METERS[0], Meter("egress_events", "egress", "count")]})
    with place.ledger() as ledger, place.intake(ledger, IntakeSettings(linger_ms=20)) as intake:
        older = intake.admission
        answers = []
        for number in range(200):
            intake.admission = newer if number % 3 else older
            answers.append(intake.submit("default", body(event(str(number)))))
        assert all(counts(answer.result(ANSWER_S)) == (1, 0, 0, 0, 0) for answer in answers)
        assert problems(ledger) == []
        assert ledger.accepted == 200


@pytest.mark.parametrize("bad", [b"[", b"\xff", b""])
def test_room_is_given_back_whatever_becomes_of_a_body(place: Place, bad: bytes) -> None:
    settings = IntakeSettings(linger_ms=1, body_bytes_max=1_000, inflight_bytes_max=5_000)
    with place.ledger() as ledger, place.intake(ledger, settings) as intake:
        for sent in (body(event("a")), bad, body(1), b"[" + b" " * 2_000 + b"]", body()):
            assert intake.reserve(len(sent))
            answer = intake.submit("default", sent, reserved=len(sent))
            answer.exception(ANSWER_S)
        assert intake.inflight_bytes == 0
        intake.close()
        assert intake.reserve(10)
        with pytest.raises(StoppedError):
            intake.submit("default", body(event("b")), reserved=10).result(ANSWER_S)
        assert intake.inflight_bytes == 0


def test_over_the_limit_nothing_more_is_let_in_until_there_is_room(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger, IntakeSettings(inflight_bytes_max=100)) as intake:
        assert intake.reserve(60)
        assert not intake.reserve(41)
        assert intake.reserve(40)
        assert not intake.reserve(1)
        intake.release(60)
        intake.release(40)
        assert intake.reserve(1_000)  # alone, even what is larger than the limit gets its turn
        intake.release(1_000)
        assert intake.inflight_bytes == 0


def test_a_compressed_body_needs_the_room_it_grows_to(place: Place) -> None:
    sent = gzip.compress(body(*(event(str(number)) for number in range(100))))
    settings = IntakeSettings(linger_ms=1, inflight_bytes_max=5_000)
    with place.ledger() as ledger, place.intake(ledger, settings) as intake:
        assert intake.reserve(len(sent))
        with pytest.raises(OverloadedError):
            intake.submit("default", sent, encoding="gzip", reserved=len(sent)).result(ANSWER_S)
        assert intake.inflight_bytes == 0
        assert ledger.head.block == 0


def test_closing_finishes_what_was_taken_and_refuses_the_rest(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger, IntakeSettings(linger_ms=200)) as intake:
        taken = [intake.submit("default", body(event(str(number)))) for number in range(50)]
        intake.close()
        assert all(answer.done() for answer in taken)
        assert sum(answer.result().accepted for answer in taken) == 50 == ledger.accepted
        with pytest.raises(StoppedError, match="send the events again"):
            intake.submit("default", body(event("late"))).result(ANSWER_S)
        intake.close()


def test_a_block_that_was_not_stored_is_refused_and_its_events_count_when_sent_again(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        told(intake, event("a"))
        made_unsure(ledger, "events", "nothing")
        with pytest.raises(Unavailable):
            told(intake, event("a"), event("b"))
        assert intake.inflight_bytes == 0
        assert counts(told(intake, event("a"), event("b"))) == (1, 1, 0, 0, 0)
        assert received(ledger) == {"accepted": 2, "duplicates": 1}


def test_a_block_whose_answer_was_lost_is_answered_for_once(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        made_unsure(ledger, "events", "all")
        assert counts(told(intake, event("a"))) == (1, 0, 0, 0, 0)
        made_unsure(ledger, "blocks", "all")
        assert counts(told(intake, event("a"), event("b"))) == (1, 1, 0, 0, 0)
        assert problems(ledger) == []


def test_when_the_outcome_cant_be_told_everyone_is_told_to_send_again_and_a_restart_counts_once(place: Place) -> None:
    ledger = place.ledger()
    with place.intake(ledger) as intake:
        unsure = Unsure(ledger._write, "events", "all")
        unsure.blind = True
        ledger._writer._handle = unsure
        answers = [intake.submit("default", body(event(str(number))), reserved=0) for number in range(20)]
        for answer in answers:
            with pytest.raises(StoppedError):
                answer.result(ANSWER_S)
        assert intake.failure is not None
        with pytest.raises(StoppedError):
            told(intake, event("late"))
        assert intake.inflight_bytes == 0
    ledger.close()
    with place.ledger() as again, place.intake(again) as intake:
        adopted = again.accepted
        assert 0 < adopted <= 20
        sent_again = told(intake, *(event(str(number)) for number in range(20)))
        assert counts(sent_again) == (20 - adopted, adopted, 0, 0, 0)
        assert problems(again) == []


@pytest.mark.parametrize("cut", [1, 2])
def test_a_block_adopted_after_a_kill_is_as_its_writer_would_have_left_it(place: Place, cut: int) -> None:
    """The rows the engine gives back make the same marker as the columns they were written from."""
    sent = [event("a"), event("b", data={}), event("a"), 5, event("c", type="api.request", data={"region": "é😀\0"})]
    ledger = place.ledger()
    with place.intake(ledger) as intake:
        cut_short(ledger, Fuse(cut))
        made: list[Any] = []
        append = ledger._writer._insert_block

        def watched(rows: Any, marker: Marker) -> None:
            made.append(sealed(genesis(ledger.identity.id), marker, rows.select(SCHEMA.names)))
            append(rows, marker)

        ledger._writer._insert_block = watched  # type: ignore[method-assign]
        with pytest.raises(StoppedError):
            told(intake, *sent)
        assert isinstance(intake.failure, Kill)
    ledger.close()
    with place.ledger() as again, place.intake(again) as intake:
        assert [again.head] == made
        assert counts(told(intake, *sent)) == (0, 3, 0, 1, 1)
        assert problems(again) == []


def test_a_refused_body_leaves_the_others_of_the_moment_alone(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger, IntakeSettings(linger_ms=50)) as intake:
        answers = [
            intake.submit("default", sent)
            for pair in zip((body(event(str(n))) for n in range(10)), [b"{"] * 10, strict=True)
            for sent in pair
        ]
        for place_of, answer in enumerate(answers):
            if place_of % 2:
                with pytest.raises(BodyRefusedError):
                    answer.result(ANSWER_S)
            else:
                assert counts(answer.result(ANSWER_S)) == (1, 0, 0, 0, 0)
        assert received(ledger) == {"accepted": 10}
