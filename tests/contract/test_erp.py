"""What every ERP adapter keeps to."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from posting.content import Document, Invoice, digest
from posting.erp import Erp, Rejected
from posting.file_erp import FileErp
from posting.making import maker
from tests.contract.memory_erp import MemoryErp
from tests.unit.posting.charging import TWO_CUSTOMERS, Charge, charges

IDS = ("INV.2026-11.DE01.acme.EUR", "INV.2026-11.DE01.bolt.JPY", "INV.2026-11.KW-1.acme.KWD", "JRN.2026-11.DE01")
ADAPTERS: dict[str, Callable[[Path], Erp]] = {"files": FileErp, "memory": lambda _: MemoryErp()}


@pytest.fixture(params=ADAPTERS)
def erp(request: pytest.FixtureRequest, tmp_path: Path) -> Erp:
    return ADAPTERS[request.param](tmp_path / "erp")


def document(document_id: str, lines: tuple[Charge, ...] = TWO_CUSTOMERS, tenant: str = "default") -> Document:
    return maker(charges(lines), tenant, "2026-11")(document_id)


@pytest.mark.parametrize("document_id", IDS)
def test_what_was_never_posted_is_not_there(erp: Erp, document_id: str) -> None:
    assert erp.look_up(f"default/{document_id}") is None


@pytest.mark.parametrize("document_id", IDS)
def test_what_was_posted_is_read_back_as_it_was_sent(erp: Erp, document_id: str) -> None:
    sent = document(document_id)
    receipt = erp.post(sent)
    assert (receipt.key, receipt.digest, receipt.balances) == (sent.key, digest(sent), sent.balances())
    assert receipt.reference
    assert erp.look_up(sent.key) == receipt


@pytest.mark.parametrize("document_id", IDS)
def test_another_document_under_the_same_key_is_rejected_and_the_first_stands(erp: Erp, document_id: str) -> None:
    first = erp.post(document(document_id))
    changed = tuple(msgspec.structs.replace(line, amount=line.amount + 1) for line in TWO_CUSTOMERS)
    with pytest.raises(Rejected, match=r"INV|JRN"):
        erp.post(document(document_id, changed))
    assert erp.look_up(first.key) == first


def test_tenants_do_not_share_keys(erp: Erp) -> None:
    ours, theirs = (erp.post(document(IDS[0], tenant=tenant)) for tenant in ("ours", "theirs"))
    assert erp.look_up("ours/INV.2026-11.DE01.acme.EUR") == ours
    assert erp.look_up("theirs/INV.2026-11.DE01.acme.EUR") == theirs
    assert ours.digest != theirs.digest


def test_the_balances_of_an_invoice_are_its_customers(erp: Erp) -> None:
    sent = document("INV.2026-11.DE01.bolt.EUR")
    assert isinstance(sent, Invoice)
    assert erp.post(sent).balances == {("bolt", "EUR"): -50}


def test_the_balances_of_a_journal_are_its_accounts(erp: Erp) -> None:
    assert erp.post(document("JRN.2026-11.KW-1")).balances == {
        ("assets:receivable", "KWD"): 12_345,
        ("revenue:API", "KWD"): -12_345,
    }
