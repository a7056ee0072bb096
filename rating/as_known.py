"""Rate a period as it was known at a cutoff, at the prices of a catalog version; nothing is written.

A close is the same calculation at the head and the newest version. That a period is closed does not matter here.
"""

import sqlalchemy as sa

from rating.calculation import UsageReader, calculate
from rating.close import Closed, Unbalanced
from rating.conservation import residual
from rating.periods import Period


def rated_as_known(
    ledger: UsageReader, connection: sa.Connection, tenant: str, version: int, period: Period, cutoff: int, now_ms: int
) -> Closed | Unbalanced:
    """What a dry run of the close would have said then."""
    manifest, charges = calculate(ledger, connection, tenant, version, period, cutoff, now_ms)
    if left := residual(manifest.conservation):
        return Unbalanced(manifest, left)
    return Closed(manifest, None, "dry_run", new=False, later_blocks=0, charges=charges)
