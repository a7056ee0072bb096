"""A file that is tried changes what one connection sees, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.relational import connect, metadata
from rating import book as books
from rating.catalog import Catalog
from rating.catalog_rows import ROWS, load
from rating.catalog_store import newest_version
from rating.catalog_trial import Draft, drafted
from rating.cuts import are_untouched, changed, cut_alike, repriced
from tests.unit.rating.world import CATALOG, TENANT, applied

EGRESS = "product: Egress, meter: gb_out, model: per_unit, unit_price: 1"
PLAN = "plans: [{name: standard, currency: EUR, prices: [{%s}]%s}]"
CONTRACT = "contracts: [{id: C-1, customer: acme, plan: standard, entity: DE01, start: 2026-01-01%s}]"
FILES = {
    "prices": PLAN % (EGRESS, ""),
    "plans": PLAN % (EGRESS, ", discounts: [{name: Less, percent: 5}]"),
    "contract_prices": CONTRACT % f", prices: [{{{EGRESS}}}]",
    "contracts": CONTRACT % ", end: 2026-12-01",
    "customers": "customers: [{id: acme, name: Acme AG, subjects: [acme-prod, acme-test]}]",
    "customer_subjects": "customers: [{id: acme, name: Acme GmbH, subjects: [acme-prod, acme-test, acme-new]}]",
    "meters": "meters: [{name: seconds, event_type: call, aggregation: sum, value: seconds}]",
    "taxes": "taxes: [{name: VAT, rate: 19, place: DE}]",
}
"""What each changes, and nothing of it grows with customers but what is named so."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """A store in a file, where connections see each other's changes as they do in service."""
    found = connect(f"sqlite:///{tmp_path}/relational.sqlite")
    metadata.create_all(found)
    applied(found, CATALOG, "other")
    applied(found, CATALOG)
    yield found
    found.dispose()


def stored(engine: sa.Engine) -> list[list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return [[tuple(row) for row in connection.execute(sa.select(table))] for table in ROWS]


def seen(connection: sa.Connection, version: int) -> tuple[Catalog, bytes]:
    return load(connection, TENANT, version), books.load(connection, TENANT, version).digest


@pytest.mark.parametrize("name", FILES)
def test_a_draft_is_what_applying_the_file_would_make(engine: sa.Engine, name: str) -> None:
    before = stored(engine)
    with engine.connect() as connection:
        known = seen(connection, 2)
    with drafted(engine, TENANT, FILES[name]) as draft:
        assert isinstance(draft, Draft)
        copied = set(sa.inspect(draft.connection).get_table_names("temp")) - {"catalog_versions"}
        assert name in copied
        assert copied <= {name, "prices"} or name.startswith("c")
        found = seen(draft.connection, draft.version)
        assert seen(draft.connection, 2) == known
    assert stored(engine) == before
    with engine.connect() as connection:
        assert not sa.inspect(connection).get_table_names("temp")
        assert newest_version(connection) == 2
    applied(engine, FILES[name])
    with engine.connect() as connection:
        assert seen(connection, 3) == found


def test_what_is_applied_meanwhile_does_not_wait_and_is_not_of_the_draft(engine: sa.Engine) -> None:
    with drafted(engine, TENANT, FILES["prices"]) as draft:
        assert isinstance(draft, Draft)
        alone = seen(draft.connection, draft.version)
        applied(engine, FILES["contracts"])
        applied(engine, FILES["customer_subjects"])
        assert seen(draft.connection, draft.version) == alone


@pytest.mark.parametrize("name", FILES)
def test_catalogs_with_the_same_subjects_contracts_and_days_cut_alike(engine: sa.Engine, name: str) -> None:
    more = applied(engine, FILES[name]).version
    later = applied(engine, PLAN % (f"{EGRESS}, from: 2026-11-10", "")).version
    with engine.connect() as connection:
        known, then, dated = (books.load(connection, TENANT, version) for version in (2, more, later))
        said = changed(connection, TENANT, 2, more)
        untouched = are_untouched(connection, said)
        assert untouched == (name not in ("contract_prices", "contracts", "customer_subjects"))
        assert repriced(connection, said) == ({"gb_out"} if name in ("prices", "contract_prices") else None)
        assert cut_alike(known, then) or not untouched
        assert not are_untouched(connection, changed(connection, TENANT, more, later))
        assert not cut_alike(then, dated) or name == "contract_prices"


def test_a_file_that_changes_nothing_is_the_newest_catalog(engine: sa.Engine) -> None:
    with drafted(engine, TENANT, CATALOG) as draft:
        assert isinstance(draft, Draft)
        assert draft.version == 2
        assert repriced(draft.connection, changed(draft.connection, TENANT, 2, 2)) == set()
        assert newest_version(draft.connection) == 2
