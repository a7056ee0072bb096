"""Decide which grant burns first: a declared list of sort keys, the first one strongest.

A key is written "FIELD asc", "FIELD desc" or "FIELD", and sorts by the values of that field; a grant that lacks the
field comes first, or last with "(none last)". "FIELD a<b<c" ranks the field's words, all others last. Words alone, such
as "prepaid" and "usage_based", rank the grants' kinds in the order of the list. "given" keeps the order that grants
have so far, which is what equal ones always do.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rating.exact import Int64s

GIVEN: Final = "given"
KIND: Final = "kind"
_KEY = re.compile(r"(\w+)(?: (asc|desc))?( \(none last\))?")
_RANKING = re.compile(r"(\w+) ([^<\s]+(?:<[^<\s]+)+)")


class SortKey(msgspec.Struct, frozen=True):
    field: str
    is_descending: bool = False
    is_missing_last: bool = False
    ranked: tuple[str, ...] = ()
    """The field's words, first burnt first; none where the field's own values sort."""


def read_order(texts: Sequence[str], fields: Sequence[str]) -> tuple[SortKey, ...]:
    """The keys of a contract's list; a word that is none of `fields` is a kind."""
    kinds = tuple(text for text in texts if text.isidentifier() and text != GIVEN and text not in fields)
    keys = [_read(text, kinds if text in kinds else ()) for text in texts if text != GIVEN]
    return tuple(dict.fromkeys(keys))


def _read(text: str, kinds: tuple[str, ...]) -> SortKey:
    if kinds:
        return SortKey(KIND, ranked=kinds)
    if ranking := _RANKING.fullmatch(text):
        return SortKey(ranking[1], ranked=tuple(ranking[2].split("<")))
    if key := _KEY.fullmatch(text):
        return SortKey(key[1], key[2] == "desc", key[3] is not None)
    raise ValueError(f"{text!r} is not a sort key: write FIELD asc, FIELD desc (none last), or FIELD a<b")


def burn_order(pool: Int64s, fields: Mapping[str, pa.Array], keys: Sequence[SortKey]) -> Int64s:
    """The rows of grants, pool after pool, in the order they burn; `fields` hold a value a grant, or null."""
    codes = [_code(fields[key.field], key) for key in keys if key.field in fields]
    return np.lexsort((*reversed(codes), pool))


def _code(values: pa.Array, key: SortKey) -> Int64s:
    """Integers that sort as the key does."""
    if key.ranked:
        place = pc.index_in(values, pa.array(key.ranked, values.type))
        return np.asarray(pc.fill_null(place, len(key.ranked)), dtype=np.int64)
    direction = "descending" if key.is_descending else "ascending"
    # Ranks count from one, and those of missing values are the last.
    rank = np.array(pc.rank(values, sort_keys=direction, tiebreaker="dense"), dtype=np.int64)
    if not key.is_missing_last:
        rank[np.asarray(pc.is_null(values), dtype=np.bool_)] = 0
    return rank
