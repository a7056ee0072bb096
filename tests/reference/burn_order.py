"""The order in which credits burn: a declared list of sort keys, read as the cases write them.

"given" keeps the list's order; "FIELD asc|desc [(none last)]" sorts by a field; "kind A<B" and a list of bare words
rank kinds. A missing field comes first, unless the key says "(none last)".
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tests.reference.exactness import Parameters, number

NUMBER = re.compile(r"-?\d+(\.\d+)?")


def in_burn_order(credits_: Sequence[Parameters], order: Sequence[str]) -> list[Parameters]:
    """`credits_` sorted by every key of `order`, the first one strongest; equal ones stay as given."""
    kinds = [key for key in order if " " not in key and key not in {"given", "id"}]
    keys = [key for key in order if key not in kinds] + ([f"kind {'<'.join(kinds)}"] if kinds else [])
    burning = list(credits_)
    for key in reversed(keys):
        burning = _sorted_by(burning, key)
    return burning


def _sorted_by(credits_: list[Parameters], key: str) -> list[Parameters]:
    if key == "given":
        return credits_
    field, _, rule = key.partition(" ")
    if "<" in rule:
        ranks = rule.split("<")
        return sorted(credits_, key=lambda credit: _rank(credit.get(field), ranks))
    none_last, descending = "(none last)" in rule, rule.startswith("desc")
    known = [credit for credit in credits_ if credit.get(field) is not None]
    unknown = [credit for credit in credits_ if credit.get(field) is None]
    known.sort(key=lambda credit: _value(credit, field), reverse=descending)
    return known + unknown if none_last else unknown + known


def _rank(kind: str | None, ranks: Sequence[str]) -> int:
    return ranks.index(kind) if kind in ranks else len(ranks)


def _value(credit: Parameters, field: str) -> Fraction | Any:
    """Numbers sort as numbers; instants are ISO 8601 in UTC and sort as text."""
    value = credit[field]
    return number(value) if NUMBER.fullmatch(value) else value
