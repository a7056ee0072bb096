"""Keep what becomes of every run, and its manifest: what went in, what came out, and under which rules.

    rating --> rated --> approved
      |          |
      +----------+-----> discarded    cut short, or dropped with a reason

The row that says `rated` is the commit point: charges of a run in any earlier state are never read, whatever a kill
left of them. A tenant's period has one live run, rated or approved; the database holds to that.
"""

from typing import Any, Final

import msgspec
import sqlalchemy as sa

from ledger.errors import Refused
from ledger.relational import metadata
from rating.conservation import Balance, Unbilled
from rating.tax_answers import TaxAnswers

ENGINE_VERSION: Final = "5"
"""Changes whenever the same input could give other charges."""

RATING, RATED, APPROVED, DISCARDED = "rating", "rated", "approved", "discarded"
LIVE: Final = (RATED, APPROVED)
CUT_SHORT: Final = "cut short before it was done"
"""Why a run is discarded that never stood: its charges may be there in part, and are never read."""

_live = sa.text("state IN ('rated', 'approved')")
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("period", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("cutoff", sa.BigInteger, nullable=False),
    sa.Column("catalog_version", sa.Integer, nullable=False),
    sa.Column("engine_version", sa.String, nullable=False),
    sa.Column("input_digest", sa.String, nullable=False, comment="hex"),
    sa.Column("output_digest", sa.String, nullable=False, comment="hex; of the charges"),
    sa.Column("charges", sa.BigInteger, nullable=False, comment="how many"),
    sa.Column("credits_after", sa.Integer, comment="whose credit it went on from; 0: it was the first"),
    sa.Column("credits_until", sa.BigInteger, comment="UTC milliseconds that credit is lived through to"),
    sa.Column("manifest", sa.Text, nullable=False, comment="JSON"),
    sa.Column("started_at", sa.BigInteger, nullable=False, comment="UTC milliseconds"),
    sa.Column("done_at", sa.BigInteger, comment="UTC milliseconds"),
    sa.Column("reason", sa.String, comment="why it was discarded"),
    sa.Index("uq_runs_live", "tenant", "period", unique=True, sqlite_where=_live, postgresql_where=_live),
    # Credit is drawn down by one run after the other: two that went on from the same one would spend it twice.
    sa.Index("uq_runs_credits", "tenant", "credits_after", unique=True, sqlite_where=_live, postgresql_where=_live),
    # A number is never given out twice, so charges left by a kill belong to nobody.
    sqlite_autoincrement=True,
)


class CreditsMoved(msgspec.Struct, frozen=True):
    """What a run knew of credit, whose run's balances it went on from, and what it moved."""

    version: int
    """Of grants and voids."""
    after: int
    """A run, or 0."""
    until: int
    """What has been lived through, in UTC milliseconds."""
    movements: int
    digest: str
    """Of the movements, in hex."""
    carried: int = 0
    """How many charges carry over what credit did not suffice for."""


class CreditsOf(msgspec.Struct, frozen=True):
    """A run that has drawn credit down, and how far it lived."""

    run: int
    until: int


class Manifest(msgspec.Struct, frozen=True):
    """Everything a run is a function of, and what it gave."""

    tenant: str
    period: str
    complete: bool
    """Whether the period was over in every calendar when it was closed."""
    cutoff: int
    chain: str
    """The ledger's chain hash at the cutoff: it stands for every event before it."""
    catalog_version: int
    engine_version: str
    input_digest: str
    output_digest: str
    charges: int
    events: int
    totals: dict[str, str]
    """Per currency: what is due, the sum of the rounded amounts."""
    rounding: dict[str, str]
    """Per currency: what rounding added, exactly; negative where it took away."""
    conservation: list[Balance]
    unrated: list[Unbilled]
    credits: CreditsMoved | None
    """None where no grants were known."""
    counted: dict[str, int]
    """Runs of earlier periods whose charges count in windows of commitments."""
    tax_answers: TaxAnswers | None
    """What a tax service said; None where the catalog's table was enough."""


class Run(msgspec.Struct, frozen=True):
    """A run as it is stored."""

    id: int
    tenant: str
    period: str
    state: str
    manifest: Manifest
    reason: str | None


def live_run(connection: sa.Connection, tenant: str, period: str) -> Run | None:
    """The run that stands for a tenant's period, if it is closed."""
    query = sa.select(runs).where(runs.c.tenant == tenant, runs.c.period == period, runs.c.state.in_(LIVE))
    row = connection.execute(query).one_or_none()
    return None if row is None else _run(row)


def find(connection: sa.Connection, run: int) -> Run | None:
    """The run of this number, whatever became of it."""
    row = connection.execute(sa.select(runs).where(runs.c.id == run)).one_or_none()
    return None if row is None else _run(row)


def standing_before(connection: sa.Connection, tenant: str, period: str) -> dict[str, int]:
    """The runs that stand for the periods before `period`, by period."""
    query = sa.select(runs.c.period, runs.c.id).where(runs.c.tenant == tenant, runs.c.state.in_(LIVE))
    return {row.period: row.id for row in connection.execute(query.where(runs.c.period < period))}


def live_runs(connection: sa.Connection, tenant: str | None = None) -> list[Run]:
    """Every run that stands, of one tenant or of all, in the order they were made."""
    query = sa.select(runs).where(runs.c.state.in_(LIVE)).order_by(runs.c.id)
    if tenant is not None:
        query = query.where(runs.c.tenant == tenant)
    return [_run(row) for row in connection.execute(query)]


def with_credit(connection: sa.Connection, tenant: str, last: int | None = None) -> list[CreditsOf]:
    """The runs that have drawn credit down one after the other, to the `last`, or all that stand.

    Each says whose balances it went on from, so what a run found can be told of one that was discarded, too.
    """
    columns = (runs.c.id, runs.c.state, runs.c.credits_after, runs.c.credits_until)
    query = sa.select(*columns).where(runs.c.tenant == tenant, runs.c.credits_after.is_not(None))
    drawing = {row.id: row for row in connection.execute(query)}
    if last is None:
        last = max((row.id for row in drawing.values() if row.state in LIVE), default=0)
    chain: list[CreditsOf] = []
    while last:
        chain.append(CreditsOf(last, drawing[last].credits_until))
        last = drawing[last].credits_after
    return chain[::-1]


def _run(row: sa.Row[Any]) -> Run:
    manifest = msgspec.json.decode(row.manifest, type=Manifest)
    return Run(row.id, row.tenant, row.period, row.state, manifest, row.reason)


def begin(connection: sa.Connection, manifest: Manifest, now_ms: int) -> int:
    """Take a number for a run whose charges are about to be written; earlier ones that were cut short end here."""
    connection.execute(
        sa.update(runs)
        .where(runs.c.tenant == manifest.tenant, runs.c.period == manifest.period, runs.c.state == RATING)
        .values(state=DISCARDED, done_at=now_ms, reason=CUT_SHORT)
    )
    inserted = connection.execute(
        sa.insert(runs).values(
            tenant=manifest.tenant,
            period=manifest.period,
            state=RATING,
            cutoff=manifest.cutoff,
            catalog_version=manifest.catalog_version,
            engine_version=manifest.engine_version,
            input_digest=manifest.input_digest,
            output_digest=manifest.output_digest,
            charges=manifest.charges,
            credits_after=None if manifest.credits is None else manifest.credits.after,
            credits_until=None if manifest.credits is None else manifest.credits.until,
            manifest=msgspec.json.encode(manifest).decode(),
            started_at=now_ms,
        )
    )
    (run,) = inserted.inserted_primary_key or (None,)
    assert isinstance(run, int)
    return run


def finish(connection: sa.Connection, run: int, now_ms: int) -> None:
    """Make `run` the one that stands; Refused when another close came in between."""
    mine = sa.update(runs).where(runs.c.id == run, runs.c.state == RATING)
    try:
        changed = connection.execute(mine.values(state=RATED, done_at=now_ms)).rowcount
    except sa.exc.IntegrityError:
        changed = 0
    if changed != 1:
        raise Refused(
            f"run {run} was overtaken by another close, of the same period or with the same credit: look at that one, "
            "and close again if it is of another period"
        )
    _hold(connection, run)


def _hold(connection: sa.Connection, run: int) -> None:
    """Let nobody discard what `run` counts before it stands; Refused when somebody just did."""
    found = find(connection, run)
    assert found is not None
    counted = set(found.manifest.counted.values())
    standing = sa.select(runs.c.id).where(runs.c.id.in_(counted), runs.c.state.in_(LIVE)).with_for_update()
    if len(connection.execute(standing).all()) != len(counted):
        raise Refused(f"a period that run {run} counts was taken back meanwhile: close that first, then this one again")


def approve(connection: sa.Connection, tenant: str, period: str) -> Run:
    """Let the documents of a closed period go out; a run that is approved already stays so."""
    run = _closed(connection, tenant, period)
    connection.execute(sa.update(runs).where(runs.c.id == run.id, runs.c.state == RATED).values(state=APPROVED))
    return msgspec.structs.replace(run, state=APPROVED)


def discard(connection: sa.Connection, tenant: str, period: str, reason: str, now_ms: int) -> Run:
    """Drop a run that is not approved, so that the period can be closed again; its number and charges stay behind."""
    run = _closed(connection, tenant, period)
    if not reason.strip():
        raise Refused(f"run {run.id} is discarded only with a reason: say why")
    mine = sa.update(runs).where(runs.c.id == run.id, runs.c.state == RATED)
    if connection.execute(mine.values(state=DISCARDED, done_at=now_ms, reason=reason)).rowcount != 1:
        raise Refused(f"run {run.id} of {period} is approved: what went out is corrected, not discarded")
    if (later := _goes_on_from(connection, run)) is not None:
        message = (
            f"run {run.id} of {period} has left credit that run {later.id} of {later.period} drew on: discard that"
        )
        raise Refused(f"{message} first")
    if (later := _counting(connection, run)) is not None:
        message = f"run {run.id} of {period} counts for a commitment that run {later.id} of {later.period} has settled"
        raise Refused(f"{message}: discard that first")
    return msgspec.structs.replace(run, state=DISCARDED, reason=reason)


def _goes_on_from(connection: sa.Connection, run: Run) -> Any:
    """The run that stands on the credit that `run` has left."""
    query = sa.select(runs.c.id, runs.c.period).where(runs.c.tenant == run.tenant, runs.c.state.in_(LIVE))
    return connection.execute(query.where(runs.c.credits_after == run.id)).one_or_none()


def _counting(connection: sa.Connection, run: Run) -> Run | None:
    """A run that stands on what `run` charged."""
    standing = live_runs(connection, run.tenant)
    return next((one for one in standing if one.manifest.counted.get(run.period) == run.id), None)


def _closed(connection: sa.Connection, tenant: str, period: str) -> Run:
    run = live_run(connection, tenant, period)
    if run is None:
        raise Refused(f"{period} of tenant {tenant} is not closed: close it first")
    return run
