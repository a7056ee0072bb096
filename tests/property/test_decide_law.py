"""Deciding a batch in columns gives what deciding one event after the other gives, over any history."""

import hashlib
import json
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.block import ACCEPTED, CONFLICT, DUPLICATES, QUARANTINED
from metering.decide import Content, Pair, decide, is_same_content
from metering.identity import IdentityIndex

# Each group says one thing in several ways; no two groups say the same.
SPELLINGS = [
    ["1", "1.0", "1e0", "10e-1", " 1 ", "1.00"],
    ["true", " true"],
    ["null"],
    ['"1"', '"\\u0031"'],
    ["0", "-0", "0.0", "0e99999999999999999999"],
    ["false"],
    ["1e400", "10e399"],
    ["1e99999999999999999999", "10e99999999999999999998", "0.1e100000000000000000000"],
    ["1e-99999999999999999999", "1.0e-99999999999999999999"],
    ["-1e99999999999999999999"],
    ["9007199254740993"],
    ["9007199254740992"],
    ["0.1"],
    ["0.1000000000000000055511151231257827"],
    ['{"a":1,"b":[2]}', '{"b":[2.0],"a":1}', '{ "a" : 1e0,\n"b":[2] }', '{"a":7,"b":[2],"a":1}'],
    ['{"a":1,"b":[2],"c":null}'],
    ['{"a":1,"b":[true]}'],
    ["[1,2]", "[1.0, 2]"],
    ["[2,1]"],
    ["[]", "[ ]"],
    ["{}", "{ }"],
    ['""'],
    ['"é"', '"\\u00e9"', '"\\u00E9"'],
    ["[" * 900 + "]" * 900, " " + "[" * 900 + " " + "]" * 900],
    ['{"a":' * 900 + "1" + "}" * 900, '{"a":' * 900 + "1.0" + "}" * 900],
    ['{"a":' * 900 + "2" + "}" * 900],
]


class Sent(NamedTuple):
    """One event: who it is, what it says and in which spelling, and whether it can be counted."""

    identity: tuple[int, int]
    meaning: int
    spelling: int
    kind: str
    time: int
    countable: bool

    @property
    def says(self) -> tuple[int, str, int]:
        return self.meaning, self.kind, self.time

    @property
    def content(self) -> Content:
        spellings = SPELLINGS[self.meaning]
        return Content(self.kind, "acme", self.time, spellings[self.spelling % len(spellings)])


sent = st.builds(
    Sent,
    st.tuples(st.integers(1, 3), st.integers(0, 3)),
    st.one_of(st.integers(0, 2), st.integers(0, len(SPELLINGS) - 1)),
    st.integers(0, 5),
    st.sampled_from(["egress", "egress", "egress", "ingress"]),
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from([True, True, True, False]),
)


def one_after_the_other(history: list[list[Sent]]) -> list[list[int]]:
    taken: dict[tuple[int, int], tuple[int, str, int]] = {}
    outcomes: list[list[int]] = []
    for batch in history:
        outcomes.append([])
        for event in batch:
            if event.identity in taken:
                outcomes[-1].append(DUPLICATES if taken[event.identity] == event.says else CONFLICT)
            elif event.countable:
                taken[event.identity] = event.says
                outcomes[-1].append(ACCEPTED)
            else:
                outcomes[-1].append(QUARANTINED)
    return outcomes


def content_hash(event: Sent) -> int:
    return int.from_bytes(hashlib.blake2b(repr(event.content).encode(), digest_size=8).digest(), "little")


class Counted:
    """What a ledger would know: an index, and the content behind each identity."""

    def __init__(self) -> None:
        self.index = IdentityIndex()
        self.originals: dict[tuple[int, int], Content] = {}

    def decide(self, block: int, batch: list[Sent]) -> list[int]:
        def is_same(pairs: list[Pair]) -> list[bool]:
            firsts = [batch[by].content if by >= 0 else self.originals[batch[row].identity] for row, by in pairs]
            return [is_same_content(batch[row].content, first) for (row, _), first in zip(pairs, firsts, strict=True)]

        identity = np.array([event.identity for event in batch], dtype=np.uint64).reshape(-1, 2)
        content = np.array([content_hash(event) for event in batch], dtype=np.uint64)
        countable = np.array([ACCEPTED if event.countable else QUARANTINED for event in batch], dtype=np.int8)
        outcome = decide(identity, content, countable, self.index.find(identity), is_same)
        accepted = outcome == ACCEPTED
        for row in np.flatnonzero(accepted).tolist():
            assert batch[row].identity not in self.originals
            self.originals[batch[row].identity] = batch[row].content
        self.index.remember(identity[accepted], content[accepted], np.full(accepted.sum(), block, dtype=np.uint32))
        return [int(one) for one in outcome]


def in_columns(history: list[list[Sent]]) -> list[list[int]]:
    counted = Counted()
    return [counted.decide(block, batch) for block, batch in enumerate(history, 1)]


@given(st.lists(st.lists(sent, max_size=12), min_size=1, max_size=4))
@settings(max_examples=300)
def test_a_batch_is_decided_as_its_events_are_one_after_the_other(history: list[list[Sent]]) -> None:
    assert in_columns(history) == one_after_the_other(history)


def test_every_spelling_says_what_its_group_says_and_no_other() -> None:
    texts = [(group, text) for group, spellings in enumerate(SPELLINGS) for text in spellings]
    for group, text in texts:
        for other_group, other in texts:
            same = is_same_content(Content("t", "s", 0, text), Content("t", "s", 0, other))
            assert same == (group == other_group), (text[:40], other[:40])


values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.decimals(allow_nan=False, allow_infinity=False, places=3),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=4)),
    max_leaves=12,
)


class Spelled(NamedTuple):
    """How a value is written, where JSON leaves a choice."""

    reverse_keys: bool
    ascii_only: bool
    space: str
    exponent: bool


def written(value: Any, how: Spelled) -> str:
    if isinstance(value, dict):
        items = [f"{written(key, how)}{how.space}:{written(each, how)}" for key, each in value.items()]
        return "{" + f",{how.space}".join(reversed(items) if how.reverse_keys else items) + "}"
    if isinstance(value, list):
        return "[" + f"{how.space},".join(written(each, how) for each in value) + "]"
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return number(f"{value:f}", how)
    return json.dumps(value, ensure_ascii=how.ascii_only)


def number(text: str, how: Spelled) -> str:
    if not how.exponent:
        return text
    return f"{text}0E+0" if "." in text else f"{text}0e-1"


def shape(value: Any) -> Any:
    """A value that equals another exactly when JSON says so: True is not 1 here."""
    if isinstance(value, dict):
        return "object", frozenset((key, shape(each)) for key, each in value.items())
    if isinstance(value, list):
        return "array", tuple(map(shape, value))
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return "number", Decimal(value)
    return type(value).__name__, value


spelled = st.builds(Spelled, st.booleans(), st.booleans(), st.sampled_from(["", " ", "\n\t "]), st.booleans())


@given(values, values, spelled, spelled)
def test_data_is_compared_as_values_however_it_is_written(left: Any, right: Any, one: Spelled, other: Spelled) -> None:
    def is_same(a: str, b: str) -> bool:
        return is_same_content(Content("t", "s", 0, a), Content("t", "s", 0, b))

    assert is_same(written(left, one), written(left, other))
    assert is_same(written(left, one), written(right, other)) == (shape(left) == shape(right))
