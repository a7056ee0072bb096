"""An ERP made of files: a journal is an hledger file, an invoice a CSV, and a document's key is its file's name.

    <root>/<tenant>/all.journal                        includes every journal of the tenant
    <root>/<tenant>/<entity>/<period>/<id>.journal
    <root>/<tenant>/<entity>/<period>/<id>.csv

A file is made once, whole, and never replaced; so the name settles who was first, and a look-up that finds nothing
proves at once that nothing was stored.
"""

from pathlib import Path

from ledger.errors import Refused
from posting import invoice_file, journal_file
from posting.content import Document, Invoice, digest
from posting.durable_file import create, read
from posting.erp import OutcomeUnknown, Receipt, Rejected
from posting.names import read_id, read_key

ALL_JOURNALS = b"; Every journal of this tenant: hledger -f all.journal balance\ninclude */*/*.journal\n"


class FileErp:
    """The files below `root`."""

    settle_ms = 0

    def __init__(self, root: Path) -> None:
        self.root = root

    def look_up(self, key: str) -> Receipt | None:
        """What is stored under `key`, if anything is."""
        path = self._path(key)
        content = read(path)
        return None if content is None else _receipt(key, path, content)

    def post(self, document: Document) -> Receipt:
        """Store `document` under its key, unless it is there already, and read it back."""
        path = self._path(document.key)
        if isinstance(document, Invoice):
            made = create(path, invoice_file.render(document))
        else:
            create(self.root / document.tenant / "all.journal", ALL_JOURNALS)
            made = create(path, journal_file.render(document))
        return self._checked(document, path, made=made)

    def _checked(self, document: Document, path: Path, *, made: bool) -> Receipt:
        """The receipt for `document`, if what is stored under its key is what it says."""
        try:
            receipt = self.look_up(document.key)
        except Rejected as refusal:
            if made:
                raise OutcomeUnknown(f"what was written cannot be read back: {refusal}") from refusal
            raise
        if receipt is None:
            raise OutcomeUnknown(f"{path} was written, and is not there")
        if receipt.digest == digest(document) and receipt.balances == document.balances():
            return receipt
        if made:
            raise OutcomeUnknown(f"{path}: what is read back is not what was written")
        raise Rejected(f"{path} holds another document under the key {document.key}")

    def _path(self, key: str) -> Path:
        """Where the document of `key` is; names without slashes keep it below the root."""
        try:
            tenant, document_id = read_key(key)
            name = read_id(document_id)
        except Refused as refusal:
            raise Rejected(f"{key!r} cannot be made a file's name: {refusal}") from refusal
        suffix = "csv" if name.kind == "invoice" else "journal"
        return self.root / tenant / name.entity / name.period / f"{document_id}.{suffix}"


def _receipt(key: str, path: Path, content: bytes) -> Receipt:
    try:
        document = invoice_file.parse(content) if path.suffix == ".csv" else journal_file.parse(content)
    except (ValueError, Refused) as error:
        raise Rejected(f"{path} is not a document of ours, or was changed: {error}") from error
    if document.key != key:
        raise Rejected(f"{path} holds {document.key}")
    return Receipt(key, path.name, digest(document), document.balances(), str(path))
