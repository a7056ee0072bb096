"""Turns one event into the bytes that are sent for it, the same for every try.

An event is encoded when it is emitted: what the caller changes afterwards does not change it, a value that can't be
written fails where it was given, and the buffer knows its size. A Decimal is written as a string, exactly; a float by
the shortest form that reads back as the same float; NaN and infinities as null, which the service puts in quarantine.
"""

from collections.abc import Mapping

import msgspec

from metering.emitter.errors import InvalidEvent


class Event(msgspec.Struct, gc=False, frozen=True):
    id: str
    source: str
    type: str
    subject: str
    time: str
    data: object


def _as_dict(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form; use str, int, Decimal, bool, None, list or dict")


_encode = msgspec.json.Encoder(enc_hook=_as_dict, decimal_format="string").encode


def encode_event(event: Event) -> bytes:
    """The event as one JSON object."""
    try:
        return _encode(event)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidEvent(f"event {event.id} can't be written as JSON: {error}") from error


def encode_batch(events: list[bytes]) -> bytes:
    """Encoded events as one JSON array."""
    return b"[" + b",".join(events) + b"]"
