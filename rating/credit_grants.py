"""Keep what credit customers were granted and what was voided: rows are added and never changed.

Every row has a number of one count over both tables, so that "what was known" is one number: a run that pins it draws
the same credit down in the next audit, whatever is granted or voided later.
"""

from datetime import date
from typing import Any

import msgspec
import sqlalchemy as sa

from ledger.errors import Refused
from ledger.relational import metadata
from rating import catalog_store
from rating import catalog_tables as tables
from rating.agreements import Commitment, read
from rating.catalog_fields import did_you_mean
from rating.credit_spending import Kind

grants = sa.Table(
    "credit_grants",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False, comment="its number in the count of both"),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("id", sa.String, nullable=False),
    sa.Column("customer", sa.String, nullable=False),
    sa.Column("currency", sa.String, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False, comment="minor units; of a recurring grant: each time"),
    sa.Column("kind", sa.String, nullable=False, comment="prepaid, promotional or recurring"),
    sa.Column("name", sa.String, nullable=False, comment="what the line of an invoice is called"),
    sa.Column("priority", sa.Integer, nullable=False, comment="the lowest burns first"),
    sa.Column("effective", sa.String, nullable=False, comment="first day, YYYY-MM-DD"),
    sa.Column("expires", sa.String, comment="first day after it, YYYY-MM-DD"),
    sa.Column("products", sa.Text, nullable=False, comment="what it pays for, JSON; an empty list: everything"),
    sa.Column("cost_basis", sa.String, nullable=False, comment="what the customer paid for a unit of it"),
    sa.Column("every", sa.String, nullable=False, comment="of a recurring grant: the interval, ISO 8601; else empty"),
    sa.Column("rollover_min", sa.BigInteger, nullable=False, comment="minor units that a refill leaves at least"),
    sa.Column("rollover_max", sa.BigInteger, nullable=False, comment="minor units that a refill lets stay at most"),
    sa.Column("created_by", sa.String, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False, comment="UTC milliseconds"),
    sa.UniqueConstraint("tenant", "id"),
)
voids = sa.Table(
    "credit_voids",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False, comment="its number in the count of both"),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("grant_id", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("created_by", sa.String, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False, comment="UTC milliseconds; from here on it pays nothing"),
    sa.UniqueConstraint("tenant", "grant_id"),
)


class Grant(msgspec.Struct, frozen=True):
    """Credit for one customer in one currency; amounts are minor units, days are of UTC."""

    id: str
    customer: str
    currency: str
    amount: int
    kind: Kind
    name: str
    effective: date
    expires: date | None = None
    products: tuple[str, ...] = ()
    priority: int = 0
    cost_basis: str = "0"
    every: str = ""
    rollover_min: int = 0
    rollover_max: int = 0


def newest_version(connection: sa.Connection) -> int:
    """The number of the newest grant or void, or 0."""
    newest = [connection.execute(sa.select(sa.func.max(table.c.version))).scalar() or 0 for table in (grants, voids)]
    return max(newest)


def grant(connection: sa.Connection, tenant: str, wanted: Grant, actor: str, now_ms: int) -> bool:
    """Add a grant; False where this very one is there already. Another one under its id is refused."""
    there = _find(connection, tenant, wanted.id)
    values = row_of(wanted)
    if there is not None:
        if any(getattr(there, name) != value for name, value in values.items()):
            message = f"grant {wanted.id} is there with other terms: void it, and grant what is meant under another id"
            raise Refused(message)
        return False
    _check_names(connection, tenant, wanted)
    version = newest_version(connection) + 1
    own = {"version": version, "tenant": tenant, "created_by": actor, "created_at": now_ms}
    connection.execute(sa.insert(grants).values(values | own))
    return True


def void(connection: sa.Connection, tenant: str, grant_id: str, reason: str, actor: str, now_ms: int) -> None:
    """Let a grant pay nothing more, in every period that is not closed yet."""
    if _find(connection, tenant, grant_id) is None:
        raise Refused(f"tenant {tenant} has no grant {grant_id}: `meterline credits list` shows them")
    if not reason.strip():
        raise Refused(f"grant {grant_id} is voided only with a reason: say why")
    of_grant = sa.select(voids.c.reason).where(voids.c.tenant == tenant, voids.c.grant_id == grant_id)
    if (earlier := connection.execute(of_grant).scalar()) is not None:
        raise Refused(f"grant {grant_id} is voided already: {earlier}")
    row = {"tenant": tenant, "grant_id": grant_id, "reason": reason, "created_by": actor, "created_at": now_ms}
    connection.execute(sa.insert(voids).values(row | {"version": newest_version(connection) + 1}))


def rows_known(tenant: str, version: int, customer: str | None = None) -> sa.Select[Any]:
    """The tenant's grants as they were known at `version`, with what was voided of them until then."""
    voided = sa.and_(voids.c.tenant == grants.c.tenant, voids.c.grant_id == grants.c.id, voids.c.version <= version)
    found = (
        sa.select(grants, voids.c.created_at.label("voided"), voids.c.created_by.label("voided_by"), voids.c.reason)
        .outerjoin(voids, voided)
        .where(grants.c.tenant == tenant, grants.c.version <= version)
    )
    return found if customer is None else found.where(grants.c.customer == customer)


def _find(connection: sa.Connection, tenant: str, grant_id: str) -> sa.Row[Any] | None:
    return connection.execute(sa.select(grants).where(grants.c.tenant == tenant, grants.c.id == grant_id)).one_or_none()


def row_of(wanted: Grant) -> dict[str, Any]:
    """The columns that say what a grant is."""
    return msgspec.structs.asdict(wanted) | {
        "effective": wanted.effective.isoformat(),
        "expires": None if wanted.expires is None else wanted.expires.isoformat(),
        "products": msgspec.json.encode(sorted(set(wanted.products))).decode(),
    }


def _check_names(connection: sa.Connection, tenant: str, wanted: Grant) -> None:
    """A grant for a name that nothing has would never pay, and nobody would be told."""
    version = catalog_store.newest_version(connection)
    known = set(connection.scalars(tables.rows_at(tables.customers, tenant, version, "id")))
    if wanted.customer not in known:
        hint = did_you_mean(wanted.customer, sorted(known))
        raise Refused(f"no customer is named {wanted.customer}{hint}; `meterline apply` adds customers")
    products: set[str] = set()
    for table in (tables.prices, tables.contract_prices):
        products |= set(connection.scalars(tables.rows_at(table, tenant, version, "product")))
    for text in set(connection.scalars(tables.rows_at(tables.contracts, tenant, version, "commitment"))):
        if (commitment := read(text, Commitment)) is not None:
            products.add(commitment.product)
    for product in wanted.products:
        if product not in products:
            raise Refused(f"no price or commitment is for a product {product}{did_you_mean(product, sorted(products))}")
