"""One run, rated again: it holds, or what differs is said, or it is told why that can't be found out."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pyarrow as pa
import pytest
import sqlalchemy as sa

from ledger.errors import Damaged
from meterline.operations import RequestError
from meterline.operations.proof import OneRun, verify_run
from meterline.outcome import Outcome, Output
from rating import runs
from rating.close import close
from tests.unit.rating.world import (
    CATALOG,
    NOVEMBER_FIRST_MS,
    NOW_MS,
    TENANT,
    MemoryLedger,
    Use,
    applied,
    store,
    units,
)

PERIOD = "2026-11"


class Closed:
    """A period that is closed as run 1."""

    def __init__(self, ledger: MemoryLedger | None = None) -> None:
        self.relational = store()
        self.ledger = ledger or MemoryLedger([Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS, units(10))])
        applied(self.relational, CATALOG)
        close(self.ledger, self.relational, TENANT, PERIOD, NOW_MS)

    def verified(self, run: int = 1) -> Outcome:
        installation: Any = SimpleNamespace(relational=self.relational, ledger=self.ledger)
        return verify_run(installation, OneRun(run), Output(lambda _: None, lambda _: None))

    def change(self, **values: Any) -> None:
        with self.relational.begin() as connection:
            connection.execute(sa.update(runs.runs).values(values))


@pytest.fixture
def site() -> Closed:
    return Closed()


def test_a_run_holds_whether_it_is_rated_approved_or_discarded(site: Closed) -> None:
    for state, reason in ((runs.RATED, None), (runs.APPROVED, None), (runs.DISCARDED, "one event was missing")):
        site.change(state=state, reason=reason)
        result, status = site.verified()
        assert (status, result["ok"], result["state"], result["charges"], result["problems"]) == (0, True, state, 1, [])


def test_charges_that_were_changed_are_said_of_a_discarded_run_too(site: Closed) -> None:
    lines = site.ledger.charges[1]
    place = lines.schema.get_field_index("amount")
    site.ledger.charges[1] = lines.set_column(place, "amount", pa.array([1], pa.int64()))
    site.change(state=runs.DISCARDED, reason="a wrong price")
    result, status = site.verified()
    assert (status, result["ok"]) == (1, False)
    assert result["problems"] == [{"where": "run 1", "what": "its stored charges are not the ones it was closed with"}]


def test_usage_that_was_changed_is_said(site: Closed) -> None:
    site.ledger.usage[0] = site.ledger.usage[0]._replace(quantity=units(11))
    result, status = site.verified()
    assert (status, result["problems"][-1]["what"]) == (1, "rating it again gives other charges")


def test_a_ledger_that_contradicts_itself_is_a_problem_and_no_crash() -> None:
    class Torn(MemoryLedger):
        torn = False

        def chain_at(self, block: int) -> str:
            if self.torn:
                raise Damaged("block 1", "its marker is gone")
            return super().chain_at(block)

    ledger = Torn([Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS, units(10))])
    site = Closed(ledger)
    ledger.torn = True
    result, status = site.verified()
    assert (status, result["problems"]) == (1, [{"where": "block 1", "what": "its marker is gone"}])


def test_a_run_of_another_engine_is_not_said_to_hold(site: Closed) -> None:
    with site.relational.connect() as connection:
        (run,) = runs.live_runs(connection)
    older = msgspec.structs.replace(run.manifest, engine_version="0")
    site.change(manifest=msgspec.json.encode(older).decode())
    with pytest.raises(RequestError, match="was rated by engine version 0 and this is"):
        site.verified()


@pytest.mark.parametrize(("state", "reason"), [(runs.RATING, None), (runs.DISCARDED, "cut short before it was done")])
def test_a_run_that_was_never_done_has_nothing_to_compare(site: Closed, state: str, reason: str | None) -> None:
    site.change(state=state, reason=reason)
    with pytest.raises(RequestError, match="was never done"):
        site.verified()


def test_a_run_that_there_is_not_is_told(site: Closed) -> None:
    with pytest.raises(RequestError, match="there is no run 2"):
        site.verified(2)
