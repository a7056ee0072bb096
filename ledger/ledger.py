"""Open the ledger: recover what a kill left, then hold its one writer, its follower and its readers.

Readers see gapless marked blocks up to the head, and usage up to a cutoff; opening is where both become true again.
"""

import collections
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray

from ledger import anchor, charges, movements, trace, usage
from ledger.block import OUTCOMES, Marker, genesis
from ledger.chain import Chain
from ledger.engine import EngineSettings, migrate, open_handle
from ledger.errors import Damaged, LedgerError, Unavailable
from ledger.meters import Meter, meters_at
from ledger.sql import migrations
from ledger.trace import EventSet, OfMeter
from ledger.trouble import Trouble
from ledger.usage import Keyed, Peaks, Singles, Stretched, Totals, UsageFollower, UsageReader
from ledger.verify import Problem, block_problems, stray_problems, usage_problems
from ledger.writer import BlockWriter, adopt, unmarked

ANCHOR_EVERY_S = 0.5
MERGED_BYTES_QUIET = 150 * 2**30
MERGED_BYTES_BUSY = 4 * 2**20
"""What a merge of `events` may make under load: the small parts of a trickle, and nothing of a flood."""

UInt64s = NDArray[np.uint64]


class Ledger:
    """The open ledger."""

    def __init__(self, settings: EngineSettings, relational: sa.Engine, directory: Path) -> None:
        """Open, migrate and recover; raises Damaged when what is stored contradicts itself, and leaves nothing open."""
        self.relational = relational
        self.directory = directory
        self.identity = anchor.identify(relational)
        self._anchored = genesis(self.identity.id)
        self._anchor_trouble = Trouble("anchoring the head")
        self._large_merges: bool | None = None
        self._closing = threading.Event()
        with contextlib.ExitStack() as opened:
            self._write = opened.enter_context(open_handle(settings, session="writer"))
            migrate(self._write, migrations())
            self.writing = opened.enter_context(open_handle(settings, session="follower"))
            self.reading = opened.enter_context(open_handle(settings, readonly=True))
            self._summing = [
                opened.enter_context(open_handle(settings, readonly=True, one_thread=True)) for _ in range(2)
            ]
            self._watching = opened.enter_context(open_handle(settings, readonly=True))
            self._recover()
            self._opened = opened.pop_all()
        self._anchoring = threading.Thread(target=self._keep_anchor, name="anchor", daemon=True)
        self._anchoring.start()

    def _recover(self) -> None:
        """Make what readers see true again: marked blocks up to the head, usage in steps that are done."""
        chain = Chain(self.identity.id, anchor.read(self.relational, self.directory))
        self._follower = UsageFollower(self.writing, self._meters_at)
        self._usage = UsageReader(self.reading, self._summing, self._follower)
        for marker in chain.read(self._write):
            self._follower.block_marked(marker)
        left = unmarked(self._write, chain.head)
        if left is not None:
            chain.follow(left)
        chain.check_end()  # before anything is written: this may be another ledger, or an older state of it
        if left is not None:
            adopt(self._write, left)
            self._follower.block_marked(left)
        self._writer = BlockWriter(self._write, chain.head)
        self._head = chain.head
        self._accepted = chain.accepted
        self._anchor_head()

    @property
    def head(self) -> Marker:
        """The last marked block: the newest cutoff there is."""
        return self._head

    @property
    def anchored_block(self) -> int:
        """The last block that would be missed if it were cut off."""
        return self._anchored.block

    @property
    def anchor_trouble(self) -> str:
        """What keeps later blocks from being anchored; empty while nothing does."""
        return self._anchor_trouble.what

    def append(self, rows: pa.Table, catalog: int, received: int) -> Marker:
        """Store `rows` as the next block; see BlockWriter.append."""
        marker = self._writer.append(rows, catalog, received)
        self._follower.block_marked(marker)
        self._accepted += marker.accepted
        self._head = marker  # last: who sees a head may derive up to it at once
        return marker

    def derive(self, cutoff: int | None = None) -> None:
        """Bring usage up to `cutoff`, or to the head."""
        self._follower.derive(self.head.block if cutoff is None else cutoff)

    @property
    def waiting_events(self) -> int:
        """How many accepted events are not in usage yet."""
        return self._follower.waiting_events

    def totals(self, tenant: str, boundaries: Sequence[int], cutoff: int) -> Totals:
        """Sums per meter, subject and stretch between two boundaries, at `cutoff`."""
        return usage.totals(self._usage, tenant, boundaries, cutoff)

    def keyed(
        self,
        tenant: str,
        meter: str,
        names: Sequence[str],
        slots: usage.Slots,
        boundaries: Sequence[int],
        cutoff: int,
    ) -> Keyed:
        """Sums of a meter per subject, stretch and values of dimensions, at `cutoff`."""
        return usage.keyed(self._usage, tenant, meter, names, slots, boundaries, cutoff)

    def stretched(self, tenant: str, meter: str, boundaries: Sequence[int], cutoff: int) -> Stretched:
        """A meter's usage summed per subject and stretch of time."""
        return usage.stretched(self._usage, tenant, meter, boundaries, cutoff)

    def singles(self, tenant: str, meters: Sequence[str], boundaries: Sequence[int], cutoff: int) -> Singles:
        """Every single usage of some meters, in the order of time, at `cutoff`."""
        return usage.singles(self._usage, tenant, meters, boundaries, cutoff)

    def peaks(self, tenant: str, meters: Sequence[str], boundaries: Sequence[int], cutoff: int) -> Peaks:
        """The highest single usage of some meters per subject and stretch, at `cutoff`."""
        return usage.peaks(self._usage, tenant, meters, boundaries, cutoff)

    def counts(self, tenant: str, start: int, end: int, cutoff: int) -> dict[str, tuple[int, int]]:
        """Per meter, how many rows and what quantity usage holds in [start, end)."""
        return usage.counts(self._usage, tenant, start, end, cutoff)

    def sums(self, tenant: str, cutoff: int) -> dict[str, tuple[int, int]]:
        """Per meter, how many rows and what quantity usage holds over all time."""
        return usage.per_meter(self._usage.table("usage_sums", cutoff, tenant=tenant))

    def outcomes(self, tenant: str, cutoff: int) -> dict[str, dict[str, int]]:
        """Per source, how many events were received with each outcome."""
        found: dict[str, dict[str, int]] = {}
        for outcome, source, events in self.reading.rows("event_counts", tenant=tenant, cutoff=cutoff):
            found.setdefault(source, {})[outcome] = events
        return found

    def outcome_totals(self, tenant: str, cutoff: int) -> dict[str, int]:
        """How many events of a tenant were received with each outcome."""
        sources = self.outcomes(tenant, cutoff).values()
        return {name: sum(counts.get(name, 0) for counts in sources) for name in OUTCOMES.values()}

    def usage_report(
        self,
        tenant: str,
        meter: str,
        start: int,
        end: int,
        cutoff: int,
        group_by: list[str],
        subjects: list[str],
        groups_max: int,
    ) -> list[tuple[list[str], int, int]]:
        """(key, quantity, events) of one meter's usage in [start, end); one group more than asked shows there are."""
        span = {"tenant": tenant, "meter": meter, "start": start, "end": end}
        chosen = {"group_by": group_by, "subjects": subjects, "limit": groups_max + 1}
        answer = self._usage.table("usage_query", cutoff, **span, **chosen)
        quantities = usage.decimal_column(answer, "quantity").tolist()
        return list(zip(answer["key"].to_pylist(), quantities, answer["events"].to_pylist(), strict=True))

    def accepted_copies(self, tenant: str, identities: Sequence[int], blocks: list[int]) -> list[dict[str, Any]]:
        """The copies that count of some identities, of those that are in `blocks`."""
        return self._events("accepted_copies", tenant=tenant, identities=list(identities), blocks=blocks)

    def evidence_copies(self, tenant: str, identity: int, cutoff: int) -> list[dict[str, Any]]:
        """The copies of one identity that are kept and don't count: conflicts, and what was quarantined."""
        return self._events("evidence_copies", tenant=tenant, identity=identity, cutoff=cutoff)

    def kept_events(self, tenant: str, outcome: str, after: tuple[int, int], limit: int) -> list[dict[str, Any]]:
        """Events of one outcome after one place, in order: conflicts, or what is in quarantine."""
        block, row = after
        return self._events(
            "kept_events",
            tenant=tenant,
            outcome=outcome,
            cutoff=self.head.block,
            block=block,
            row=row,
            limit=limit,
        )

    def _events(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.reading.table(name, **parameters).to_pylist()
        return [row | {"outcome": OUTCOMES.get(row["outcome"])} if "outcome" in row else row for row in rows]

    def write_charges(self, lines: pa.Table) -> None:
        """Store the lines of one run."""
        charges.write(self.writing, lines)

    def read_charges(self, run: int) -> pa.Table:
        """The lines of one run."""
        return charges.read(self.reading, run)

    def charged_by_contract(self, runs: Sequence[int], contracts: Sequence[str]) -> pa.Table:
        """What some runs charged some contracts: usage and fees, and apart from them what commitments made."""
        return charges.by_contract(self.reading, runs, contracts)

    def write_movements(self, entries: pa.Table) -> None:
        """Store the movements of credit of one run."""
        movements.write(self.writing, entries)

    def read_movements(self, run: int) -> pa.Table:
        """The movements of credit of one run."""
        return movements.read(self.reading, run)

    def credit_sums(self, runs: Sequence[int], until: int) -> pa.Table:
        """What some runs moved up to an instant, per grant and pair of accounts."""
        return movements.sums(self.reading, runs, until)

    def read_priced(self, run: int, meters: Sequence[str], currencies: Sequence[str]) -> pa.Table:
        """Of the lines of one run for usage and fees of some meters, in any order, what was priced."""
        return charges.read_priced(self.reading, run, meters, currencies)

    def charged_to_contracts(self, run: int, but: Sequence[str], currencies: Sequence[str]) -> pa.Table:
        """What all other lines of one run that are contracts' came to, in any order."""
        return charges.to_contracts(self.reading, run, but, currencies)

    def charged_by_customer(self, run: int, kinds: Sequence[str]) -> pa.Table:
        """What lines of some kinds of one run charged customers, in any order."""
        return charges.by_customer(self.reading, run, kinds)

    def chain_at(self, block: int) -> str:
        """The chain hash at `block`, in hex."""
        if block == 0:
            return genesis(self.identity.id).chain.hex()
        (chain,) = self.reading.row("marked_block", block=block)
        return bytes(chain).hex()

    @property
    def accepted(self) -> int:
        """How many identities are taken."""
        return self._accepted

    def ranges(self, events: int) -> list[tuple[int, int]]:
        """Every block up to the head in ranges (first, last) that accepted about so many `events` each."""
        found = self.reading.rows("block_ranges", events=events, cutoff=self.head.block)
        return [(first, last) for first, last in found]

    def identities(self, first: int, last: int) -> tuple[UInt64s, UInt64s, NDArray[np.uint32]]:
        """The identities that blocks `first` to `last` accepted, (low, high), with their content and block."""
        answer = self.reading.table("identities", first=first, last=last).combine_chunks()
        if not len(answer):
            return np.zeros((0, 2), np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.uint32)
        column = answer["identity"].combine_chunks()
        pairs = np.frombuffer(column.buffers()[1], dtype=np.uint64)[column.offset * 2 :][: len(column) * 2]
        return pairs.reshape(-1, 2), answer["content"].to_numpy(), answer["block"].to_numpy()

    def originals(self, blocks: list[int], identities: list[int]) -> dict[int, tuple[str, str, int, str]]:
        """Type, subject, time and data of the accepted copies of some identities: asked before a block is appended.

        The writer asks, so it asks through its own handle: through the readers' it would wait for every long report.
        """
        try:
            found = self._write.rows("originals", blocks=blocks, identities=identities)
        except LedgerError as error:
            message = f"earlier copies can't be read ({error}): nothing was stored; send the events again"
            raise Unavailable(message) from error
        return {identity: (kind, subject, time, data) for identity, _, _, kind, subject, time, data in found}

    def described(self, lines: pa.Table) -> EventSet:
        """What `lines` of charges say their events add up to."""
        return trace.described(lines)

    def expanded(self, lines: pa.Table) -> EventSet:
        """What the events behind `lines` add up to, read again."""
        return trace.expanded(self._usage, lines)

    def events_of(self, lines: pa.Table) -> Iterator[dict[str, Any]]:
        """The events behind `lines`."""
        return trace.events_of(self._usage, self.reading, lines)

    def single_usage(self, lines: pa.Table) -> list[int]:
        """The quantity of every usage behind `lines`, in the order of time."""
        return trace.single_usage(self._usage, lines)

    def usage_by_key(
        self, lines: pa.Table, names: Sequence[str], slots: usage.Slots
    ) -> list[tuple[tuple[str, ...], int]]:
        """The usage behind `lines` by the values of some dimensions, and by slots if there are any."""
        return trace.usage_by_key(self._usage, lines, names, slots)

    def usage_by_stretch(self, lines: pa.Table, boundaries: Sequence[int]) -> list[tuple[int, int]]:
        """The usage behind `lines` between boundaries."""
        return trace.usage_by_stretch(self._usage, lines, boundaries)

    def usage_by_meter(self, lines: pa.Table, meters: Sequence[str]) -> dict[str, OfMeter]:
        """The usage of some meters where `lines` look for their events."""
        return trace.usage_by_meter(self._usage, lines, meters)

    def problems(self, look: Callable[[pa.Table], Iterator[Problem]]) -> Iterator[Problem]:
        """Everything in the ledger that does not hold; `look` checks what it knows of a range of rows."""
        anchors = anchor.read(self.relational, self.directory)  # before the cutoff: none is beyond it then
        cutoff = self.head.block
        self.derive(cutoff)
        try:
            chain = Chain(self.identity.id, anchors)
            collections.deque(chain.read(self.reading, cutoff), maxlen=0)
            chain.check_end()
        except Damaged as damage:
            yield Problem(damage.where, damage.what)
            return
        if chain.head.block < cutoff:
            yield Problem(f"block {chain.head.block + 1}", "its marker is gone, and it was the last")
            return
        again = Chain(self.identity.id)
        yield from block_problems(self.reading, again.head, again.read(self.reading, cutoff), look)
        yield from stray_problems(self.reading, cutoff, lambda: self.head.block)
        yield from usage_problems(self.reading, cutoff, self._follower.cut_short, self._meters_at)

    def parts(self) -> list[tuple[str, int, int, int]]:
        """(table, parts, rows, bytes): the merges still owed; whoever watches the ledger waits for no report."""
        return [(table, parts, rows, nbytes) for table, parts, rows, nbytes in self._watching.rows("table_parts")]

    def let_large_parts_merge(self, *, allowed: bool) -> None:
        """Merge large parts of `events` only while it is quiet; it is in order as it is, and read by block."""
        if allowed != self._large_merges:
            self.writing.execute(
                f"ALTER TABLE events MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = "
                f"{MERGED_BYTES_QUIET if allowed else MERGED_BYTES_BUSY}"
            )
            self._large_merges = allowed

    def _meters_at(self, version: int) -> dict[str, list[Meter]]:
        with self.relational.connect() as connection:
            return meters_at(connection, version)

    def _keep_anchor(self) -> None:
        while not self._closing.wait(ANCHOR_EVERY_S):
            with self._anchor_trouble.outlived():
                self._anchor_head()

    def _anchor_head(self) -> None:
        head = self.head
        if head.block != self._anchored.block:
            anchor.write(self.relational, self.directory, self.identity.id, head)
            self._anchored = head

    def close(self) -> None:
        """Anchor the head and give the engine back."""
        self._writer.stop()
        self._closing.set()
        self._anchoring.join()
        with self._opened:
            self._anchor_head()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
