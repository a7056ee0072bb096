"""The identity index: its memory is what its docstring states, and badly falling identities only cost time."""

import json
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from metering.fields import laid_out
from metering.identity import CAPACITY_MIN, SLOT_BYTES, Hasher, IdentityIndex
from metering.siphash import UInt64s

BATCH = 100_000
STEADY_BYTES = (37, 56)
GROWING_BYTES = 56 + 37
"""The old table beside the new one."""


def drawn(many: int, seed: int) -> UInt64s:
    return np.random.default_rng(seed).integers(1, 2**64, (many, 2), dtype=np.uint64)


def remember(index: IdentityIndex, identity: UInt64s, block: int) -> None:
    index.remember(identity, identity[:, 0], np.full(len(identity), block, dtype=np.uint32))


def test_an_identity_takes_the_bytes_stated_whatever_the_table_has_grown_to() -> None:
    remember(IdentityIndex(), drawn(CAPACITY_MIN, 1), 1)  # what is compiled for it is not of the index
    index = IdentityIndex()
    tracemalloc.start()
    try:
        for block in range(10):
            remember(index, drawn(BATCH, block), block)
            held = index.nbytes / index.count
            assert STEADY_BYTES[0] <= held <= STEADY_BYTES[1], block
            traced, _ = tracemalloc.get_traced_memory()
            assert traced <= index.nbytes + 2**20
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= GROWING_BYTES * index.count + 64 * BATCH


MEASURE = """
import json, sys
from pathlib import Path
import numpy as np
from metering.identity import IdentityIndex

def resident():
    # The high-water mark of this program alone: what getrusage says was inherited from the one that started it.
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024

many, batch = int(sys.argv[1]), int(sys.argv[2])
drawn = np.random.default_rng(1)
index = IdentityIndex()
before = resident()
for block in range(many // batch):
    identity = drawn.integers(1, 2**64, (batch, 2), dtype=np.uint64)
    index.remember(identity, identity[:, 0].copy(), np.full(batch, block, dtype=np.uint32))
    assert index.find(identity).known.all()
print(json.dumps({"identities": index.count, "held": index.nbytes, "grown": resident() - before}))
"""


def test_a_process_grows_by_no_more_than_is_stated_for_two_million_identities() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, "2000000", str(BATCH)], capture_output=True, text=True, check=True
    )
    measured = json.loads(done.stdout)
    per_identity = measured["held"] / measured["identities"]
    print(f"{per_identity:.1f} bytes an identity, the process {measured['grown'] / measured['identities']:.1f}")  # noqa: T201
    assert STEADY_BYTES[0] <= per_identity <= STEADY_BYTES[1]
    assert measured["held"] <= measured["grown"] <= GROWING_BYTES * measured["identities"] + 256 * BATCH


def test_a_table_made_for_what_is_expected_does_not_grow() -> None:
    index = IdentityIndex(expected=5 * BATCH)
    at_first = index.nbytes
    for block in range(5):
        remember(index, drawn(BATCH, block), block)
    assert index.nbytes == at_first


@pytest.mark.parametrize("high", [0, 2**64 - 1, 2**63])
def test_identities_with_equal_high_halves_are_found_in_one_long_row_that_wraps(high: int) -> None:
    many = 2_000
    identity = np.stack([np.arange(1, many + 1, dtype=np.uint64), np.full(many, high, dtype=np.uint64)], axis=1)
    index = IdentityIndex()
    remember(index, identity[::2], 1)
    assert index.find(identity).known.tolist() == [True, False] * (many // 2)
    remember(index, drawn(CAPACITY_MIN, 1), 2)  # grows
    found = index.find(identity)
    assert found.known.tolist() == [True, False] * (many // 2)
    assert found.content[::2].tolist() == identity[::2, 0].tolist()
    assert set(found.block[::2].tolist()) == {1}


def test_halves_that_are_swapped_are_another_identity() -> None:
    index = IdentityIndex()
    remember(index, np.array([[1, 2]], dtype=np.uint64), 1)
    assert index.find(np.array([[2, 1], [1, 2], [1, 1], [2, 2]], dtype=np.uint64)).known.tolist() == [
        False, True, False, False,
    ]  # fmt: skip


def test_nothing_is_found_in_nothing() -> None:
    index = IdentityIndex()
    assert index.find(drawn(3, 1)).known.tolist() == [False] * 3
    assert index.find(drawn(0, 1)).known.tolist() == []
    remember(index, drawn(0, 1), 1)
    assert (index.count, index.nbytes) == (0, CAPACITY_MIN * SLOT_BYTES)


def test_who_looks_while_the_table_grows_finds_what_was_there_before() -> None:
    found: list[bool] = []

    class Watched(IdentityIndex):
        def _allocate(self, capacity: int) -> None:
            super()._allocate(capacity)
            if capacity > CAPACITY_MIN:
                looking.start()
                looking.join(0.05)  # without a turn of its own it would look right here, into an empty table

    index = Watched()
    known = drawn(40_000, 1)
    looking = threading.Thread(target=lambda: found.extend(index.find(known).known.tolist()))
    remember(index, known, 1)
    remember(index, drawn(40_000, 2), 2)
    looking.join()
    assert found == [True] * 40_000


def hashed(data: list[str], kinds: list[str], time: list[int]) -> list[int]:
    texts = [pa.array(column, pa.string()) for column in ([""] * len(data), [""] * len(data), kinds, kinds, data)]
    return Hasher(bytes(32)).contents(laid_out(texts, np.array(time, dtype=np.int64))).tolist()  # type: ignore[no-any-return]


def test_a_content_hash_is_of_all_an_event_says_and_of_nothing_around_it() -> None:
    alone = hashed(["{}"], ["egress"], [5])
    assert hashed(["[]", "{}"], ["api", "egress"], [6, 5])[1:] == alone
    others = hashed(["{} ", "{}", "{}", "[]"], ["egress", "egres", "egress", "egress"], [5, 5, -5, 5])
    assert len({*alone, *others}) == 5


def test_another_secret_gives_other_identities() -> None:
    one, other = (Hasher(secret).identity("t", "s", "a") for secret in (bytes(32), bytes(31) + b"\1"))
    assert one % 2**64 != other % 2**64
    assert one >> 64 != other >> 64
