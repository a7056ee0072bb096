"""Follow the chain of markers from the genesis on: gapless, each tied to the one before, and past every anchor.

There may be millions of them, so they pass one by one and none is kept but the last.
"""

from collections.abc import Iterator, Sequence

from ledger.anchor import Anchor
from ledger.block import Marker, chain_after, genesis
from ledger.engine import Handle
from ledger.errors import Damaged

MARKERS_AT_ONCE = 50_000
BLOCK_MAX = 2**64 - 1


class Chain:
    """The chain as far as it was followed: its last marker, and how many events all of them accepted."""

    def __init__(self, ledger_id: str, anchors: Sequence[Anchor] = ()) -> None:
        """`anchors` were read before anything else: whatever is marked later comes after them."""
        for known in anchors:
            if known.ledger != ledger_id:
                raise Damaged("head anchor", f"it is of ledger {known.ledger}, and this is ledger {ledger_id}")
        self._anchors = anchors
        self.head = genesis(ledger_id)
        self.accepted = 0
        self._check_anchored()

    def read(self, handle: Handle, last: int = BLOCK_MAX) -> Iterator[Marker]:
        """Follow what is stored up to block `last`, and yield each marker; Damaged names the first that is not right.

        A page begins with the marker that the one before it ended with, so that a second one of its number shows.
        """
        while True:
            known = int(self.head.block > 0)
            page = handle.table("markers", first=self.head.block, last=last, limit=MARKERS_AT_ONCE + known)
            for row in zip(*(column.to_pylist() for column in page.slice(known).columns), strict=True):
                self.follow(Marker(*row))
                yield self.head
            if len(page) < MARKERS_AT_ONCE + known:
                return

    def follow(self, marker: Marker) -> None:
        """Go one block on."""
        previous = self.head
        if marker.block != previous.block + 1:
            raise Damaged(f"block {previous.block + 1}", f"missing: block {marker.block} follows {previous.block}")
        if chain_after(previous, marker) != marker.chain:
            raise Damaged(f"block {marker.block}", "its marker does not chain to the one before: it was changed")
        self.head = marker
        self.accepted += marker.accepted
        self._check_anchored()

    def _check_anchored(self) -> None:
        for known in self._anchors:
            if known.block == self.head.block and known.chain != self.head.chain.hex():
                raise Damaged(f"block {known.block}", "its chain hash is not the one that was anchored")

    def check_end(self) -> None:
        """Nothing more follows: every block that was anchored has to be here."""
        last = self.head.block
        for known in self._anchors:
            if known.block > last:
                raise Damaged(
                    f"block {last + 1}", f"the tail is cut: {known.block} blocks were marked, {last} are here"
                )
