"""Put the place of a text among the different ones in its stead, looking once at what rows in a row have in common.

A million different texts take a quarter of a second to be hashed and as long to be sorted; that they are in order
already, as the rows of a database are that keeps them by their key, is seen in a hundredth.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rating.exact import Int64s


def encoded(*columns: pa.ChunkedArray) -> tuple[pa.Array, list[Int64s]]:
    """The different texts of some columns, ascending, and where each row's is among them, column by column."""
    runs = [_runs(column) for column in columns]
    first = runs[0].texts
    if all(one.texts.equals(first) for one in runs) and pc.all(pc.less(first[:-1], first[1:]), min_count=0).as_py():
        return first, [one.of for one in runs]
    texts = pa.chunked_array([one.texts for one in runs], pa.string()).combine_chunks().dictionary_encode()
    order = pc.sort_indices(texts.dictionary)
    place = np.empty(len(order), dtype=np.int64)
    place[order.to_numpy()] = np.arange(len(order))
    of_runs = np.split(place[texts.indices.to_numpy()], np.cumsum([len(one.texts) for one in runs])[:-1])
    return texts.dictionary.take(order), [found[one.of] for found, one in zip(of_runs, runs, strict=True)]


def places(texts: pa.Array, among: pa.Array) -> Int64s:
    """Where each of some different texts is among other ones, or -1: only the former are hashed, which may be few."""
    found = pc.index_in(among, value_set=texts)
    place = np.full(len(texts), -1)
    place[found.drop_null().to_numpy()] = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
    return place


def known_places(texts: pa.ChunkedArray, among: pa.Array) -> Int64s:
    """Where each of `texts` is among different ones; all of them are there."""
    different, (code,) = encoded(texts)
    place = places(different, among)
    assert bool((place >= 0).all()), "the catalog names something that is not in it"
    found: Int64s = place[code]
    return found


class _Runs(NamedTuple):
    """Rows with the same text, as far as they follow one another."""

    texts: pa.Array
    of: Int64s
    """Per row: its run."""


def _runs(column: pa.ChunkedArray) -> _Runs:
    texts = column.combine_chunks()
    begins = np.ones(len(texts), dtype=np.bool_)
    begins[1:] = pc.not_equal(texts[1:], texts[:-1]).to_numpy(zero_copy_only=False)
    return _Runs(texts if begins.all() else texts.filter(pa.array(begins)), np.cumsum(begins) - 1)
