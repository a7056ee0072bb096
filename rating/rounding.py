"""Round columns of money, each row by its own rule, and leave them exact where there is none."""

from typing import Any, NamedTuple

import numpy as np

from rating.exact import Int64s, narrowed
from rating.ratios import Ratios, at_scale, products


class Rounding(NamedTuple):
    """To how many decimals and which way; one of each for all rows, or one a row."""

    scale: int | Int64s
    mode: int | Int64s

    def of(self, rows: Any) -> "Rounding":
        """The rules of some of the rows."""
        return Rounding(*(part if isinstance(part, int) else part[rows] for part in self))


def rounded(amounts: Ratios, rule: Rounding | None) -> Ratios:
    """The amounts by their rule, all over one denominator; without a rule they stay exact."""
    if rule is None:
        return amounts
    units = at_scale(amounts, rule.scale, rule.mode)
    finest = max(int(np.max(rule.scale, initial=0)), 0)
    widths, code = np.unique(finest - np.asarray(rule.scale), return_inverse=True)
    factors = narrowed(np.array([10 ** int(width) for width in widths], dtype=np.object_))
    return Ratios(products(units, factors[code.reshape(-1)]), narrowed(np.array([10**finest], dtype=np.object_)))


def rule_of(rule: Rounding | None, rows: Any) -> Rounding | None:
    """The rules of some of the rows, where there are any."""
    return None if rule is None else rule.of(rows)
