"""Every version of the catalog can be read again, and a file that is wrong leaves no trace."""

import pytest
import sqlalchemy as sa

from ledger.meters import meters_at
from rating import catalog_rows, catalog_store, catalog_tables
from rating.catalog import Catalog, Customer
from rating.catalog_file import parse
from rating.catalog_store import Applied
from tests.unit.rating.world import CATALOG, TENANT, applied, store


@pytest.fixture
def relational() -> sa.Engine:
    return store()


def at(relational: sa.Engine, version: int, tenant: str = TENANT) -> Catalog:
    with relational.connect() as connection:
        return catalog_rows.load(connection, tenant, version)


def test_the_first_file_is_version_one_and_is_read_back_whole(relational: sa.Engine) -> None:
    done = applied(relational, CATALOG)
    assert (done.version, len(done.changes)) == (1, 7)
    catalog = at(relational, 1)
    assert [meter.name for meter in catalog.meters] == ["api_calls", "gb_out"]
    assert catalog == parse(CATALOG)[0]
    assert catalog.customers == (Customer("acme", "Acme GmbH", ("acme-prod", "acme-test")),)
    assert at(relational, 0) == Catalog()


def test_the_same_file_again_is_no_new_version_and_says_so(relational: sa.Engine) -> None:
    applied(relational, CATALOG)
    assert applied(relational, CATALOG) == Applied(1, [], dry_run=False)


def test_a_dry_run_changes_nothing(relational: sa.Engine) -> None:
    with relational.begin() as connection:
        done = catalog_store.apply(connection, TENANT, CATALOG, "tests", 0, dry_run=True)
    assert isinstance(done, Applied)
    assert (done.version, len(done.changes)) == (1, 7)
    with relational.connect() as connection:
        assert catalog_store.newest_version(connection) == 0
    assert at(relational, 1) == Catalog()


def test_a_file_with_a_mistake_changes_nothing(relational: sa.Engine) -> None:
    with relational.begin() as connection:
        done = catalog_store.apply(connection, TENANT, CATALOG.replace("plan: standard", "plan: none"), "tests", 0)
    assert isinstance(done, list)
    with relational.connect() as connection:
        assert catalog_store.newest_version(connection) == 0
        assert meters_at(connection, 1) == {}


def test_an_old_version_reads_as_it_was(relational: sa.Engine) -> None:
    applied(relational, CATALOG)
    first = at(relational, 1)
    changed = (
        CATALOG.replace("0.05", "0.06")
        .replace("acme-prod, acme-test", "acme-new")
        .replace("entity: DE01", "entity: FR01")
    )
    assert {change.kind for change in applied(relational, changed).changes} == {"price", "customer", "contract"}
    second = at(relational, 2)
    assert second.customers[0].subjects == ("acme-new",)
    applied(relational, CATALOG)
    assert at(relational, 1) == first
    assert at(relational, 2) == second
    assert at(relational, 3) == first


def test_a_subject_moves_from_one_customer_to_another(relational: sa.Engine) -> None:
    applied(relational, CATALOG)
    applied(relational, "customers: [{id: acme, subjects: [acme-prod]}, {id: beta, subjects: [acme-test]}]")
    assert {customer.id: customer.subjects for customer in at(relational, 2).customers} == {
        "acme": ("acme-prod",),
        "beta": ("acme-test",),
    }
    assert at(relational, 1).customers[0].subjects == ("acme-prod", "acme-test")


def test_tenants_share_the_numbers_and_nothing_else(relational: sa.Engine) -> None:
    applied(relational, CATALOG)
    assert applied(relational, CATALOG.replace("Acme GmbH", "Another"), "other").version == 2
    assert at(relational, 2).customers[0].name == "Acme GmbH"
    assert at(relational, 2, "other").customers[0].name == "Another"
    assert at(relational, 1, "other") == Catalog()


def test_a_version_remembers_who_applied_what(relational: sa.Engine) -> None:
    applied(relational, CATALOG)
    with relational.connect() as connection:
        row = connection.execute(sa.select(catalog_tables.catalog_versions)).one()
    assert (row.version, row.tenant, row.actor, row.source) == (1, TENANT, "tests", CATALOG)


def test_two_rows_of_one_thing_can_not_both_hold(relational: sa.Engine) -> None:
    applied(relational, CATALOG)
    row = {"tenant": TENANT, "id": "acme", "name": "again", "version": 9}
    with pytest.raises(sa.exc.IntegrityError), relational.begin() as connection:
        connection.execute(sa.insert(catalog_tables.customers), row)
