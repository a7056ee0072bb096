"""The identity index answers as a dict does, however it grows and however badly the identities fall."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from metering.fields import laid_out
from metering.identity import CAPACITY_MIN, Hasher, IdentityIndex
from metering.siphash import UInt64s

Pair = tuple[int, int]
TOP = 2**64 - 1


def pairs(identities: Sequence[Pair]) -> UInt64s:
    return np.array(identities, dtype=np.uint64).reshape(-1, 2)


# Few values, so that halves repeat: equal highs cluster from one slot on, the topmost wrap around the table's end.
lows = st.one_of(st.integers(1, 6), st.integers(1, TOP), st.sampled_from([1, TOP, 2**63, 2**32]))
highs = st.one_of(st.integers(0, 6), st.integers(0, TOP), st.sampled_from([0, TOP, TOP - 1, TOP - 2**32, 2**32, 2**63]))
identities = st.tuples(lows, highs)


class Remembering(RuleBasedStateMachine):
    """An index of the least size and a dict, told the same."""

    @initialize()
    def begin(self) -> None:
        self.index = IdentityIndex()
        self.known: dict[Pair, tuple[int, int]] = {}
        self.block = 0

    @rule(batch=st.lists(identities, max_size=30, unique=True), content=st.integers(0, TOP))
    def remember(self, batch: list[Pair], content: int) -> None:
        new = [identity for identity in batch if identity not in self.known]
        self.block += 1
        contents = [(content + place) % 2**64 for place in range(len(new))]
        self.known |= {identity: (one, self.block) for identity, one in zip(new, contents, strict=True)}
        self.index.remember(pairs(new), np.array(contents, np.uint64), np.full(len(new), self.block, dtype=np.uint32))
        assert self.index.count == len(self.known)

    @rule(many=st.integers(20_000, 40_000), seed=st.integers(0, 2**32))
    def remember_many(self, many: int, seed: int) -> None:
        """Enough to make the table grow."""
        if len(self.known) > 2 * CAPACITY_MIN:
            return
        batch = np.random.default_rng(seed).integers(7, TOP, (many, 2), dtype=np.uint64)
        new = [identity for identity in dict.fromkeys(map(tuple, batch.tolist())) if identity not in self.known]
        self.block += 1
        self.known |= dict.fromkeys(new, (seed, self.block))
        self.index.remember(
            pairs(new), np.full(len(new), seed, dtype=np.uint64), np.full(len(new), self.block, dtype=np.uint32)
        )

    @rule(batch=st.lists(identities, max_size=30), known=st.lists(st.integers(0, 2**32), max_size=10))
    def find(self, batch: list[Pair], known: list[int]) -> None:
        every = list(self.known)
        wanted = batch + [every[place % len(every)] for place in known if every]
        found = self.index.find(pairs(wanted))
        assert found.known.tolist() == [identity in self.known for identity in wanted]
        for place, identity in enumerate(wanted):
            if identity in self.known:
                assert (int(found.content[place]), int(found.block[place])) == self.known[identity]

    def teardown(self) -> None:
        every = list(self.known)
        found = self.index.find(pairs(every))
        assert found.known.all()
        assert list(zip(found.content.tolist(), found.block.tolist(), strict=True)) == list(self.known.values())


TestRemembering = Remembering.TestCase
TestRemembering.settings = settings(max_examples=15, stateful_step_count=12)


@given(st.lists(st.tuples(*[st.text(max_size=4)] * 3), unique=True, min_size=2, max_size=20), st.binary(min_size=32))
def test_different_names_have_different_identities_and_the_same_name_always_the_same(
    names: list[tuple[str, str, str]], secret: bytes
) -> None:
    hasher = Hasher(secret[:32])
    one_by_one = [hasher.identity(tenant, source, one) for tenant, source, one in names]
    assert len(set(one_by_one)) == len(names)
    for tenant in {tenant for tenant, _, _ in names}:
        of_tenant = [place for place, name in enumerate(names) if name[0] == tenant]
        nothing = pa.array([""] * len(of_tenant))
        ids, sources = (pa.array([names[place][column] for place in of_tenant]) for column in (2, 1))
        events = laid_out([ids, sources, nothing, nothing, nothing], np.zeros(len(of_tenant), np.int64))
        together = Hasher(secret[:32]).identities(tenant, events).tolist()
        assert [low + (high << 64) for low, high in together] == [one_by_one[place] for place in of_tenant]
    assert all(identity % 2**64 for identity in one_by_one)
