"""A closed month is what a clerk would bill, whatever the prices, and to the byte the same however it is calculated."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ledger.usage import Keyed, Peaks, Slots, Stretched, Totals
from rating import catalog_store, processes, ranges
from rating.calculation import calculate
from rating.catalog import Catalog
from rating.catalog_checks import faults
from rating.conservation import residual
from rating.explain import explained
from rating.periods import Period
from rating.pricing import shapes
from rating.pricing.written import number_text
from rating.runs import Manifest, Run
from tests.property.clerk import DIGITS, Clerk, Line
from tests.property.close_worlds import World, close_worlds
from tests.unit.rating.test_processes import DYING, Workers
from tests.unit.rating.world import TENANT, MemoryLedger, exact_amount, store

MONTHS = [Period(2026, 10), Period(2026, 11), Period(2026, 12)]
CUTOFF = 1


class Closed(NamedTuple):
    manifest: Manifest
    charges: pa.Table


class Books:
    """A world's catalog as it is stored, and its usage."""

    def __init__(self, world: World) -> None:
        self.relational, self.ledger = store(), MemoryLedger(world.usage)
        with self.relational.begin() as connection:
            assert list(faults(world.catalog, Catalog())) == []
            done = catalog_store.apply_catalog(connection, TENANT, Catalog(), world.catalog, "", "tests", 0)
        self.version = done.version

    def close(self, month: Period, ledger: MemoryLedger | None = None, count: int = 1) -> Closed:
        with self.relational.connect() as connection:
            found = calculate(
                ledger or self.ledger, connection, TENANT, self.version, month, CUTOFF, 0, processes=count
            )
        return Closed(found.manifest, found.charges)


def lines_of(charges: pa.Table) -> list[Line]:
    """The charges as the clerk writes them."""
    rows = charges.to_pylist()
    assert [row["line"] for row in rows] == list(range(len(rows)))
    return [
        Line._make(
            [
                *(row[name] for name in Line._fields[:10]),
                Fraction(row["quantity"]),
                int.from_bytes(row["digest"], "little"),
                exact_amount(row),
                row["amount"],
            ]
        )
        for row in rows
    ]


@given(close_worlds())
@settings(max_examples=120)
def test_a_close_bills_what_a_clerk_bills(world: World) -> None:
    books, clerk = Books(world), Clerk(world.catalog)
    for month in MONTHS:
        closed = books.close(month)
        bill = clerk.bill(month, world.usage, world.terms)
        assert lines_of(closed.charges) == bill
        left: dict[tuple[str, str], int] = defaultdict(int)
        for use in world.usage:
            judged = clerk.judge(use)
            if judged.month == month and not judged.bills:
                left[use.meter, judged.outcome] += 1
        assert {(entry.meter, entry.reason): entry.events for entry in closed.manifest.unrated} == left
        _agrees(closed.manifest, bill)


def _agrees(manifest: Manifest, bill: Sequence[Line]) -> None:
    """What is summed up agrees with the lines, and nothing is left over."""
    assert residual(manifest.conservation) == []
    assert (manifest.charges, manifest.events) == (len(bill), sum(line.events for line in bill))
    assert set(manifest.totals) == {line.currency for line in bill}
    for currency, text in manifest.totals.items():
        own = [line for line in bill if line.currency == currency]
        billed = Fraction(sum(line.amount for line in own), 10 ** DIGITS[currency])
        assert Fraction(text) == billed
        assert manifest.rounding[currency] == number_text(billed - sum(line.exact for line in own))


@given(close_worlds())
@settings(max_examples=60)
def test_every_charge_of_a_close_is_explained(world: World) -> None:
    books = Books(world)
    closed = books.close(MONTHS[1])
    run = Run(1, TENANT, str(MONTHS[1]), "closed", closed.manifest, None)
    with books.relational.connect() as connection:
        for row in range(len(closed.charges)):
            assert explained(books.ledger, connection, run, closed.charges.slice(row, 1)).problems == []


class Shuffled(MemoryLedger):
    """Gives its sums in any order, cut at more instants and encoded in another way; single events keep their order."""

    def __init__(self, ledger: MemoryLedger, random: Any) -> None:
        super().__init__(ledger.usage)
        self._random = random

    def totals(self, tenant: str, boundaries: Sequence[int], cutoff: int) -> Totals:
        found = super().totals(tenant, self._more(boundaries), cutoff)
        rows = self._rows(len(found.events))
        return found._replace(
            meter=found.meter.take(pa.array(rows)).dictionary_encode(),
            subject=found.subject.take(pa.array(rows)).dictionary_encode(),
            segment=found.segment[rows],
            quantity=found.quantity[rows].astype(np.object_),
            events=found.events[rows],
            digest=found.digest[rows],
        )

    def stretched(self, tenant: str, meter: str, boundaries: Sequence[int], cutoff: int) -> Stretched:
        found = super().stretched(tenant, meter, self._more(boundaries), cutoff)
        rows = self._rows(len(found.segment))
        return found._replace(
            meter=found.meter.take(pa.array(rows)),
            subject=found.subject.take(pa.array(rows)),
            segment=found.segment[rows],
            quantity=found.quantity[rows],
        )

    def keyed(
        self, tenant: str, meter: str, names: Sequence[str], slots: Slots, boundaries: Sequence[int], cutoff: int
    ) -> Keyed:
        found = super().keyed(tenant, meter, names, slots, self._more(boundaries), cutoff)
        rows = self._rows(len(found.key))
        return found._replace(
            meter=found.meter.take(pa.array(rows)),
            subject=found.subject.take(pa.array(rows)),
            segment=found.segment[rows],
            quantity=found.quantity[rows],
            key=len(found.keys) - 1 - found.key[rows],
            keys=found.keys[::-1],
        )

    def peaks(self, tenant: str, meters: Sequence[str], boundaries: Sequence[int], cutoff: int) -> Peaks:
        found = super().peaks(tenant, meters, self._more(boundaries), cutoff)
        rows = self._rows(len(found.quantity))
        return Peaks(
            found.meter.take(pa.array(rows)).dictionary_encode(),
            found.subject.take(pa.array(rows)),
            found.segment[rows],
            found.quantity[rows],
        )

    def chain_at(self, _: int) -> str:
        return "the same"

    def _more(self, boundaries: Sequence[int]) -> list[int]:
        inside = [use.time for use in self.usage if boundaries[0] <= use.time < boundaries[-1]]
        return sorted({*boundaries, *self._random.sample(inside, len(inside) // 2)})

    def _rows(self, count: int) -> Any:
        return np.array(self._random.sample(range(count), count), dtype=np.int64)


def image(closed: Closed) -> bytes:
    """Every byte of the charges, however many chunks they lie in, and what the manifest says of them."""
    sink = BytesIO()
    with pa.ipc.new_stream(sink, closed.charges.schema) as writer:
        writer.write_table(closed.charges.combine_chunks())
    said = closed.manifest
    told = repr((said.output_digest, said.totals, said.rounding, said.conservation, said.unrated))
    return hashlib.blake2b(sink.getvalue() + told.encode()).digest()


@given(close_worlds(), st.randoms(use_true_random=False), st.integers(1, 5), st.integers(1, 3))
@settings(max_examples=40)
def test_ranges_stretches_and_orders_make_no_difference_to_any_byte(
    world: World, random: Any, rows: int, stretch: int
) -> None:
    books = Books(world)
    once = image(books.close(MONTHS[1]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranges, "RANGE_ROWS", rows)
        patch.setattr(shapes, "STRETCH_LINES", stretch)
        assert image(books.close(MONTHS[1], Shuffled(books.ledger, random))) == once


@pytest.mark.parametrize("worker", [processes.WORKER, DYING], ids=["working", "killed"])
def test_processes_make_no_difference_to_any_byte(worker: Sequence[str]) -> None:
    ended: list[list[int | None]] = []

    @given(close_worlds())
    @settings(max_examples=80, phases=[Phase.generate])
    def law(world: World) -> None:
        if len(ended) == 3:
            return
        books = Books(world)
        once = books.close(MONTHS[1])
        # A process is dear to start: a few of the worlds, of those that have enough lines to share.
        if len(once.charges) < 4:
            return
        with pytest.MonkeyPatch.context() as patch, Workers(patch, worker) as workers:
            patch.setattr(ranges, "RANGE_ROWS", 1)
            assert image(books.close(MONTHS[1], count=2)) == image(once)
            ended.append(workers.ends())

    law()
    assert ended == [[-9 if worker is DYING else 0]] * 3
