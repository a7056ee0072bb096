"""What an event means does not depend on the batch, the form or the spelling it comes in."""

import json
from decimal import Decimal
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.block import SCHEMA
from ledger.digest import columns_digest
from ledger.meters import Layout, Meter
from metering.columns import Admission, Bounds, columns
from metering.errors import MISSING_VALUE, UNREADABLE_DATA, UNREADABLE_DIMENSION, BodyRefusedError
from metering.events import Event, fields_of, read_events
from metering.extract import Extracted, Extractor
from metering.fields import Fields, joined, laid_out
from metering.identity import Hasher
from metering.instants import instant
from metering.quantity import quantity

NOON_MS = 1_793_534_400_000
LAYOUT = Layout(("gb", "net.bytes"), ("net.region", "plan", "zone"))
METERS = [
    Meter("gb", "egress", "sum", value="gb", dimensions={"region": "net.region", "zone": "zone"}),
    Meter("bytes", "egress", "sum", value="net.bytes", dimensions={"plan": "plan"}),
    Meter("calls", "api", "count", dimensions={"zone": "zone"}),
    Meter("pings", "ping", "count"),
]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**17), 10**17),
    st.sampled_from(["eu", "", "1.5", "1e-3", "x", 'q"\\', "é\0"]),
)
values = st.one_of(scalars, st.sampled_from(["0.1", "12", "-7.25"]), st.lists(scalars, max_size=1), st.just({"a": 1}))
good = st.fixed_dictionaries(
    {"gb": st.integers(0, 99), "net": st.fixed_dictionaries({"bytes": st.integers(0, 99), "region": st.just("eu")})},
    optional={"plan": st.sampled_from(["a", "b"]), "zone": st.none()},
)
anything = st.dictionaries(
    st.sampled_from(["gb", "net", "plan", "zone", "other"]),
    st.one_of(values, st.dictionaries(st.sampled_from(["bytes", "region", "more"]), values, max_size=3)),
    max_size=5,
)
data = st.one_of(good, anything, scalars, st.lists(scalars, max_size=2))


def at(value: Any, path: str) -> Any:
    """What stands at `path`: Ellipsis where nothing does, KeyError where something above is no object."""
    for part in path.split("."):
        if value is None or value is ...:
            return ...
        if not isinstance(value, dict):
            raise KeyError(path)
        value = value.get(part, ...)
    return value


def meaning(value: Any) -> tuple[list[int], list[str], str]:
    """The values, dimensions and reason of one event's data, read the slow way."""
    try:
        found = {path: at(value, path) for path in (*LAYOUT.values, *LAYOUT.dimensions)}
    except KeyError:
        return [0, 0], ["", "", ""], UNREADABLE_DATA
    reason = ""
    numbers = []
    for path in LAYOUT.values:
        number = MISSING_VALUE if found[path] is ... else quantity(json.dumps(found[path]).encode())
        if isinstance(number, str):
            reason = reason or f"{number} ({path})"
            number = 0
        numbers.append(number)
    texts = []
    for path in LAYOUT.dimensions:
        one = found[path]
        if isinstance(one, (dict, list)):
            reason = reason or f"{UNREADABLE_DIMENSION} ({path})"
        texts.append("" if one is ... or one is None or isinstance(one, (dict, list)) else one)
    return numbers, [one if isinstance(one, str) else json.dumps(one) for one in texts], reason


@given(st.lists(data, min_size=1, max_size=8))
@example([{"gb": 1, "net": {"bytes": 1, "region": "eu"}}] * 3)
@example([{"gb": 1, "net": None}])
@example([{"gb": 1, "net": {"bytes": 1, "region": "eu"}}, {"gb": 1, "net": None}, {"gb": 1, "net": [], "plan": None}])
@example([None, {"gb": 1, "net": {"bytes": 2}}])
def test_values_and_dimensions_are_read_as_they_stand(documents: list[Any]) -> None:
    texts_read, found = extracted(LAYOUT, [json.dumps(one) for one in documents])
    for index, one in enumerate(documents):
        numbers, texts, reason = meaning(one)
        assert [quantity_of(column[index]) for column in found.values] == numbers
        assert [column[index] for column in texts_read] == texts
        assert found.reasons.get(index, "") == reason


def extracted(layout: Layout, data: list[str]) -> tuple[list[list[str]], Extracted]:
    """What an extractor reads, and the texts of its dimensions."""
    nothing = pa.array([""] * len(data))
    events = laid_out([nothing] * 4 + [pa.array(data)], np.zeros(len(data), np.int64))
    found = Extractor(layout).extract(events, np.arange(len(data)))
    texts = [
        [read.get(row, events.text[at : at + length].tobytes().decode()) for row, (at, length) in enumerate(places)]
        for places, read in zip((places.tolist() for places in found.dimensions), found.texts, strict=True)
    ]
    return texts, found


def quantity_of(words: Any) -> int:
    return int.from_bytes(words.tobytes(), "little", signed=True)


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=3)
events = st.builds(
    Event,
    id=names,
    source=st.sampled_from(["/a", "/b", "é"]),
    type=st.sampled_from(["egress", "egress", "api", "ping", "unknown"]),
    subject=names,
    time=st.sampled_from(
        ["2026-11-01T12:00:00Z", "2026-10-01T12:00:00.5Z", "2026-11-01T12:00:00+02:00", "1999-01-01T00:00:00Z"]
    ),
    data=data.map(lambda one: msgspec.Raw(json.dumps(one).encode())),
)
HASHER = Hasher(bytes(32))


def made(batch: list[Event]) -> Any:
    fields = fields_of(batch, np.array([instant(event.time) for event in batch], np.int64))
    return columns("default", fields, Admission(1, {"default": METERS}), HASHER, Bounds(), NOON_MS)


@given(st.lists(events, min_size=1, max_size=8))
def test_the_columns_of_a_batch_are_those_of_its_events_one_by_one(batch: list[Event]) -> None:
    together = made(batch)
    alone = [made([one]) for one in batch]
    one_by_one = pa.concat_tables([one.rows.cast(SCHEMA) for one in alone])
    assert together.rows.cast(SCHEMA).equals(one_by_one)
    assert np.array_equal(together.identity, np.concatenate([one.identity for one in alone]))
    assert np.array_equal(together.content, np.concatenate([one.content for one in alone]))
    assert np.array_equal(together.outcome, np.concatenate([one.outcome for one in alone]))
    assert columns_digest(together.rows, SCHEMA) == columns_digest(one_by_one.combine_chunks(), SCHEMA)


items: st.SearchStrategy[Any] = st.one_of(
    events.map(lambda one: msgspec.json.decode(msgspec.json.encode(one))),
    st.dictionaries(st.sampled_from(["id", "source", "type", "subject", "time"]), scalars, max_size=5),
    scalars,
    st.just([]),
)


@given(st.lists(items, max_size=6), st.sampled_from(["\n", "\r\n", "\n\n", " \n"]))
def test_an_array_and_lines_hold_the_same_events_and_the_same_mistakes(documents: list[Any], end: str) -> None:
    in_array, mistakes = read_events(json.dumps(documents).encode(), "array", 10)
    in_lines, same_mistakes = read_events(end.join(map(json.dumps, documents)).encode(), "lines", 10)
    assert texts_of(in_array) == texts_of(in_lines)
    assert mistakes == same_mistakes
    wrong = [one.index for one in mistakes]
    assert wrong == sorted(set(wrong))
    right = [document for index, document in enumerate(documents) if index not in wrong]
    assert [event[0] for event in texts_of(in_array)] == [document["id"] for document in right]


def texts_of(events: Fields) -> list[list[Any]]:
    """What the fields of events say."""
    whole = joined([events])
    places = whole.spans.reshape(-1, 5, 2).tolist()
    texts = [[whole.text[at : at + length].tobytes().decode() for at, length in one] for one in places]
    return [[*said, instant_ms] for said, instant_ms in zip(texts, whole.time.tolist(), strict=True)]


@given(st.lists(items, min_size=1, max_size=4), st.integers(0, 3), st.sampled_from(["{", "[1", "nul", '{"id":}', "\\"]))
def test_a_broken_line_is_one_rejection_and_a_broken_array_no_event_at_all(
    documents: list[Any], place: int, broken: str
) -> None:
    texts = [json.dumps(one) for one in documents]
    texts.insert(place := min(place, len(texts)), broken)
    _, rejections = read_events("\n".join(texts).encode(), "lines", 10)
    assert next(one for one in rejections if one.index == place).code in ("unreadable", "not_an_object")
    with pytest.raises(BodyRefusedError):
        read_events(f"[{','.join(texts)}]".encode(), "array", 10)


@given(st.binary(max_size=60), st.sampled_from(["array", "lines", "one"]))
def test_bytes_of_any_kind_are_read_or_refused(sent: bytes, form: Literal["array", "lines", "one"]) -> None:
    try:
        found, rejections = read_events(sent, form, 100)
    except BodyRefusedError:
        return
    items = found.size + len(rejections)
    assert all(0 <= one.index < items for one in rejections)


@given(st.lists(st.decimals(-(10**9), 10**9, places=9), min_size=1, max_size=30))
def test_quantities_add_up_as_decimals_do(numbers: list[Decimal]) -> None:
    _, found = extracted(Layout(("v",), ()), [f'{{"v":{number:f}}}' for number in numbers])
    assert sum(map(quantity_of, found.values[0])) == int(sum(numbers).scaleb(9))  # type: ignore[union-attr]
