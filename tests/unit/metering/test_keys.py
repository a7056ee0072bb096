"""API keys: shown once, stored hashed, bound to a tenant and to what they may do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.relational import connect, metadata
from metering import keys


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sa.Connection]:
    engine = connect(f"sqlite:///{tmp_path}/keys.sqlite")
    metadata.create_all(engine, [keys.api_keys])
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_a_key_opens_its_tenants_door_and_only_its_own(connection: sa.Connection) -> None:
    one, text = keys.create(connection, "acme", ["read", "ingest", "read"], 5)
    other, other_text = keys.create(connection, "globex", ["ingest"], 6)
    known = keys.in_force(connection)
    assert keys.holder(known, text) == one
    assert keys.holder(known, other_text) == other
    assert (one.tenant, one.scopes, other.scopes) == ("acme", ("ingest", "read"), ("ingest",))
    for wrong in ("", text[:-1], text + "x", text.upper(), text.replace(one.id, other.id), "\udc80"):
        assert keys.holder(known, wrong) is None


def test_nothing_stored_opens_anything(connection: sa.Connection) -> None:
    _, text = keys.create(connection, "acme", ["ingest"], 5)
    row = connection.execute(sa.select(keys.api_keys)).one()
    assert text.split("_", 2)[2] not in repr(tuple(row))
    assert keys.holder(keys.in_force(connection), row.hash.hex()) is None


def test_a_revoked_key_opens_nothing_and_is_revoked_once(connection: sa.Connection) -> None:
    key, text = keys.create(connection, "acme", ["ingest"], 5)
    assert keys.revoke(connection, key.id, 7)
    assert not keys.revoke(connection, key.id, 8)
    assert not keys.revoke(connection, "nobody", 8)
    assert keys.holder(keys.in_force(connection), text) is None
    assert [one.revoked_at for one in keys.listed(connection)] == [7]
    assert keys.rotate(connection, key.id, 9) is None


def test_a_rotated_key_may_do_the_same_and_the_old_one_goes_on(connection: sa.Connection) -> None:
    key, text = keys.create(connection, "acme", ["read"], 5)
    rotated = keys.rotate(connection, key.id, 6)
    assert rotated is not None
    known = keys.in_force(connection)
    assert {keys.holder(known, each) for each in (text, rotated[1])} == {key, rotated[0]}
    assert (rotated[0].tenant, rotated[0].scopes, rotated[0].id != key.id) == ("acme", ("read",), True)
    assert keys.rotate(connection, "nobody", 6) is None


def test_keys_are_listed_oldest_first(connection: sa.Connection) -> None:
    made = [keys.create(connection, "acme", ["read"], created)[0] for created in (7, 5, 6)]
    assert [key.created_at for key in keys.listed(connection)] == [5, 6, 7]
    assert keys.find(connection, made[0].id) == made[0]
