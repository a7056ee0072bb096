"""What a reply means for the batch that was sent."""

import json

import pytest

from metering.emitter.transport import Reply
from metering.emitter.verdict import RETRY_AFTER_S_MAX, Again, Counted, Refused, TooLarge, judge

NOW_MS = 1_793_534_400_000  # Sunday, 1 November 2026, 12:00 UTC
ALL_ZERO = {"accepted": 0, "duplicates": 0, "conflicts": 0, "quarantined": 0, "rejected": []}


def told(**counts: object) -> Reply:
    return Reply(200, json.dumps(ALL_ZERO | counts).encode())


def test_an_answer_that_accounts_for_every_event_counts() -> None:
    item = {"index": 4, "code": "no_subject", "reason": "subject is missing"}
    answer = judge(told(accepted=1, duplicates=1, conflicts=1, quarantined=1, rejected=[item]), 5, NOW_MS)
    assert isinstance(answer, Counted)
    assert answer.rejected[0].code == "no_subject"


@pytest.mark.parametrize(
    "reply",
    [
        told(accepted=4),
        told(accepted=6),
        told(accepted=4, rejected=[{"index": 5, "code": "x", "reason": "x"}]),
        Reply(200, b"<html>signed in</html>"),
        Reply(204, b""),
        Reply(200, b'{"accepted": 5}'),
        Reply(200, b'\xff{"accepted": 5}'),
    ],
)
def test_a_2xx_that_does_not_account_for_every_event_is_asked_again(reply: Reply) -> None:
    assert isinstance(judge(reply, 5, NOW_MS), Again)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert isinstance(judge(Reply(status, b""), 1, NOW_MS), Again)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 415, 422])
def test_what_will_not_pass_is_refused(status: int) -> None:
    verdict = judge(Reply(status, b""), 1, NOW_MS)
    assert isinstance(verdict, Refused)
    assert verdict.status == status


def test_413_asks_for_less() -> None:
    assert isinstance(judge(Reply(413, b""), 1, NOW_MS), TooLarge)


def test_the_problem_that_the_service_states_is_the_reason() -> None:
    body = b'{"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "this key was revoked"}'
    assert judge(Reply(401, body), 1, NOW_MS) == Refused(401, "401 Unauthorized: this key was revoked")


def test_a_body_that_states_no_problem_is_shown_as_it_is_and_not_for_ever() -> None:
    verdict = judge(Reply(502, b"bad \xff gateway" + b"!" * 10_000), 1, NOW_MS)
    assert isinstance(verdict, Again)
    assert verdict.reason.startswith("502 bad \ufffd gateway!!!")
    assert len(verdict.reason) < 400


@pytest.mark.parametrize(
    ("value", "after_s"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("Sun, 01 Nov 2026 12:00:09 GMT", 9),
        ("Sun, 01 Nov 2026 11:00:00 GMT", 0),
        ("86400", RETRY_AFTER_S_MAX),
        ("soon", 0),
        ("-5", 0),
        ("\N{SUPERSCRIPT TWO}", 0),
        (None, 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(value: str | None, after_s: float) -> None:
    verdict = judge(Reply(429, b"", value), 1, NOW_MS)
    assert isinstance(verdict, Again)
    assert verdict.after_s == after_s
