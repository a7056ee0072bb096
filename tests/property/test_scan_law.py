"""The scanner and the decoder agree on every body the scanner takes; what it takes is nearly all that is sent."""

import json
from typing import Any

import msgspec
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metering.body import Form, raw_events
from metering.errors import BodyRefusedError
from metering.events import EVENT
from metering.fields import Fields, joined
from metering.instants import instant
from metering.scan import scanned

texts = st.one_of(st.text("abcé /-_.😀", min_size=1, max_size=6), st.text(max_size=4), st.just("x" * 257))
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from([0.5, -1e-7, 1e300]), texts)
documents = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
times = st.sampled_from(
    ["2026-11-01T12:00:00Z", "2026-11-01T12:00:00.5+01:00", "2026-02-29T00:00:00Z", "2026-11-01 12:00:00Z", "noon", ""]
)
events = st.fixed_dictionaries(
    {"id": texts, "source": texts, "type": texts, "subject": texts, "time": times},
    optional={"data": documents, "specversion": st.just("1.0"), "extra": documents},
)
items = st.one_of(events, events, events, documents)
spaces = st.sampled_from(["", " ", "\n", "\t\r\n  "])


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, Form]:
    """Bodies as anybody may send them, and some that a byte was changed in."""
    form: Form = draw(st.sampled_from(["array", "lines", "one"]))
    said = draw(st.lists(items, max_size=4))
    written = [
        json.dumps(one, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1]))) for one in said
    ]
    if form == "array":
        space = draw(spaces)
        text = space + "[" + f"{space},{space}".join(written) + "]" + space
    else:
        text = draw(st.sampled_from(["\n", "\r\n", " \n\n"])).join(written)
    sent = bytearray(text.encode())
    for _ in range(draw(st.integers(0, 2))):
        if not sent:
            break
        at = draw(st.integers(0, len(sent) - 1))
        broken = draw(
            st.sampled_from([b"", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"0", b"e", b"\n", b"\0", b" "])
        )
        sent[at : at + draw(st.integers(0, 3))] = broken
    return bytes(sent), form


def decoded(body: bytes, form: Form) -> list[list[Any]] | None:
    """What the decoder makes of a body all of whose items are events; None where one is not."""
    try:
        body.decode()
        read = [EVENT.decode(raw) for raw in raw_events(body, form)]
    except (msgspec.DecodeError, BodyRefusedError, UnicodeDecodeError):
        return None
    return [[e.id, e.source, e.type, e.subject, bytes(e.data).decode(), instant(e.time)] for e in read]


def said(events_found: Fields) -> list[list[Any]]:
    whole = joined([events_found])
    places = whole.spans.reshape(-1, 5, 2).tolist()
    fields = [[whole.text[at : at + length].tobytes().decode() for at, length in one] for one in places]
    return [[*of_event, time] for of_event, time in zip(fields, whole.time.tolist(), strict=True)]


EVENT_TEXT = b'{"id":"1","source":"/s","type":"t","subject":"u","time":"2026-11-01T12:00:00Z","data":%s}'


@given(bodies())
@settings(max_examples=1_500)
@example((EVENT_TEXT % b'"a\\ud800"', "one"))
@example((EVENT_TEXT % b'"\\x"', "one"))
@example((EVENT_TEXT % b"[1,]", "one"))
@example((EVENT_TEXT % b"01", "one"))
@example((EVENT_TEXT % b"1e", "one"))
@example((EVENT_TEXT % b"-", "one"))
@example((EVENT_TEXT % b"1e999999", "one"))
@example((EVENT_TEXT % (b"[" * 61 + b"]" * 61), "one"))
@example((EVENT_TEXT % b"{}" + EVENT_TEXT % b"{}", "lines"))
@example((b"[" + EVENT_TEXT % b"{}" + b",]", "array"))
@example((b"[" + EVENT_TEXT % b"{}", "array"))
@example((EVENT_TEXT % b"tru", "one"))
@example((EVENT_TEXT % b'{"a":1,"a":{}}', "one"))
@example((b'{"id":"1","id":"2"' + (EVENT_TEXT % b"1")[9:], "one"))
def test_what_the_scanner_takes_is_what_the_decoder_reads(sent: tuple[bytes, Form]) -> None:
    body, form = sent
    found = scanned(body, form)
    if found is not None and body.isascii():
        assert said(found) == decoded(body, form)
    elif found is not None:  # the bytes are checked to be UTF-8 before the scanner sees them
        assert decoded(body, form) in (None, said(found))


@given(st.lists(events, min_size=1, max_size=5), st.sampled_from(["array", "lines"]))
def test_bodies_without_escapes_in_usual_times_are_taken(batch: list[dict[str, Any]], form: Form) -> None:
    plain = [
        {
            **{
                name: one[name].replace("\\", "").replace('"', "").strip("x") or "y"
                for name in ("id", "source", "type")
            },
            "subject": "acme",
            "time": "2026-11-01T12:00:00.123456+00:00",
            "data": {"gb": 1.5, "list": [1, {"b": None}], "text": "plain"},
        }
        for one in batch
        if all(character.isprintable() for name in ("id", "source", "type") for character in one[name])
    ]
    written = [json.dumps(one, ensure_ascii=False) for one in plain]
    body = "\n".join(written) if form == "lines" else f"[{','.join(written)}]"
    found = scanned(body.encode(), form)
    assert found is not None
    assert [one[0] for one in said(found)] == [one["id"] for one in plain]


def test_a_column_of_no_rows_is_laid_out_too() -> None:
    found = scanned(b"[]", "array")
    assert found is not None
    assert joined([found]).size == 0
    assert pa.array([], pa.string()).equals(pa.array(said(found), pa.string()))
