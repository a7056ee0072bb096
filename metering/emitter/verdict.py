"""Decides what a reply means for the batch that was sent: counted, again, too large, or refused.

Only an answer that accounts for every event counts as one; anything else under a 2xx is asked again, because the ids
make asking again free and guessing loses usage.
"""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import msgspec

from metering.emitter.transport import Reply

# A proxy's mistake must not silence a service for a day.
RETRY_AFTER_S_MAX = 300
DETAIL_CHARS_MAX = 300


class RejectedItem(msgspec.Struct, frozen=True):
    index: int
    code: str
    reason: str


class Counted(msgspec.Struct, frozen=True):
    accepted: int
    duplicates: int
    conflicts: int
    quarantined: int
    rejected: list[RejectedItem]


@dataclass(frozen=True, slots=True)
class Again:
    reason: str
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TooLarge:
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    status: int
    reason: str


class _Problem(msgspec.Struct):
    title: str = ""
    detail: str = ""


_answer = msgspec.json.Decoder(Counted)
_problem = msgspec.json.Decoder(_Problem)


def judge(reply: Reply, events: int, now_ms: int) -> Counted | Again | TooLarge | Refused:
    """What `reply` says about a batch of `events` events."""
    status = reply.status
    if 200 <= status < 300:
        return _counted(reply.body, events)
    reason = f"{status} {_detail(reply.body)}".strip()
    if status == 413:
        return TooLarge(reason)
    if status in {408, 425, 429} or status >= 500:
        return Again(reason, _after_s(reply.retry_after, now_ms))
    return Refused(status, reason)


def _counted(body: bytes, events: int) -> Counted | Again:
    try:
        answer = _answer.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Again(f"a 2xx whose body is not the service's answer: {error}")
    told = answer.accepted + answer.duplicates + answer.conflicts + answer.quarantined + len(answer.rejected)
    if told != events or not all(0 <= item.index < events for item in answer.rejected):
        return Again(f"an answer that accounts for {told} of {events} events")
    return answer


def _detail(body: bytes) -> str:
    try:
        problem = _problem.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return body[:DETAIL_CHARS_MAX].decode("utf-8", "replace")
    return ": ".join(filter(None, [problem.title, problem.detail]))[:DETAIL_CHARS_MAX]


def _after_s(value: str | None, now_ms: int) -> float:
    """How long the service asks to be left alone: seconds, or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return 0.0
    try:
        wait_s = int(value) if value.strip().isdigit() else parsedate_to_datetime(value).timestamp() - now_ms / 1000
    except ValueError:
        return 0.0
    return min(max(wait_s, 0.0), RETRY_AFTER_S_MAX)
