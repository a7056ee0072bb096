"""Say what scripts read about invoices and documents, with money and quantities as decimal text."""

from itertools import pairwise
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from ledger.scale import quantity_text
from posting.documents import of_period
from posting.invoices import Invoices
from posting.money import money_text

DOCUMENT_FIELDS = ("id", "kind", "key", "state", "reference", "file", "error")


def invoices(charges: pa.Table, tenant: str, period: str) -> dict[str, Any]:
    """The invoices that `charges` make, with their lines."""
    made = Invoices(charges, tenant, period)
    rows, drafts = made.lines.to_pylist(), made.drafts()
    slices = pairwise(made.starts.tolist())
    parties = zip(drafts.id, drafts.customer, drafts.entity, drafts.currency, drafts.total, slices, strict=True)
    return {
        "invoices": [
            {
                "id": document_id,
                "customer": customer,
                "entity": entity,
                "currency": currency,
                "total": money_text(total, currency),
                "lines": [_line(row, currency) for row in rows[start:end]],
            }
            for document_id, customer, entity, currency, total, (start, end) in parties
        ]
    }


def _line(row: dict[str, Any], currency: str) -> dict[str, Any]:
    return {
        "contract": row["contract"],
        "product": row["product"],
        "kind": row["kind"],
        "meter": row["meter"],
        "quantity": quantity_text(int(row["quantity"])),
        "amount": money_text(row["amount"], currency),
        "events": row["events"],
    }


def documents(connection: sa.Connection, tenant: str, period: str) -> dict[str, Any]:
    """How every document of a period stands."""
    rows = of_period(connection, tenant, period)
    return {"documents": [{name: getattr(row, name) for name in DOCUMENT_FIELDS} for row in rows]}
