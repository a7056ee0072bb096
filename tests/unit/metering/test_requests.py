"""Requests are decoded together in groups that a block holds, in the order they came in."""

from concurrent.futures import Future

from metering.events import read_events
from metering.requests import Request, that_fit_a_block

EVENT = b'{"id":"1","source":"/s","type":"t","subject":"u","time":"2026-11-01T12:00:00Z"}\n'


def of_events(many: int) -> Request:
    request = Request("default", b"", "", "", Future(), 0)
    request.events, request.rejections = read_events(EVENT * many, "lines", 100)
    return request


def sizes(many: list[int], events_max: int, bytes_max: int = 1 << 30) -> list[list[int]]:
    groups = that_fit_a_block([of_events(one) for one in many], events_max, bytes_max)
    return [[request.events.size for request in group if request.events is not None] for group in groups]


def test_a_group_ends_before_it_holds_more_events_than_a_block() -> None:
    assert sizes([2, 3, 1, 5, 1], 5) == [[2, 3], [1], [5], [1]]


def test_a_group_ends_before_it_holds_more_bytes_than_a_block() -> None:
    assert sizes([1, 1, 1], 100, bytes_max=2 * len(EVENT)) == [[1, 1], [1]]


def test_a_request_larger_than_a_block_is_a_group_of_its_own_and_nothing_makes_no_group() -> None:
    assert sizes([1, 9, 1], 5) == [[1], [9], [1]]
    assert sizes([], 5) == []
