"""What is approved is what was closed, and a post that the end of the service cuts short says what is left."""

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from ledger.errors import Damaged
from meterline.operations import billing
from meterline.outcome import Output
from posting.drafts import write_drafts
from posting.outbox import BATCH
from rating import runs
from rating.close import close
from tests.contract.memory_erp import MemoryErp
from tests.unit.posting.charging import Charge, charges
from tests.unit.posting.posted import PERIOD, Books
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


class Stopping(MemoryErp):
    """An ERP during whose calls the service is told to stop."""

    installation: Any

    def post(self, document: Any) -> Any:
        self.installation.stopping = True
        return super().post(document)


def test_a_post_ends_after_the_batch_in_which_the_service_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    books, erp = Books(charges([Charge(f"cust-{number:04d}") for number in range(BATCH + 1)])), Stopping()
    ledger = SimpleNamespace(read_charges=lambda _: books.table)
    erp.installation = SimpleNamespace(relational=books.engine, ledger=ledger, erp=erp, stopping=False)
    monkeypatch.setattr(billing, "_live", lambda *_: SimpleNamespace(id=1, state=runs.APPROVED))
    output = Output(lambda _: None, lambda _: None)
    cut_short = billing.post(erp.installation, billing.OfPeriod(PERIOD), output)
    assert cut_short.status == 1
    assert cut_short.result["message"] == (
        f"the service is stopping: {BATCH} documents posted, 2 not; `meterline post {PERIOD}` goes on"
    )
    for _ in range(2):  # the journal is due once the last invoice is posted
        erp.installation.stopping = False
        done = billing.post(erp.installation, billing.OfPeriod(PERIOD), output)
    assert (done.status, done.result["message"]) == (0, "1 of 1 documents posted")


def test_charges_that_were_changed_since_the_close_are_not_approved() -> None:
    relational, ledger = store(), MemoryLedger([Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS, units(10))])
    applied(relational, CATALOG)

    def draft(connection: sa.Connection, run: int, made: pa.Table) -> None:
        write_drafts(connection, TENANT, PERIOD, run, made, NOW_MS)

    close(ledger, relational, TENANT, PERIOD, NOW_MS, on_rated=draft)
    lines = ledger.charges[1]
    dearer = lines.set_column(lines.schema.get_field_index("amount"), "amount", pa.array([51], pa.int64()))
    installation: Any = SimpleNamespace(relational=relational, ledger=ledger)
    asked, output = billing.OfPeriod(PERIOD), Output(lambda _: None, lambda _: None)
    ledger.charges[1] = dearer
    with pytest.raises(Damaged, match="not the ones it was closed with"):
        billing.approve(installation, asked, output)
    ledger.charges[1] = lines
    assert [one["state"] for one in billing.approve(installation, asked, output).result["documents"]] == [
        "approved"
    ] * 2
