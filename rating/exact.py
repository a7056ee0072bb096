"""Hold quantities and amounts as columns of exact integers, narrow where that is proven and wide where it is not.

A column is int64 (narrow) or an object array of Python's own integers (wide). numpy wraps int64 silently, so nothing
is added or multiplied here before its largest possible result is known to fit.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ledger.scale import decimal_integers

Int64s = NDArray[np.int64]
Exact = NDArray[Any]
"""int64 or Python's integers: the same arithmetic works on both."""

INT64_MAX = 2**63 - 1
NARROW_MAX = 2**62
"""Proofs aim here: half of int64 is left for the addend of a rounding."""

_DECIMAL_BYTES = {pa.decimal128: 16, pa.decimal256: 32}
_HALF_WORD = 32


def largest(column: Exact) -> int:
    """The largest magnitude in `column`."""
    return max(abs(int(column.max())), abs(int(column.min()))) if len(column) else 0


def narrowed(column: Exact) -> Exact:
    """`column` as int64 if every value fits."""
    if column.dtype == np.int64 or largest(column) > INT64_MAX:
        return column
    return column.astype(np.int64)


def group_sums(column: Exact, starts: Int64s) -> Exact:
    """The sums of the groups of `column` that begin at `starts`."""
    if len(column) <= len(starts):  # a row each, as most lines are of one stretch and subject, or none at all
        return narrowed(column)
    if column.dtype == np.int64 and largest(column) * len(column) > INT64_MAX:
        column = column.astype(np.object_)
    sums: Exact = np.add.reduceat(column, starts)
    return narrowed(sums)


def total(column: Exact) -> int:
    """The sum of `column`."""
    if column.dtype == np.object_:
        return sum(column.tolist())
    # Halves of the words cannot wrap below 2^31 rows.
    low = int((column & (2**_HALF_WORD - 1)).sum())
    return (int((column >> _HALF_WORD).sum()) << _HALF_WORD) + low


def decimals(column: Exact, precision: int, scale: int) -> pa.Array:
    """`column` as an Arrow decimal of `scale` decimals: 128 bits up to 38 digits, 256 beyond."""
    kind = pa.decimal128 if precision <= 38 else pa.decimal256
    width = _DECIMAL_BYTES[kind]
    if column.dtype == np.int64:
        sign = column >> 63
        words = np.stack([column, *[sign] * (width // 8 - 1)], axis=1).tobytes()
    else:
        words = b"".join([int(value).to_bytes(width, "little", signed=True) for value in column.tolist()])
    return pa.Array.from_buffers(kind(precision, scale), len(column), [None, pa.py_buffer(words)])


def from_decimals(column: pa.ChunkedArray) -> Exact:
    """The integers behind a column of 128-bit decimals."""
    if not len(column):
        return np.zeros(0, dtype=np.int64)
    whole = column.combine_chunks()
    return decimal_integers(whole.buffers()[1].slice(whole.offset * 16, len(whole) * 16))


def scaled_text(value: int, scale: int, decimals_min: int) -> str:
    """`value` of 10^-scale units as a plain decimal, without trailing zeros beyond `decimals_min`."""
    whole, fraction = divmod(abs(value), 10**scale)
    kept = f"{fraction:0{scale}d}" if scale else ""
    while len(kept) > decimals_min and kept.endswith("0"):
        kept = kept[:-1]
    return f"{'-' if value < 0 else ''}{whole}{'.' if kept else ''}{kept}"
