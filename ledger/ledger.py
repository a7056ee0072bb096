"""Open the ledger: recover what a kill left, then hold its one writer, its follower and its readers.

Readers see gapless marked blocks up to the head, and usage up to a cutoff; opening is where both become true again.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray

from ledger import anchor, charges, usage
from ledger.block import Marker, chain_after, genesis
from ledger.engine import EngineSettings, Handle, migrate, open_handle
from ledger.errors import Damaged
from ledger.meters import Meter, meters_at
from ledger.sql import migrations
from ledger.usage import Totals, UsageFollower
from ledger.writer import BlockWriter, adopt

ANCHOR_EVERY_S = 0.5

UInt64s = NDArray[np.uint64]


class Ledger:
    """The open ledger."""

    def __init__(self, settings: EngineSettings, relational: sa.Engine, directory: Path) -> None:
        """Open, migrate and recover; raises Damaged when what is stored contradicts itself."""
        self.relational = relational
        self.directory = directory
        self.identity = anchor.identify(relational)
        self._write = open_handle(settings)
        migrate(self._write, migrations())
        self._derive = open_handle(settings)
        self.reading = open_handle(settings, readonly=True)
        markers = read_chain(self._write, self.identity.id)
        head = adopt(self._write, markers[-1])
        if head.block != markers[-1].block:
            markers.append(head)
        self._check_anchors(markers)
        self._writer = BlockWriter(self._write, head)
        self._accepted = sum(marker.accepted for marker in markers)
        self._follower = UsageFollower(self._derive, self._meters_at, markers[1:])
        self._anchored = genesis(self.identity.id)
        self._closing = threading.Event()
        self._anchor_head()
        self._anchoring = threading.Thread(target=self._keep_anchor, name="anchor", daemon=True)
        self._anchoring.start()

    def _check_anchors(self, markers: Sequence[Marker]) -> None:
        for known in anchor.read(self.relational, self.directory):
            if known.ledger != self.identity.id:
                message = f"{self.directory} is ledger {self.identity.id}, and its anchor is of ledger {known.ledger}"
                raise Damaged(message)
            if known.block > markers[-1].block:
                message = f"the tail is cut: the ledger ends at block {markers[-1].block}, and {known.block} was marked"
                raise Damaged(message)
            if markers[known.block].chain.hex() != known.chain:
                raise Damaged(f"block {known.block} has another chain hash than the one that was anchored")

    @property
    def head(self) -> Marker:
        """The last marked block: the newest cutoff there is."""
        return self._writer.head

    def append(self, rows: pa.Table, catalog: int, received: int) -> Marker:
        """Store `rows` as the next block; see BlockWriter.append."""
        marker = self._writer.append(rows, catalog, received)
        self._follower.block_marked(marker)
        self._accepted += marker.accepted
        return marker

    def derive(self, cutoff: int | None = None) -> None:
        """Bring usage up to `cutoff`, or to the head."""
        self._follower.derive(self.head.block if cutoff is None else cutoff)

    @property
    def waiting_events(self) -> int:
        """How many accepted events are not in usage yet."""
        return self._follower.waiting_events

    @property
    def derived_block(self) -> int:
        """The block usage is derived to."""
        return self._follower.done_block

    def totals(self, tenant: str, boundaries: Sequence[int], cutoff: int) -> Totals:
        """Sums per meter, subject and stretch between two boundaries, at `cutoff`."""
        self.derive(cutoff)
        return usage.totals(self.reading, tenant, boundaries, cutoff)

    def counts(self, tenant: str, start: int, end: int, cutoff: int) -> dict[str, tuple[int, int]]:
        """Per meter, how many rows and what quantity usage holds in [start, end)."""
        self.derive(cutoff)
        return usage.counts(self.reading, tenant, start, end, cutoff)

    def write_charges(self, lines: pa.Table) -> None:
        """Store the lines of one run."""
        charges.write(self._derive, lines)

    def read_charges(self, run: int) -> pa.Table:
        """The lines of one run."""
        return charges.read(self.reading, run)

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

    def identities(self, first: int, last: int) -> tuple[UInt64s, UInt64s, NDArray[np.uint32]]:
        """The identities that blocks `first` to `last` accepted, (low, high), with their content and block."""
        answer = self.reading.table("identities", first=first, last=last).combine_chunks()
        if not len(answer):
            return np.zeros((0, 2), np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.uint32)
        column = answer["identity"].combine_chunks()
        pairs = np.frombuffer(column.buffers()[1], dtype=np.uint64)[column.offset * 2 :][: len(column) * 2]
        return pairs.reshape(-1, 2), answer["content"].to_numpy(), answer["block"].to_numpy()

    def originals(self, blocks: list[int], identities: list[int]) -> dict[int, tuple[str, str, int, str]]:
        """Type, subject, time and data of the accepted copies of some identities."""
        found = self.reading.rows("originals", blocks=blocks, identities=identities)
        return {identity: (kind, subject, time, data) for identity, _, _, kind, subject, time, data in found}

    def _meters_at(self, version: int) -> dict[str, list[Meter]]:
        with self.relational.connect() as connection:
            return meters_at(connection, version)

    def _keep_anchor(self) -> None:
        while not self._closing.wait(ANCHOR_EVERY_S):
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
        self._anchor_head()
        for handle in (self._write, self._derive, self.reading):
            handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_chain(handle: Handle, ledger_id: str) -> list[Marker]:
    """Every marker from the genesis on, gapless and chained, or Damaged with the first that is not."""
    markers = [genesis(ledger_id)]
    for row in handle.rows("markers"):
        marker = Marker(*row)
        previous = markers[-1]
        if marker.block != previous.block + 1:
            raise Damaged(f"block {previous.block + 1} is missing: block {marker.block} follows {previous.block}")
        if chain_after(previous, marker) != marker.chain:
            raise Damaged(f"block {marker.block} does not chain to {previous.block}: one of them was changed")
        markers.append(marker)
    return markers
