"""Find the copies of an event that are kept, without looking through all of the ledger.

The identity index knows the block of the copy that counts. Those that are evidence lie anywhere, and are few.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ledger.ledger import Ledger
from metering.identity import IdentityIndex


def copies(ledger: Ledger, index: IdentityIndex, tenant: str, identity: int, cutoff: int) -> list[dict[str, Any]]:
    """Every copy of one event up to `cutoff`, in order."""
    found = [*accepted(ledger, index, tenant, [identity], cutoff), *ledger.evidence_copies(tenant, identity, cutoff)]
    return sorted(found, key=lambda row: (row["block"], row["row"]))


def accepted(
    ledger: Ledger, index: IdentityIndex, tenant: str, identities: Sequence[int], cutoff: int
) -> Iterable[dict[str, Any]]:
    """The copies that count of some events."""
    pairs = np.frombuffer(b"".join(one.to_bytes(16, "little") for one in identities), dtype=np.uint64).reshape(-1, 2)
    found = index.find(pairs)
    # The index learns of a block a moment after it is marked, and before the next one is written.
    blocks = {cutoff, *found.block[found.known].tolist()}
    return ledger.accepted_copies(tenant, identities, sorted(block for block in blocks if block <= cutoff))
