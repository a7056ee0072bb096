"""Make API keys, and say whose a key is: each is bound to one tenant and to what it may do.

Only a hash is stored. A key has 256 random bits, so a fast hash is enough: there is nothing to guess, and a slow one
would be paid for by every request.
"""

import hashlib
import secrets
from typing import Literal, get_args

import msgspec
import sqlalchemy as sa

from ledger.relational import metadata

Scope = Literal["ingest", "read"]
SCOPES: tuple[str, ...] = get_args(Scope)
PREFIX = "mtl"

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="the part of the key that may be shown"),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False, unique=True, comment="SHA-256 of the whole key"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
)


class Key(msgspec.Struct, frozen=True):
    """What is known of a key; the key itself is shown once and not kept."""

    id: str
    tenant: str
    scopes: tuple[str, ...]
    created_at: int
    revoked_at: int | None = None


def create(connection: sa.Connection, tenant: str, scopes: list[str], now_ms: int) -> tuple[Key, str]:
    """A new key for `tenant`, and its text, which is not to be had again."""
    key = Key(secrets.token_hex(4), tenant, tuple(sorted(set(scopes))), now_ms)
    text = f"{PREFIX}_{key.id}_{secrets.token_urlsafe(32)}"
    connection.execute(
        sa.insert(api_keys).values(
            id=key.id, tenant=tenant, scopes=list(key.scopes), hash=_hash(text), created_at=now_ms
        )
    )
    return key, text


def revoke(connection: sa.Connection, key_id: str, now_ms: int) -> bool:
    """End a key; False when there is no such key in force."""
    ended = connection.execute(
        sa.update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None)).values(revoked_at=now_ms)
    )
    return bool(ended.rowcount)


def rotate(connection: sa.Connection, key_id: str, now_ms: int) -> tuple[Key, str] | None:
    """A new key that may do the same; the old one goes on until it is revoked, so that nothing stops meanwhile."""
    old = find(connection, key_id)
    if old is None or old.revoked_at is not None:
        return None
    return create(connection, old.tenant, list(old.scopes), now_ms)


def find(connection: sa.Connection, key_id: str) -> Key | None:
    """The key with this id."""
    return next((key for key in listed(connection) if key.id == key_id), None)


def listed(connection: sa.Connection) -> list[Key]:
    """Every key, oldest first."""
    rows = connection.execute(sa.select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id))
    return [Key(row.id, row.tenant, tuple(row.scopes), row.created_at, row.revoked_at) for row in rows]


def in_force(connection: sa.Connection) -> dict[bytes, Key]:
    """The keys that open something, by their hash."""
    rows = connection.execute(sa.select(api_keys).where(api_keys.c.revoked_at.is_(None)))
    return {row.hash: Key(row.id, row.tenant, tuple(row.scopes), row.created_at) for row in rows}


def holder(known: dict[bytes, Key], text: str) -> Key | None:
    """Whose key `text` is; looked up by its hash, so that no comparison tells how much of it was right."""
    return known.get(_hash(text))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
