"""Decide in block order what each event is: accepted, a duplicate, a conflict, or quarantined.

An identity belongs to the first event that was *accepted* under it. What was quarantined takes none, so that it can
be sent again corrected; a late retry of what was accepted is a duplicate, whatever its time or catalog is by now.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ledger.block import ACCEPTED, CONFLICT, DUPLICATES
from metering.identity import HIGH, LOW, Found, UInt64s


class Content(NamedTuple):
    """What two copies of an event are compared by."""

    type: str
    subject: str
    time: int
    data: str


Pair = tuple[int, int]
"""A row, and the row of this batch (0 or more) or the block (below 0, negated) that took its identity first."""

IsSame = Callable[[list[Pair]], list[bool]]


def decide(
    identity: UInt64s, content: UInt64s, outcome: NDArray[np.int8], found: Found, is_same: IsSame
) -> NDArray[np.int8]:
    """The final outcome of each row; `outcome` says what it would be if its identity were new.

    `found` is what the ledger knows of the identities. Equal content hashes settle a duplicate; `is_same` compares
    the values behind unequal ones.
    """
    decided = outcome.copy()
    decided[found.known] = DUPLICATES
    unequal = np.flatnonzero(found.known & (found.content != content))
    doubtful = [(int(row), -int(found.block[row])) for row in unequal]
    doubtful += _repeats(identity, content, decided, found.known)
    if doubtful:
        for (row, _), same in zip(doubtful, is_same(doubtful), strict=True):
            decided[row] = DUPLICATES if same else CONFLICT
    return decided


def _repeats(identity: UInt64s, content: UInt64s, decided: NDArray[np.int8], known: NDArray[np.bool_]) -> list[Pair]:
    """Mark what repeats an identity this very batch accepts; return the pairs whose content hashes differ."""
    low = identity[:, LOW]
    ordered = np.sort(low)
    if not (ordered[1:] == ordered[:-1]).any():
        return []
    order = np.lexsort((identity[:, HIGH], low))
    alike = (identity[order[1:]] == identity[order[:-1]]).all(axis=1)
    in_group = np.zeros(len(order), dtype=np.bool_)
    in_group[1:] |= alike
    in_group[:-1] |= alike
    doubtful: list[Pair] = []
    first: dict[tuple[int, int], int] = {}
    for row in np.sort(order[in_group]).tolist():
        if known[row]:
            continue
        key = (int(identity[row, LOW]), int(identity[row, HIGH]))
        taken_by = first.get(key)
        if taken_by is None:
            if decided[row] == ACCEPTED:
                first[key] = row
        elif content[row] == content[taken_by]:
            decided[row] = DUPLICATES
        else:
            doubtful.append((row, taken_by))
    return doubtful


def is_same_content(left: Content, right: Content) -> bool:
    """Whether two copies say the same: key order, white space and 1.0 against 1 don't matter."""
    if (left.type, left.subject, left.time) != (right.type, right.subject, right.time):
        return False
    try:
        return _is_same_value(_value(left.data), _value(right.data))
    except RecursionError:
        return False


def _value(data: str) -> Any:
    return json.loads(data, parse_float=Decimal, parse_int=Decimal)


def _is_same_value(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_is_same_value(value, right[key]) for key, value in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_is_same_value, left, right))
    return bool(left == right)
