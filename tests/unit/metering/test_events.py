"""Events of a body: no more than an answer can speak of."""

import pytest

from metering.body import Form
from metering.errors import BodyRefusedError
from metering.events import ITEMS_MAX, read_events

EVENT = b'{"id":"1","source":"/s","type":"t","subject":"u","time":"2026-11-01T12:00:00Z"}'


@pytest.mark.parametrize("item", [b"1", EVENT])
@pytest.mark.parametrize(("form", "begin", "between", "end"), [("array", b"[", b",", b"]"), ("lines", b"", b"\n", b"")])
def test_a_body_of_more_items_than_a_block_has_rows_is_refused_before_any_is_looked_at(
    form: Form, begin: bytes, between: bytes, end: bytes, item: bytes
) -> None:
    with pytest.raises(BodyRefusedError) as refusal:
        read_events(begin + between.join([item] * (ITEMS_MAX + 1)) + end, form)
    assert refusal.value.status == 413
    assert f"at most {ITEMS_MAX}" in refusal.value.detail


def test_a_body_of_as_many_items_as_a_block_has_rows_is_read() -> None:
    events, rejections, _ = read_events(b"[" + b",".join([b"1"] * (ITEMS_MAX - 1)) + b"," + EVENT + b"]", "array")
    assert (len(events), len(rejections)) == (1, ITEMS_MAX - 1)
