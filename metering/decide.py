"""Decide in block order what each event is: accepted, a duplicate, a conflict, or quarantined.

An identity belongs to the first event that was *accepted* under it. What was quarantined takes none, so that it can
be sent again corrected; a late retry of what was accepted is a duplicate, whatever its time or catalog is by now.
"""

import contextlib
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ledger.block import ACCEPTED, CONFLICT, DUPLICATES
from metering.identity import HIGH, LOW, Found
from metering.siphash import UInt64s


class Content(NamedTuple):
    """What two copies of an event are compared by."""

    type: str
    subject: str
    time: int
    data: str


EXPONENT_DIGITS_MAX = 4_000
"""An exponent longer than this is more than int() takes: such numbers are the same when they are written the same."""


class _Number(NamedTuple):
    """A JSON number: its digits without zeros around them, times a power of ten."""

    negative: bool
    digits: str
    power: int


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
    # Most of what is sent again differs in key order and white space alone. Numbers as they are written, and as
    # bytes to tell them from strings, settle that at a tenth of the cost.
    with contextlib.suppress(RecursionError):
        if _value(left.data, str.encode) == _value(right.data, str.encode):
            return True
    try:
        return _is_same_value(_value(left.data, _number), _value(right.data, _number))
    except RecursionError:
        return False


def _value(data: str, number: Callable[[str], Any]) -> Any:
    return json.loads(data, parse_float=number, parse_int=number)


def _number(text: str) -> _Number:
    """What `text` is worth. No Decimal: it has bounds, and a number beyond them must not stop the writer."""
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return _Number(False, "", 0)
    if len(exponent) > EXPONENT_DIGITS_MAX:
        return _Number(mantissa.startswith("-"), text, 0)
    significant = digits.rstrip("0")
    power = int(exponent or "0") - len(fraction) + len(digits) - len(significant)
    return _Number(mantissa.startswith("-"), significant, power)


def _is_same_value(left: Any, right: Any) -> bool:
    """Not by recursion: two frames a level would end at half the depth that decoding allows."""
    pending = [(left, right)]
    while pending:
        one, other = pending.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, dict):
            if one.keys() != other.keys():
                return False
            pending += [(value, other[key]) for key, value in one.items()]
        elif isinstance(one, list):
            if len(one) != len(other):
                return False
            pending += zip(one, other, strict=True)
        elif one != other:
            return False
    return True
