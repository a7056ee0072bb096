"""Read events out of a body: where their fields stand, and a rejection by index for each item that is no event.

A plain body is scanned. Of another one the whole is decoded at once, and only when an event in it is wrong is it taken
apart, so that refusing one event refuses no other.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from metering.body import Form, checked_utf8, is_single, is_too_deep, raw_events, syntax_reason, syntax_refusal
from metering.errors import BodyRefusedError, Rejection
from metering.fields import Fields, laid_out
from metering.instants import instant
from metering.scan import scanned

TEXT_CHARACTERS_MAX = 256
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_CHARACTERS_MAX)]


class Event(msgspec.Struct, gc=False):
    """One usage event as it is sent; `data` as it was written."""

    id: Text
    source: Text
    type: Text
    subject: Text
    time: str
    data: msgspec.Raw = msgspec.Raw(b"null")


EVENT = msgspec.json.Decoder(Event)
EVENTS = msgspec.json.Decoder(list[Event])
REQUIRED = ("id", "source", "type", "subject", "time")


class Sources(msgspec.Struct):
    """What can still be said of an event that is rejected."""

    source: object = ""


def read_events(body: bytes, form: Form, events_max: int) -> tuple[Fields, list[Rejection]]:
    """The events of `body`, and the items that are none."""
    checked_utf8(body)
    plain = scanned(body, form)
    if plain is not None:
        _refuse_too_many(plain.size, events_max)
        return plain, []
    is_deep = is_too_deep(body)
    if is_deep and form != "lines":
        raise syntax_refusal(body, RecursionError())
    events = None if is_deep else _all_at_once(body, form)
    if events is not None:
        _refuse_too_many(len(events), events_max)
        return _settled(dict(enumerate(events)), [])
    items = raw_events(body, form)
    _refuse_too_many(len(items), events_max)
    found = {index: _one(index, raw) for index, raw in enumerate(items)}
    return _settled(
        {index: one for index, one in found.items() if isinstance(one, Event)},
        [one for one in found.values() if isinstance(one, Rejection)],
    )


def _refuse_too_many(items: int, events_max: int) -> None:
    if items > events_max:
        detail = (
            f"the body holds {items} events, and a request at most {events_max} (request_events_max): "
            "send fewer events a request"
        )
        raise BodyRefusedError(413, "Too many events", detail)


def _settled(events: dict[int, Event], rejections: list[Rejection]) -> tuple[Fields, list[Rejection]]:
    """Decoded events, each under its index in the body, as fields; those whose time can't be read are rejected too."""
    time = {index: instant(event.time) for index, event in events.items()}
    timeless = [_timeless(index, events[index]) for index, found in time.items() if found is None]
    timely = [(event, found) for event, found in zip(events.values(), time.values(), strict=True) if found is not None]
    fields = fields_of([event for event, _ in timely], np.array([found for _, found in timely], np.int64))
    return fields, sorted([*rejections, *timeless], key=lambda rejection: rejection.index)


def fields_of(events: Sequence[Event], time: NDArray[np.int64]) -> Fields:
    """Where everything stands that decoded events say."""
    texts = [[getattr(event, name) for event in events] for name in ("id", "source", "type", "subject")]
    data = pa.array([bytes(event.data) for event in events], pa.binary())
    return laid_out([*(pa.array(text, pa.string()) for text in texts), data], time)


def _timeless(index: int, event: Event) -> Rejection:
    reason = f"time {event.time[:40]!r} is no RFC 3339 time with a zone, such as 2026-11-01T12:00:00.000Z"
    return Rejection(index, "time_unreadable", reason, event.source)


def _all_at_once(body: bytes, form: Form) -> list[Event] | None:
    """Every event of a body without mistakes; None where the careful way has to look."""
    try:
        if form == "lines":
            return _lines(body)
        if is_single(body, form):
            return [EVENT.decode(body)]
        return EVENTS.decode(body)
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, RecursionError) as error:
        if form == "lines":
            return None
        raise syntax_refusal(body, error) from error


def _lines(body: bytes) -> list[Event] | None:
    """Every event of lines that hold one each.

    As many events as lines, all of which begin and end an object: a line then can't hold two, nor half of one.
    """
    lines = body.split(b"\n")
    stripped = [line for line in map(bytes.strip, lines) if line]
    if not all(line.startswith(b"{") and line.endswith(b"}") for line in stripped):
        return None
    events = EVENT.decode_lines(body)
    return events if len(events) == len(stripped) else None


def _one(index: int, raw: bytes) -> Event | Rejection:
    if is_too_deep(raw):
        return Rejection(index, "unreadable", syntax_reason(raw, RecursionError()))
    try:
        return EVENT.decode(raw)
    except msgspec.ValidationError as error:
        code, reason = _said(raw, str(error))
        return Rejection(index, code, reason, _source(raw))
    except (msgspec.DecodeError, RecursionError) as error:
        return Rejection(index, "unreadable", syntax_reason(raw, error))


def _said(raw: bytes, message: str) -> tuple[str, str]:
    """A code and a sentence for what the decoder found."""
    if not raw.lstrip().startswith(b"{"):
        return "not_an_object", "an event is a JSON object with id, source, type, subject and time"
    if "missing required field" in message:
        return "missing", f"{message}: an event has id, source, type, subject and time"
    if "length" in message:
        code = "empty" if ">= 1" in message else "too_long"
        return code, f"{message} (1 to {TEXT_CHARACTERS_MAX} characters)"
    return "wrong_type", f"{message}: id, source, type, subject and time are strings"


def _source(raw: bytes) -> str:
    """The source an item that is no event names, so that its rejection is counted where it came from."""
    try:
        source = msgspec.json.decode(raw, type=Sources).source
    except (msgspec.DecodeError, RecursionError):
        return ""
    return source[:TEXT_CHARACTERS_MAX] if isinstance(source, str) else ""
