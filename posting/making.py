"""Make the documents of a run again from its charges: the same ones every time, so none of them has to be kept."""

from collections.abc import Callable

import pyarrow as pa

from posting.accounts import STANDARD, Accounts
from posting.content import Document
from posting.invoices import Invoices
from posting.journal import journals


def maker(charges: pa.Table, tenant: str, period: str, accounts: Accounts = STANDARD) -> Callable[[str], Document]:
    """What gives the document of an id; `charges` are all those of its run."""
    invoices = Invoices(charges, tenant, period)
    summaries = {journal.id: journal for journal in journals(charges, tenant, period, accounts)}

    def make(document_id: str) -> Document:
        return summaries[document_id] if document_id in summaries else invoices.invoice(document_id)

    return make
