"""Whatever the ERP answers and wherever the process is killed, the ERP ends with each document exactly once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from posting.documents import release
from posting.reconcile import agreement, read_back
from tests.contract.memory_erp import FAULTS, Killed, MemoryErp
from tests.unit.posting.posted import PERIOD, Books

SETTLE_MS = 1_000
ROUNDS_MAX = 60


@contextmanager
def killed_at(engine: sa.Engine, steps: set[int]) -> Iterator[None]:
    """Kill the process before the statements and commits of these numbers."""
    seen = 0

    def step(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen in steps:
            raise Killed

    sa.event.listen(engine, "before_cursor_execute", step)
    sa.event.listen(engine, "commit", step)
    try:
        yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", step)
        sa.event.remove(engine, "commit", step)


def release_parked(books: Books) -> None:
    parked = [name for name, state in books.states().items() if state == "parked"]
    with books.engine.begin() as connection:
        for document_id in parked:
            release(connection, "default", document_id, books.clock())


@given(
    script=st.lists(st.sampled_from(FAULTS), max_size=12),
    kills=st.sets(st.integers(1, 40), max_size=6),
    pauses=st.lists(st.integers(0, 2 * SETTLE_MS), min_size=1, max_size=8),
    settle_ms=st.sampled_from([0, SETTLE_MS]),
)
def test_each_document_is_in_the_erp_exactly_once_whatever_fails(
    script: list[Any], kills: set[int], pauses: list[int], settle_ms: int
) -> None:
    books = Books()
    erp = MemoryErp(books.clock, settle_ms, script)
    with killed_at(books.engine, kills):
        for round_number in range(ROUNDS_MAX):
            with suppress(Killed):
                books.post(erp)
                release_parked(books)
            books.clock.now_ms += pauses[round_number % len(pauses)] + (
                SETTLE_MS if round_number > ROUNDS_MAX // 2 else 0
            )
            with suppress(Killed):
                if set(books.states().values()) == {"posted"}:
                    break
    books.clock.now_ms += 2 * SETTLE_MS  # whatever is still on the way arrives
    rows = books.rows()
    held = read_back(erp, rows)
    assert {row.state for row in rows} == {"posted"}
    assert Counter(document.key for document in erp.arrived) == Counter(row.key for row in rows)
    order = [document.id for document in erp.arrived]
    assert all(order.index(i) < order.index("JRN.2026-11.DE01") for i in order if i.startswith("INV.2026-11.DE01."))
    assert agreement(books.table, rows, held, "default", PERIOD) == []
