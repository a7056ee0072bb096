"""Check what several packages say of the same thing.

Events against what was read from them, runs against the ledger, documents against charges and what the ERP holds.
"""

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from ledger.block import ACCEPTED
from ledger.meters import meters_at
from ledger.verify import Problem
from metering.columns import Admission, Bounds, columns
from metering.fields import laid_out
from metering.identity import Hasher
from meterline.installation import Installation
from posting.documents import of_period
from posting.reconcile import agreement, read_back
from rating.repeat import problems as problems_of_run
from rating.runs import live_runs

COMPARED = ("identity", "content", "quantities", "dimensions")


def extraction_problems(installation: Installation) -> Callable[[pa.Table], Iterator[Problem]]:
    """A check of a range of rows: what is stored beside each event is what its own text gives, read again."""
    admissions: dict[int, Admission] = {}
    hasher = Hasher(installation.ledger.identity.secret)

    def admission(version: int) -> Admission:
        if version not in admissions:
            with installation.relational.connect() as connection:
                admissions[version] = Admission(version, meters_at(connection, version))
        return admissions[version]

    def problems(rows: pa.Table) -> Iterator[Problem]:
        accepted = rows.filter(pc.equal(rows["outcome"], ACCEPTED))
        kinds = accepted.group_by(["catalog", "tenant"]).aggregate([]).to_pylist()
        for kind in kinds:
            chosen = pc.and_(
                pc.equal(accepted["catalog"], kind["catalog"]), pc.equal(accepted["tenant"], kind["tenant"])
            )
            some = accepted.filter(chosen).combine_chunks()
            events = laid_out(
                [some[name].combine_chunks() for name in ("id", "source", "type", "subject", "data")],
                some["time"].to_numpy(),
            )
            again = columns(kind["tenant"], events, admission(kind["catalog"]), hasher, Bounds(), 0).rows
            for name in COMPARED:
                if not some[name].combine_chunks().equals(again[name].combine_chunks().cast(some[name].type)):
                    block = _first_difference(some, again, name)
                    yield Problem(f"block {block}", f"{name} stored with an event is not what its own text gives")

    return problems


def _first_difference(some: pa.Table, again: pa.Table, name: str) -> int:
    left, right = some[name].to_pylist(), again[name].to_pylist()
    place = next(index for index, pair in enumerate(zip(left, right, strict=True)) if pair[0] != pair[1])
    return int(some["block"][place].as_py())


def run_problems(installation: Installation) -> Iterator[Problem]:
    """Runs that do not give the same bytes when they are rated again."""
    with installation.relational.connect() as connection:
        for run in live_runs(connection):
            for what in problems_of_run(installation.ledger, connection, run):
                yield Problem(f"run {run.id} ({run.tenant}, {run.period})", what)


def document_problems(installation: Installation) -> Iterator[Problem]:
    """Where rated, invoiced, journalled and posted do not agree, of every run that stands."""
    with installation.relational.connect() as connection:
        for run in live_runs(connection):
            rows = of_period(connection, run.tenant, run.period)
            charges = installation.ledger.read_charges(run.id)
            held = read_back(installation.erp, rows)
            yield from agreement(charges, rows, held, run.tenant, run.period)
