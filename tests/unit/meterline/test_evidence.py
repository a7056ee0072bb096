"""What is replayed goes back in bodies that the intake takes."""

from meterline.operations.evidence import BODY_BYTES, _bodies


def test_events_are_sent_again_in_bodies_of_bounded_size_in_their_order() -> None:
    lines = [bytes([97 + number]) * size for number, size in enumerate([10, BODY_BYTES, 10, 10, BODY_BYTES - 10, 5])]
    bodies = list(_bodies(iter(lines)))
    assert [line for body in bodies for line in body] == lines
    assert all(len(b"\n".join(body)) <= BODY_BYTES for body in bodies)
    assert len(bodies) == 4


def test_an_event_larger_than_a_body_goes_alone() -> None:
    large = b"x" * (2 * BODY_BYTES)
    assert list(_bodies([b"a", large, b"b"])) == [[b"a"], [large], [b"b"]]


def test_nothing_to_replay_is_no_body() -> None:
    assert list(_bodies([])) == []
