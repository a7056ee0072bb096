"""Approve the documents of a run: from then on each is what its digest says, and may be posted."""

import pyarrow as pa
import sqlalchemy as sa

from posting import documents
from posting.accounts import STANDARD, Accounts
from posting.content import digest
from posting.invoices import Invoices
from posting.journal import journals


def approve(
    connection: sa.Connection, tenant: str, period: str, charges: pa.Table, now_ms: int, accounts: Accounts = STANDARD
) -> int:
    """Let the drafts of a period be posted, as `charges` make them, and return how many that were."""
    drafts = documents.drafts(connection, tenant, period)
    if not drafts:
        return 0
    said = digests(charges, tenant, period, accounts)
    documents.approve(connection, tenant, period, {document_id: said[document_id] for document_id in drafts}, now_ms)
    return len(drafts)


def digests(charges: pa.Table, tenant: str, period: str, accounts: Accounts = STANDARD) -> dict[str, str]:
    """What each document that the charges make says."""
    invoices = Invoices(charges, tenant, period)
    of_journals = {journal.id: digest(journal) for journal in journals(charges, tenant, period, accounts)}
    return dict(zip(invoices.ids.to_pylist(), invoices.digests(), strict=True)) | of_journals
