"""Keep drafts of the catalog, and make one the next version when a second person approves the difference it makes.

    draft --> approved    is the next version, in the same transaction
      |
      +-----> rejected    dropped with a reason

A draft is a file, not a catalog: what it changes is worked out anew whenever somebody looks, on top of the catalog of
that moment. Who approves says by its digest which difference they were shown, so nothing goes in that nobody saw.
"""

from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from ledger.errors import Refused
from ledger.relational import metadata
from rating import catalog_reading
from rating.catalog import Catalog, Change, difference
from rating.catalog_store import apply_catalog, difference_digest, newest_version
from rating.yaml_page import Mistake

DRAFT, APPROVED, REJECTED = "draft", "approved", "rejected"

catalog_drafts = sa.Table(
    "catalog_drafts",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("drafted_by", sa.String, nullable=False),
    sa.Column("drafted_at", sa.BigInteger, nullable=False, comment="UTC milliseconds"),
    sa.Column("base_version", sa.Integer, nullable=False, comment="catalog version it was read against"),
    sa.Column("source", sa.Text, nullable=False, comment="the file as it was"),
    sa.Column("changes", sa.Integer, nullable=False, comment="how many"),
    sa.Column("difference", sa.Text, nullable=False, comment="JSON; as it was drafted, then as it was approved"),
    sa.Column("digest", sa.String, nullable=False, comment="hex; of that difference"),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("decided_by", sa.String),
    sa.Column("decided_at", sa.BigInteger, comment="UTC milliseconds"),
    sa.Column("reason", sa.String, comment="why it was rejected"),
    sa.Column("version", sa.Integer, comment="catalog version it became"),
    # A number is never given out twice: who approves 7 means the draft that was 7 when they looked.
    sqlite_autoincrement=True,
)


class Draft(msgspec.Struct, frozen=True):
    """A draft as it is listed: without the file, and without the difference in words."""

    number: int
    tenant: str
    drafted_by: str
    drafted_at: int
    base_version: int
    changes: int
    digest: str
    state: str
    decided_by: str | None
    decided_at: int | None
    reason: str | None
    version: int | None


_LISTED: Final = [catalog_drafts.c[name] for name in Draft.__struct_fields__]


class Reading(NamedTuple):
    """What a file changes on top of the newest catalog."""

    version: int
    """That catalog's."""
    stored: Catalog
    """As much of it as the file can touch."""
    new: Catalog
    changes: list[Change]
    digest: str


class Approval(NamedTuple):
    """The catalog version that a draft is."""

    version: int
    new: bool
    """Whether this call made it."""


def read(connection: sa.Connection, tenant: str, text: str) -> Reading | list[Mistake]:
    """What the file `text` changes in the tenant's catalog of this moment, or what is wrong with it."""
    version = newest_version(connection)
    found = catalog_reading.read(connection, tenant, version, text)
    if isinstance(found, list):
        return found
    stored, new = found
    return Reading(version, stored, new, difference(stored, new), difference_digest(stored, new))


def keep(connection: sa.Connection, tenant: str, text: str, reading: Reading, actor: str, now_ms: int) -> int:
    """Store a file as a draft, and its number; the same file of the same person is the same draft while it is one."""
    same = sa.select(catalog_drafts.c.number).where(
        catalog_drafts.c.tenant == tenant,
        catalog_drafts.c.state == DRAFT,
        catalog_drafts.c.drafted_by == actor,
        catalog_drafts.c.source == text,
    )
    number = connection.execute(same).scalar()
    if number is None:
        row = {"tenant": tenant, "drafted_by": actor, "drafted_at": now_ms, "source": text, "state": DRAFT}
        said = {"base_version": reading.version, **_said(reading)}
        (number,) = connection.execute(sa.insert(catalog_drafts).values(row | said)).inserted_primary_key or (None,)
    assert isinstance(number, int)
    return number


def _said(reading: Reading) -> dict[str, Any]:
    words = msgspec.json.encode(reading.changes).decode()
    return {"changes": len(reading.changes), "difference": words, "digest": reading.digest}


def listed(connection: sa.Connection, tenant: str) -> list[Draft]:
    """Every draft of the tenant, the newest first."""
    query = sa.select(*_LISTED).where(catalog_drafts.c.tenant == tenant).order_by(catalog_drafts.c.number.desc())
    return [Draft(*row) for row in connection.execute(query)]


def find(connection: sa.Connection, tenant: str, number: int) -> Draft | None:
    """The tenant's draft of this number."""
    mine = sa.and_(catalog_drafts.c.tenant == tenant, catalog_drafts.c.number == number)
    row = connection.execute(sa.select(*_LISTED).where(mine)).one_or_none()
    return None if row is None else Draft(*row)


def read_again(connection: sa.Connection, draft: Draft) -> Reading | list[Mistake]:
    """What the draft changes by now, or what is wrong with it by now."""
    return read(connection, draft.tenant, _column(connection, draft, "source"))


def recorded(connection: sa.Connection, draft: Draft) -> list[Change]:
    """The difference that was drafted, or, of a draft that was approved, approved."""
    return msgspec.json.decode(_column(connection, draft, "difference"), type=list[Change])


def _column(connection: sa.Connection, draft: Draft, name: str) -> str:
    query = sa.select(catalog_drafts.c[name]).where(catalog_drafts.c.number == draft.number)
    return str(connection.execute(query).scalar_one())


def approve(
    connection: sa.Connection, draft: Draft, shown: str, actor: str, now_ms: int
) -> Approval | Reading | list[Mistake]:
    """Make the draft the next version, in the caller's transaction.

    Where it makes another difference by now than the one `shown`, that one is returned; where the file has mistakes
    by now, they are. It stays a draft then, and nothing is written.
    """
    if same_person(actor, draft.drafted_by):
        raise Refused(f"draft {draft.number} is {draft.drafted_by}'s own: another person approves it")
    if draft.state == APPROVED and draft.version is not None and draft.digest == shown:
        return Approval(draft.version, new=False)
    _check_open(draft)
    reading = read_again(connection, draft)
    if isinstance(reading, list) or reading.digest != shown:
        return reading
    if not reading.changes:
        raise Refused(f"draft {draft.number} changes nothing any more, so there is nothing to approve: reject it")
    source = _column(connection, draft, "source")
    applied = apply_catalog(
        connection,
        draft.tenant,
        reading.stored,
        reading.new,
        source,
        actor,
        now_ms,
        drafted_by=draft.drafted_by,
    )
    _decide(connection, draft, APPROVED, actor, now_ms, version=applied.version, **_said(reading))
    return Approval(applied.version, new=True)


def reject(connection: sa.Connection, draft: Draft, reason: str, actor: str, now_ms: int) -> bool:
    """Drop the draft with a reason, which its own author may do too; False when it was rejected before."""
    if not reason.strip():
        raise Refused(f"draft {draft.number} is rejected only with a reason: say why")
    if draft.state == REJECTED:
        return False
    _check_open(draft)
    _decide(connection, draft, REJECTED, actor, now_ms, reason=reason)
    return True


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's, however they are typed."""
    return one.casefold() == other.casefold()


def _check_open(draft: Draft) -> None:
    if draft.state == APPROVED:
        raise Refused(
            f"draft {draft.number} was approved by {draft.decided_by} and is catalog version {draft.version}, "
            f"with difference {draft.digest}: what it changed is changed back by another file"
        )
    if draft.state == REJECTED:
        raise Refused(f"draft {draft.number} was rejected by {draft.decided_by}: {draft.reason}; apply the file again")


def _decide(connection: sa.Connection, draft: Draft, state: str, actor: str, now_ms: int, **also: Any) -> None:
    mine = sa.update(catalog_drafts).where(catalog_drafts.c.number == draft.number, catalog_drafts.c.state == DRAFT)
    values = {"state": state, "decided_by": actor, "decided_at": now_ms, **also}
    if connection.execute(mine.values(values)).rowcount != 1:  # raised, so that the version is taken back with it
        raise Refused(f"draft {draft.number} was decided by somebody else in between: look at it again")
