"""Remember the head outside the chain, because a chain alone cannot show that its tail was cut off.

The head is kept relationally and in a file, at most a second behind the last block; a ledger that ends before its
anchor, or has another hash there, has lost or changed acknowledged blocks.
"""

import os
import secrets
from pathlib import Path

import msgspec
import sqlalchemy as sa

from ledger.block import Marker
from ledger.disk import sync_directory
from ledger.errors import Damaged
from ledger.relational import metadata

FILE_NAME = "head.json"

ledgers = sa.Table(
    "ledgers",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="the one ledger of this data directory; starts its chain"),
    sa.Column("secret", sa.LargeBinary, nullable=False, comment="keys the identity hash"),
    sa.Column("block", sa.BigInteger, nullable=False, comment="head anchor: the last marked block known here"),
    sa.Column("chain", sa.LargeBinary, nullable=False, comment="head anchor: the chain hash of that block"),
)


class Anchor(msgspec.Struct, frozen=True):
    """A block that must be in the ledger, with the chain hash it must have."""

    ledger: str
    block: int
    chain: str


class LedgerIdentity(msgspec.Struct, frozen=True):
    """What makes this ledger this one."""

    id: str
    secret: bytes


def identify(relational: sa.Engine) -> LedgerIdentity:
    """This ledger's id and secret, made on first use."""
    with relational.begin() as connection:
        row = connection.execute(sa.select(ledgers.c.id, ledgers.c.secret)).one_or_none()
        if row is not None:
            return LedgerIdentity(row.id, row.secret)
        made = LedgerIdentity(secrets.token_hex(16), secrets.token_bytes(32))
        connection.execute(sa.insert(ledgers).values(id=made.id, secret=made.secret, block=0, chain=b""))
        return made


def write(relational: sa.Engine, directory: Path, ledger_id: str, head: Marker) -> None:
    """Anchor `head` relationally and in the file."""
    with relational.begin() as connection:
        connection.execute(sa.update(ledgers).values(block=head.block, chain=head.chain))
    anchor = Anchor(ledger_id, head.block, head.chain.hex())
    temporary = directory / f"{FILE_NAME}.new"
    with temporary.open("wb") as file:
        file.write(msgspec.json.encode(anchor))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(directory / FILE_NAME)
    sync_directory(directory)


def read(relational: sa.Engine, directory: Path) -> list[Anchor]:
    """The anchors there are; a ledger that was never anchored has none."""
    with relational.connect() as connection:
        rows = connection.execute(sa.select(ledgers).where(ledgers.c.block > 0)).all()
    anchors = [Anchor(row.id, row.block, row.chain.hex()) for row in rows]
    file = directory / FILE_NAME
    if file.exists():
        try:
            anchors.append(msgspec.json.decode(file.read_bytes(), type=Anchor))
        except msgspec.DecodeError as error:
            raise Damaged(str(file), f"not a head anchor ({error}): restore it from a backup") from error
    return anchors
