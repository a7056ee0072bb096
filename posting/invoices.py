"""Group the charges of a run into invoices: one for each entity, customer and currency of a period.

Charges come sorted by these three, so an invoice is a slice of them, and 100,000 invoices are made from columns.
"""

from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.charges import PARTIES, column, starts_of_groups
from posting.charge_columns import exact_sums, joined, line_columns
from posting.content import Invoice, InvoiceLine, text_digest
from posting.names import UnknownDocument


class Drafts(NamedTuple):
    """Columns, one value an invoice, in the order of the charges."""

    id: list[str]
    key: list[str]
    entity: list[str]
    customer: list[str]
    currency: list[str]
    total: list[int]
    lines: list[int]
    events: list[int]


class Invoices:
    """The invoices of one run's charges: the i-th is their slice from `starts[i]` to `starts[i + 1]`."""

    def __init__(self, charges: pa.Table, tenant: str, period: str) -> None:
        in_order = np.array_equal(charges["line"].to_numpy(), np.arange(len(charges)))
        assert in_order, "a run's charges are taken whole, and in order"
        self.charges = charges
        self.tenant = tenant
        self.period = period
        self.starts = np.append(starts_of_groups(charges), len(charges))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def parties(self) -> list[pa.Array]:
        """The entity, the customer and the currency of each, as three columns."""
        return [column(self.charges, name).take(pa.array(self.starts[:-1])).cast(pa.string()) for name in PARTIES]

    @cached_property
    def ids(self) -> pa.Array:
        """The id of each: `names.read_id` reads it back."""
        return joined("INV", self.period, *self.parties, separator=".")

    @cached_property
    def keys(self) -> pa.Array:
        """The key of each: `names.read_key` reads it back."""
        return joined(self.tenant, self.ids, separator="/")

    @cached_property
    def lines(self) -> pa.Table:
        """What the lines of all of them say."""
        return line_columns(self.charges)

    @cached_property
    def places(self) -> dict[str, int]:
        """Which of them an id names."""
        return {document_id: place for place, document_id in enumerate(self.ids.to_pylist())}

    def slice_of(self, document_id: str) -> tuple[int, int]:
        """The rows of the charges that an invoice is made of: from the first to before the second."""
        place = self.places.get(document_id)
        if place is None:
            raise UnknownDocument(f"there is no {document_id}: the run made no charges for it")
        return int(self.starts[place]), int(self.starts[place + 1])

    def invoice(self, document_id: str) -> Invoice:
        """One invoice, with its lines."""
        start, end = self.slice_of(document_id)
        entity, customer, currency = (column[self.places[document_id]].as_py() for column in self.parties)
        return Invoice(
            tenant=self.tenant,
            id=document_id,
            key=self.keys[self.places[document_id]].as_py(),
            period=self.period,
            entity=entity,
            customer=customer,
            currency=currency,
            lines=tuple(
                InvoiceLine(**{**row, "quantity": int(row["quantity"])})
                for row in self.lines.slice(start, end - start).to_pylist()
            ),
        )

    def drafts(self, first: int = 0, last: int | None = None) -> Drafts:
        """What is kept of each of them, or of those from `first` to before `last`."""
        own = slice(first, last)
        bounds = self.starts[first : len(self) + 1 if last is None else last + 1]
        charges = self.charges.slice(bounds[0], bounds[-1] - bounds[0])
        starts = bounds[:-1] - bounds[0]
        entity, customer, currency = (party[own].to_pylist() for party in self.parties)
        return Drafts(
            id=self.ids[own].to_pylist(),
            key=self.keys[own].to_pylist(),
            entity=entity,
            customer=customer,
            currency=currency,
            total=exact_sums(column(charges, "amount").to_numpy(), starts),
            lines=np.diff(bounds).tolist(),
            events=exact_sums(column(charges, "events").to_numpy().astype(np.int64), starts),
        )

    def digests(self) -> list[str]:
        """The digest of each, as `content.digest` has it: each is one slice of one long text."""
        if not len(self):
            return []
        first = np.zeros(len(self.charges), np.bool_)
        first[self.starts[:-1]] = True
        nothing = pa.repeat(pa.scalar("", pa.large_string()), len(self.charges))
        headings = pc.replace_with_mask(nothing, pa.array(first), joined(self.keys, "\n", separator=""))
        lines = joined(*(column(self.lines, name) for name in self.lines.column_names), separator="\t")
        texts = joined(headings, lines, "\n", separator="")
        offsets = np.frombuffer(texts.buffers()[1], np.int64)[self.starts].tolist()
        text = memoryview(texts.buffers()[2])
        return [text_digest(text[start:end]) for start, end in pairwise(offsets)]
