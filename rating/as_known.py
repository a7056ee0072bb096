"""Rate a period as it was known at a cutoff, at the prices of a catalog version; nothing is written.

A close is the same calculation at the head and the newest version. A period that is closed finds the credit that its
close found; any other finds what is left. What earlier months charged for a commitment is what their closes did, and
what a tax service answered the close is good for the same amounts alone.
"""

import sqlalchemy as sa

from rating import credit_life, runs
from rating.calculation import calculate
from rating.close import Closed, Record, Unbalanced
from rating.commitment_windows import Earlier
from rating.conservation import residual
from rating.periods import Period
from rating.tax_answers import answered


def rated_as_known(
    ledger: Record, connection: sa.Connection, tenant: str, version: int, period: Period, cutoff: int, now_ms: int
) -> Closed | Unbalanced:
    """What a dry run of the close would have said then."""
    closed = runs.live_run(connection, tenant, str(period))
    credit = (
        credit_life.opening(ledger, connection, tenant)
        if closed is None
        else credit_life.found_by(ledger, connection, closed)
    )
    earlier = Earlier(ledger, runs.standing_before(connection, tenant, str(period)))
    usage = (ledger, connection, tenant, version, period, cutoff)
    service = None if closed is None else answered(closed.manifest.tax_answers)
    manifest, charges, _ = calculate(*usage, now_ms, credit, service, earlier=earlier)
    if left := residual(manifest.conservation):
        return Unbalanced(manifest, left)
    return Closed(manifest, None, "dry_run", new=False, later_blocks=0, charges=charges)
