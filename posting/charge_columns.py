"""Take the columns of charges as posting needs them: one array each, text without exponents, sums that cannot wrap."""

import binascii

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ledger.charges import column

Int64s = NDArray[np.int64]

LINE_FIELDS = (
    "contract",
    "plan",
    "product",
    "kind",
    "meter",
    "window_start",
    "window_end",
    "quantity",
    "events",
    "amount",
    "usage_digest",
)
"""What an invoice says of a charge, in this order; the quantity in 10^-9 units, the digest as hexadecimal text."""

INT64_MAX = 2**63 - 1


def line_columns(charges: pa.Table) -> pa.Table:
    """What invoices say of `charges`."""
    derived = {"quantity": _scaled(column(charges, "quantity")), "usage_digest": _hex(column(charges, "digest"))}
    return pa.table({name: derived[name] if name in derived else column(charges, name) for name in LINE_FIELDS})


def exact_sums(values: Int64s, starts: Int64s) -> list[int]:
    """The sums of the slices of `values` that begin at `starts`, whatever their size."""
    if not len(values):
        return []
    largest = max(int(values.max()), -int(values.min()))
    exact = values if largest * len(values) <= INT64_MAX else values.astype(np.object_)
    sums: list[int] = np.add.reduceat(exact, starts).tolist()
    return sums


def joined(*parts: str | pa.Array, separator: str) -> pa.Array:
    """The texts of `parts` row by row; a plain string stands in every row."""
    # Large strings: the text of a few million lines passes the 2 GiB that offsets of 32 bits reach.
    large = [
        pa.scalar(part, pa.large_string()) if isinstance(part, str) else part.cast("large_string") for part in parts
    ]
    return pc.binary_join_element_wise(*large, pa.scalar(separator, pa.large_string()))


def _scaled(quantities: pa.Array) -> pa.Array:
    """Decimals as whole numbers of their last place: the same bytes, read without a scale."""
    buffers = quantities.buffers()
    return pa.Array.from_buffers(pa.decimal128(38, 0), len(quantities), buffers, offset=quantities.offset)


def _hex(digests: pa.Array) -> pa.Array:
    """Fixed-width bytes as hexadecimal text."""
    width = digests.type.byte_width
    first = digests.offset * width
    raw = memoryview(digests.buffers()[1] or b"")[first : first + len(digests) * width]
    offsets = np.arange(len(digests) + 1, dtype=np.int64) * 2 * width
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(binascii.hexlify(raw))]
    return pa.Array.from_buffers(pa.large_string(), len(digests), buffers)
