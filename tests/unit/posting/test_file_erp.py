"""Files are made once, whole, and read back; the disk's failures are told apart by what may have been stored."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from posting.content import Document
from posting.erp import OutcomeUnknown, Rejected, Unavailable
from posting.file_erp import FileErp
from posting.making import maker
from tests.unit.posting.charging import TWO_CUSTOMERS, Charge, charges

INVOICE = "INV.2026-11.DE01.acme.EUR"
JOURNAL = "JRN.2026-11.DE01"


def document(document_id: str, lines: tuple[Charge, ...] = TWO_CUSTOMERS) -> Document:
    return maker(charges(lines), "default", "2026-11")(document_id)


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_documents_are_laid_out_by_tenant_entity_and_period(tmp_path: Path) -> None:
    erp = FileErp(tmp_path)
    receipts = [erp.post(document(document_id)) for document_id in (INVOICE, JOURNAL)]
    assert files(tmp_path) == [
        "default/DE01/2026-11/INV.2026-11.DE01.acme.EUR.csv",
        "default/DE01/2026-11/JRN.2026-11.DE01.journal",
        "default/all.journal",
    ]
    assert [receipt.file for receipt in receipts] == [str(tmp_path / name) for name in files(tmp_path)[:2]]


def test_posting_again_leaves_the_file_alone(tmp_path: Path) -> None:
    erp = FileErp(tmp_path)
    receipt = erp.post(document(INVOICE))
    assert receipt.file is not None
    before = Path(receipt.file).stat()
    assert erp.post(document(INVOICE)) == receipt
    assert Path(receipt.file).stat() == before


@pytest.mark.parametrize(
    ("document_id", "old", "new"),
    [
        (INVOICE, "12.50", "12.51"),
        (INVOICE, "API", "APJ"),
        (INVOICE, "# total,15.50", "# total,15.51"),
        (INVOICE, "\n", "\n\n"),
        (INVOICE, "# digest,", "# digest,0"),
        (JOURNAL, "EUR 15.00", "EUR 15.01"),
        (JOURNAL, "revenue:API  ", "revenue:APJ  "),
        (JOURNAL, "events:6", "events:7"),
        (JOURNAL, "2026-11-30", "2026-12-31"),
        (JOURNAL, "\n", "\n\n"),
    ],
)
def test_a_file_that_was_changed_is_no_receipt(tmp_path: Path, document_id: str, old: str, new: str) -> None:
    erp = FileErp(tmp_path)
    receipt = erp.post(document(document_id))
    assert receipt.file is not None
    path = Path(receipt.file)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(Rejected, match=path.name):
        erp.look_up(receipt.key)
    with pytest.raises(Rejected, match=path.name):
        erp.post(document(document_id))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"; key: default/JRN.2026-11.DE01\n", b'"', b"# key,x\n" * 4])
@pytest.mark.parametrize("document_id", [INVOICE, JOURNAL])
def test_a_file_that_is_not_ours_is_told_and_kept(tmp_path: Path, document_id: str, content: bytes) -> None:
    erp = FileErp(tmp_path)
    name = f"{document_id}.{'csv' if document_id == INVOICE else 'journal'}"
    path = tmp_path / "default" / "DE01" / "2026-11" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(Rejected, match="not a document of ours"):
        erp.post(document(document_id))
    assert path.read_bytes() == content


def test_a_journal_under_another_journals_name_is_told(tmp_path: Path) -> None:
    erp = FileErp(tmp_path)
    receipt = erp.post(document(JOURNAL))
    assert receipt.file is not None
    Path(receipt.file).rename(tmp_path / "default" / "DE01" / "2026-11" / "JRN.2026-10.DE01.journal")
    (tmp_path / "default" / "DE01" / "2026-10").mkdir()
    (tmp_path / "default" / "DE01" / "2026-11" / "JRN.2026-10.DE01.journal").rename(
        tmp_path / "default" / "DE01" / "2026-10" / "JRN.2026-10.DE01.journal"
    )
    with pytest.raises(Rejected, match=r"holds default/JRN\.2026-11\.DE01"):
        erp.look_up("default/JRN.2026-10.DE01")


@pytest.mark.parametrize("key", ["../x/JRN.2026-11.DE01", "/JRN.2026-11.DE01", "default/../JRN.2026-11.DE01"])
def test_no_key_leads_out_of_the_root(tmp_path: Path, key: str) -> None:
    with pytest.raises(Rejected, match="cannot be made a file's name"):
        FileErp(tmp_path / "erp").look_up(key)


def test_what_a_killed_write_left_is_not_in_the_way(tmp_path: Path) -> None:
    erp = FileErp(tmp_path)
    directory = tmp_path / "default" / "DE01" / "2026-11"
    directory.mkdir(parents=True)
    (directory / f".{INVOICE}.csv.{os.getpid()}.tmp").write_text("half a fi")
    erp.post(document(INVOICE))
    assert [path.name for path in directory.iterdir()] == [f"{INVOICE}.csv"]


def failing(code: int, when: Callable[..., bool] = lambda *_: True) -> Callable[..., Any]:
    """A system call that fails with `code`."""

    def call(*arguments: Any) -> None:
        if when(*arguments):
            raise OSError(code, os.strerror(code))

    return call


def of_directory(descriptor: int) -> bool:
    return Path(f"/proc/self/fd/{descriptor}").resolve().is_dir()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_disk_that_fails_before_the_name_is_given_stored_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    erp = FileErp(tmp_path)
    erp.post(document("INV.2026-11.DE01.bolt.EUR"))  # the directories are there
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing(code))
        with pytest.raises(Unavailable, match=INVOICE):
            erp.post(document(INVOICE))
    assert len(files(tmp_path)) == 1
    assert erp.look_up(f"default/{INVOICE}") is None
    assert erp.post(document(INVOICE)).reference == f"{INVOICE}.csv"


@pytest.mark.parametrize(
    ("code", "kind"), [(errno.ENOSPC, Unavailable), (errno.EROFS, Unavailable), (errno.EIO, OutcomeUnknown)]
)
def test_a_name_that_cannot_be_given_is_in_doubt_only_when_the_disk_itself_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception]
) -> None:
    erp = FileErp(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "link", failing(code))
        with pytest.raises(kind, match=INVOICE):
            erp.post(document(INVOICE))
    assert files(tmp_path) == []


def test_a_name_that_may_not_be_on_the_disk_is_in_doubt_and_settled_by_a_look_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp = FileErp(tmp_path)
    erp.post(document("INV.2026-11.DE01.bolt.EUR"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing(errno.EIO, of_directory))
        with pytest.raises(OutcomeUnknown, match="may not be on the disk"):
            erp.post(document(INVOICE))
    found = erp.look_up(f"default/{INVOICE}")
    assert found is not None
    assert erp.post(document(INVOICE)) == found


def test_a_write_that_the_disk_changed_is_in_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    erp = FileErp(tmp_path)
    read_bytes = Path.read_bytes
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", lambda path: read_bytes(path).replace(b"12.50", b"12.60"))
        with pytest.raises(OutcomeUnknown, match="cannot be read back"):
            erp.post(document(INVOICE))


def test_a_file_that_cannot_be_read_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    erp = FileErp(tmp_path)
    erp.post(document(INVOICE))
    monkeypatch.setattr(Path, "read_bytes", failing(errno.EIO))
    with pytest.raises(Unavailable, match="cannot be read"):
        erp.look_up(f"default/{INVOICE}")
