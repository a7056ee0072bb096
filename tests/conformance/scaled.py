"""Reads a case's texts into columns: numbers as integers of one scale, instants as milliseconds."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from rating.exact import Exact, narrowed

NUMBER = re.compile(r"-?\d+(\.\d+)?")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_number(value: Any) -> bool:
    """Whether a value is a number written as text."""
    return isinstance(value, str) and NUMBER.fullmatch(value) is not None


def numbers(value: Any) -> Iterator[str]:
    """Every number in a case or a part of one."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from numbers(inner)
    elif is_number(value):
        yield value


def scale_of(value: Any) -> int:
    """The most decimals of any number in it."""
    return max((len(text.partition(".")[2]) for text in numbers(value)), default=0)


def scaled(texts: Sequence[str], scale: int) -> Exact:
    """Numbers as integers of 10^-scale."""
    return narrowed(np.array([int(Fraction(text) * 10**scale) for text in texts], dtype=np.object_))


def milliseconds(text: str) -> int:
    """An instant, or the midnight that begins a date, in UTC."""
    parsed = datetime.fromisoformat(text)
    return ((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)) - EPOCH) // timedelta(milliseconds=1)
