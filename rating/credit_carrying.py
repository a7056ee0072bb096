"""Carry over what credit does not suffice for: off one invoice, and onto the next one, where credit pays it first.

A run carries over all that it leaves open, so what it finds is what the run before it says. Each product keeps a line
of its own: a grant that is limited to a product pays what is carried over of that product alone.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.charges import CARRIED, SCHEMA
from rating.exact import Int64s
from rating.made import in_order
from rating.match import plain
from rating.ratios import Bools


def left_open(charges: pa.Table) -> pa.Table:
    """The charges of a run that carry something over."""
    return charges.filter(pc.and_(pc.equal(charges["kind"], CARRIED), pc.less(charges["amount"], 0)))


def brought(earlier: pa.Table, charges: pa.Table, start: int, end: int) -> pa.Table:
    """The charges of a month, with what was left open above zero among them; an invoice may be of nothing else."""
    count = len(earlier)
    if not count:
        return charges
    changed = {
        "run": np.zeros(count, dtype=np.uint64),
        "window_start": np.full(count, start),
        "window_end": np.full(count, end),
        "exact_numerator": pc.negate(earlier["exact_numerator"]),
        "amount": pc.negate(earlier["amount"]),
    }
    columns = {name: changed.get(name, earlier[name]) for name in SCHEMA.names}
    back = pa.table([columns[field.name] for field in SCHEMA], schema=SCHEMA)
    together = pa.concat_tables([charges, back])
    parties = (plain(together[name].combine_chunks()) for name in ("entity", "customer", "currency"))
    ranks = np.stack([np.array(pc.rank(party, tiebreaker="dense"), dtype=np.int64) for party in parties])
    _, invoice = np.unique(ranks, axis=1, return_inverse=True)
    return in_order(together, invoice.reshape(-1))[0]


def is_brought(charges: pa.Table) -> Bools:
    """Which charges come back from an earlier month."""
    found: Bools = pc.equal(charges["kind"], CARRIED).to_numpy()
    return found


def open_by_product(charges: pa.Table, row: Int64s, invoice: Int64s) -> tuple[Int64s, Int64s]:
    """By invoice and name of product the first of the open rows, and for each row which of them is its product's."""
    names = plain(charges["product"].combine_chunks().take(pa.array(row)))
    product = np.array(pc.rank(names, tiebreaker="dense"), dtype=np.int64)
    key = invoice * (len(row) + 1) + product
    _, first, own = np.unique(key, return_index=True, return_inverse=True)
    return row[first], own.reshape(-1)
