"""Hash columns so that the same rows give the same 32 bytes wherever they come from.

Each column is hashed by its values alone, never by how they were chunked, encoded or compressed on the way.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def columns_digest(rows: pa.Table, schema: pa.Schema) -> bytes:
    """A digest of the columns of `schema` in `rows`, in their order, whatever their encoding or chunking."""
    total = hashlib.blake2b(digest_size=32)
    # Hashing holds no lock: two columns take the time of one.
    with ThreadPoolExecutor(2) as hashing:
        for digest in hashing.map(lambda field: _column_digest(rows[field.name], field), schema):
            total.update(digest)
    return total.digest()


def _column_digest(values: pa.ChunkedArray, field: pa.Field) -> bytes:
    column = values.combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # no rows: nothing to combine
        column = pa.array([], field.type)
    if column.type != field.type:
        column = column.cast(field.type)
    of_column = hashlib.blake2b(field.name.encode(), digest_size=32)
    for part in _parts(column):
        of_column.update(part)
    return of_column.digest()


def _parts(column: pa.Array) -> list[bytes | pa.Buffer]:
    """The bytes that stand for `column`: lengths first where they vary, then the values, all little-endian."""
    if pa.types.is_dictionary(column.type):
        return _label_parts(column)
    if pa.types.is_list(column.type):
        lengths = pc.list_value_length(column).cast(pa.uint32())
        return [*_parts(lengths), *_parts(column.flatten())]
    if pa.types.is_string(column.type):
        lengths = pc.binary_length(column).cast(pa.uint32())
        offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)[column.offset : column.offset + len(column) + 1]
        if not len(column):
            return [b""]
        values = column.buffers()[2]
        text = values.slice(int(offsets[0]), int(offsets[-1] - offsets[0])) if values is not None else b""
        return [*_parts(lengths), text]
    width = column.type.bit_width // 8
    return [column.buffers()[1].slice(column.offset * width, len(column) * width)] if len(column) else [b""]


def _label_parts(column: pa.DictionaryArray) -> list[bytes | pa.Buffer]:
    """The different values in order, then the place of each row's among them, in as many bytes as it takes."""
    codes = column.indices.to_numpy()
    used = column.dictionary.take(pa.array(np.flatnonzero(np.bincount(codes))))
    different = pc.unique(used)
    different = different.take(pc.sort_indices(different))
    place = pc.fill_null(pc.index_in(column.dictionary, value_set=different), 0).to_numpy()
    narrow = place.astype(np.min_scalar_type(len(different)))
    return [*_parts(different), narrow[codes].tobytes()]
