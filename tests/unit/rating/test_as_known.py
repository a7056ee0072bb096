"""A period can be rated as any close of it was or would have been, and looking back writes nothing."""

import sqlalchemy as sa

from rating import catalog_store, runs
from rating.as_known import rated_as_known
from rating.close import Closed, close
from tests.unit.rating.world import (
    CATALOG,
    DAY_MS,
    NOVEMBER,
    NOVEMBER_FIRST_MS,
    NOW_MS,
    TENANT,
    MemoryLedger,
    Use,
    applied,
    store,
    units,
)

ON_TIME = Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS, units(10), block=1)
LATE = Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS + DAY_MS, units(2), block=2)
DEARER = CATALOG.replace("0.05", "0.10")


def as_known(ledger: MemoryLedger, relational: sa.Engine, version: int, cutoff: int) -> Closed:
    with relational.connect() as connection:
        found = rated_as_known(ledger, connection, TENANT, version, NOVEMBER, cutoff, NOW_MS)
    assert isinstance(found, Closed)
    return found


def test_a_late_event_and_a_new_price_make_an_answer_each() -> None:
    relational, ledger = store(), MemoryLedger([ON_TIME, LATE])
    applied(relational, CATALOG)
    applied(relational, DEARER)
    answers = {
        (version, cutoff): as_known(ledger, relational, version, cutoff).manifest.totals["EUR"]
        for version in (1, 2)
        for cutoff in (1, 2)
    }
    assert answers == {(1, 1): "0.50", (1, 2): "0.60", (2, 1): "1.00", (2, 2): "1.20"}


def test_a_closed_period_looked_back_at_gives_the_very_charges_it_was_closed_with() -> None:
    relational, ledger = store(), MemoryLedger([ON_TIME])
    applied(relational, CATALOG)
    closed = close(ledger, relational, TENANT, str(NOVEMBER), NOW_MS)
    applied(relational, DEARER)
    ledger.usage.append(LATE)
    found = as_known(ledger, relational, 1, 1)
    assert found.manifest == closed.manifest
    assert (found.run, found.state, found.new) == (None, "dry_run", False)
    assert as_known(ledger, relational, 2, 2).manifest.output_digest != closed.manifest.output_digest
    with relational.connect() as connection:
        assert [run.manifest for run in runs.live_runs(connection)] == [closed.manifest]


def test_the_version_of_an_instant_is_the_newest_applied_before_it() -> None:
    relational = store()
    with relational.begin() as connection:
        for text, tenant, at_ms in ((CATALOG, "first", 100), (CATALOG, TENANT, 200), (DEARER, TENANT, 300)):
            catalog_store.apply(connection, tenant, text, "tests", at_ms)
        found = {ms: catalog_store.version_before(connection, TENANT, ms) for ms in (200, 201, 300, 301)}
        assert found == {200: None, 201: 2, 300: 2, 301: 3}
        assert catalog_store.version_before(connection, "nobody", 301) is None
        assert [catalog_store.applied_at(connection, version) for version in (1, 2, 3)] == [100, 200, 300]
