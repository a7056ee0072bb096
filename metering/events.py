"""Read events out of a body: typed values where they are events, a rejection by index where one is not.

The quick way decodes the whole body at once; only when an event in it is wrong is it taken apart, so that refusing
one event refuses no other.
"""

from typing import Annotated

import msgspec

from metering.body import Form, checked_utf8, is_single, raw_events, syntax_reason, syntax_refusal
from metering.errors import BodyRefusedError, Rejection

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


ITEMS_MAX = 200_000
"""As many as a block has rows. Two bytes of a body can be an item, and to say what is wrong with it takes a hundred."""

EVENT = msgspec.json.Decoder(Event)
EVENTS = msgspec.json.Decoder(list[Event])
REQUIRED = ("id", "source", "type", "subject", "time")


class Sources(msgspec.Struct):
    """What can still be said of an event that is rejected."""

    source: object = ""


def read_events(body: bytes, form: Form) -> tuple[list[Event], list[Rejection], list[int]]:
    """The events of `body`, the items that are none, and the index in the body of each event."""
    checked_utf8(body)
    quick = _all_at_once(body, form)
    if quick is not None:
        _refuse_too_many(len(quick))
        return quick, [], list(range(len(quick)))
    events: list[Event] = []
    rejections: list[Rejection] = []
    places: list[int] = []
    items = raw_events(body, form)
    _refuse_too_many(len(items))
    for index, raw in enumerate(items):
        event = _one(index, raw)
        if isinstance(event, Event):
            events.append(event)
            places.append(index)
        else:
            rejections.append(event)
    return events, rejections, places


def _refuse_too_many(items: int) -> None:
    if items > ITEMS_MAX:
        detail = f"the body holds {items} events, and a request at most {ITEMS_MAX}: send fewer events a request"
        raise BodyRefusedError(413, "Too many events", detail)


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
