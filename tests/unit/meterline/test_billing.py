"""A post that the end of the service cuts short says what is left."""

from types import SimpleNamespace
from typing import Any

import pytest

from meterline.operations import billing
from meterline.outcome import Output
from posting.outbox import BATCH
from rating import runs
from tests.contract.memory_erp import MemoryErp
from tests.unit.posting.charging import Charge, charges
from tests.unit.posting.posted import PERIOD, Books


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
