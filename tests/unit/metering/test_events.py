"""Events of a body: no more than an answer can speak of."""

import pytest

from metering.body import Form
from metering.errors import BodyRefusedError
from metering.events import read_events

EVENTS_MAX = 1_000
EVENT = b'{"id":"1","source":"/s","type":"t","subject":"u","time":"2026-11-01T12:00:00Z"}'


@pytest.mark.parametrize("item", [b"1", EVENT])
@pytest.mark.parametrize(("form", "begin", "between", "end"), [("array", b"[", b",", b"]"), ("lines", b"", b"\n", b"")])
def test_a_body_of_more_items_than_a_request_may_hold_is_refused_whole(
    form: Form, begin: bytes, between: bytes, end: bytes, item: bytes
) -> None:
    with pytest.raises(BodyRefusedError) as refusal:
        read_events(begin + between.join([item] * (EVENTS_MAX + 1)) + end, form, EVENTS_MAX)
    assert refusal.value.status == 413
    assert f"at most {EVENTS_MAX}" in refusal.value.detail


def test_a_body_of_as_many_items_as_a_request_may_hold_is_read() -> None:
    body = b"[" + b",".join([b"1"] * (EVENTS_MAX - 1)) + b"," + EVENT + b"]"
    events, rejections = read_events(body, "array", EVENTS_MAX)
    assert (events.size, len(rejections)) == (1, EVENTS_MAX - 1)
