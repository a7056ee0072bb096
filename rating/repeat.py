"""Rate a past run again, and say where what is stored differs from what comes out."""

from collections.abc import Iterator

import pyarrow as pa
import sqlalchemy as sa

from ledger import movements
from ledger.charges import digest as charges_digest
from rating import credit_life
from rating.calculation import calculate
from rating.close import Record
from rating.commitment_windows import Earlier
from rating.periods import parse_period
from rating.runs import ENGINE_VERSION, Manifest, Run
from rating.tax_answers import AskedOtherwise, answered


def are_as_closed(charges: pa.Table, run: Run) -> bool:
    """Whether stored charges are the ones that `run` was closed with."""
    return charges_digest(charges).hex() == run.manifest.output_digest


def _again(ledger: Record, connection: sa.Connection, run: Run) -> Manifest:
    said = run.manifest
    period = parse_period(run.period)
    credit = credit_life.found_by(ledger, connection, run)
    earlier = Earlier(ledger, said.counted)
    usage = (ledger, connection, run.tenant, said.catalog_version, period, said.cutoff)
    service = answered(said.tax_answers)
    return calculate(*usage, now_ms=0, credit=credit, tax_service=service, earlier=earlier).manifest


def problems(ledger: Record, connection: sa.Connection, run: Run) -> Iterator[str]:
    """What does not hold any more of a run that stands."""
    said = run.manifest
    if not are_as_closed(ledger.read_charges(run.id), run):
        yield "its stored charges are not the ones it was closed with"
    if said.credits is not None and movements.digest(ledger.read_movements(run.id)).hex() != said.credits.digest:
        yield "its stored movements of credit are not the ones it was closed with"
    if said.engine_version != ENGINE_VERSION:
        return
    try:
        again = _again(ledger, connection, run)
    except AskedOtherwise as otherwise:
        yield f"rating it again gives other charges: {otherwise}"
        return
    if again.chain != said.chain:
        yield f"the ledger has another chain hash at cutoff {said.cutoff} than when it was closed"
    if again.input_digest != said.input_digest:
        yield "usage, prices, time zones, credit or what earlier months charged is not what it was when it was closed"
    if again.output_digest != said.output_digest:
        yield "rating it again gives other charges"
    if again.credits != said.credits:
        yield "drawing its credit down again gives other movements"
