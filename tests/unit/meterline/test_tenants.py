"""Which tenants there are, and what may be one's name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.relational import connect, metadata
from meterline.operations.registry import RequestError
from meterline.tenants import checked_name, checked_tenant
from rating.catalog_tables import catalog_versions


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sa.Connection]:
    """A relational store in which nothing was applied."""
    relational = connect(f"sqlite:///{tmp_path}/relational.sqlite")
    metadata.create_all(relational)
    with relational.begin() as connection:
        yield connection
    relational.dispose()


def apply(connection: sa.Connection, *tenants: str) -> None:
    for tenant in tenants:
        version = connection.scalar(sa.select(sa.func.count()).select_from(catalog_versions)) or 0
        row = {"version": version + 1, "tenant": tenant, "applied_at": 0, "actor": "", "source": "", "digest": ""}
        connection.execute(sa.insert(catalog_versions).values(row))


def test_a_tenant_with_a_catalog_is_known(connection: sa.Connection) -> None:
    apply(connection, "b", "a", "b")
    assert checked_tenant(connection, "b") == "b"


def test_a_tenant_without_one_is_told_with_those_that_have_one(connection: sa.Connection) -> None:
    with pytest.raises(RequestError, match="tenant c has no catalog: no tenant has one;"):
        checked_tenant(connection, "c")
    apply(connection, "b", "a", "b")
    with pytest.raises(RequestError, match="tenant c has no catalog: the tenants are a, b;"):
        checked_tenant(connection, "c")


def test_not_every_one_of_very_many_tenants_is_named(connection: sa.Connection) -> None:
    apply(connection, *(f"t{number:03}" for number in range(50)))
    with pytest.raises(RequestError, match=r"t018, t019, \.\.\.;"):
        checked_tenant(connection, "c")


@pytest.mark.parametrize("name", ["a", "0", "default", "Acme-EU_2.prod", "a" * 64])
def test_a_plain_name_can_be_a_tenants(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", " ", "a b", ".", "..", "-a", "_", "a/b", "a\n", "a\0", "é", "a" * 65])
def test_what_no_document_or_directory_could_carry_is_no_tenants_name(name: str) -> None:
    with pytest.raises(RequestError, match="can't be a tenant's name: expected letters, digits"):
        checked_name(name)
