"""Share an amount out over the lines it belongs to: in proportion, and what rounding leaves over to the last line."""

import numpy as np

from rating.exact import Int64s
from rating.groups import closes_group, group_of, totals
from rating.ratios import Ratios, constant, minus, over, taken, times, where
from rating.rounding import Rounding, rounded, rule_of


def shared_out(shared: Ratios, lines: Ratios, offset: Int64s, rule: Rounding | None) -> Ratios:
    """Each line's part of its group's amount; the rule's rows are the groups. Lines that add up to zero have none."""
    own = group_of(offset)
    together = totals(lines, offset)
    has_parts = np.broadcast_to(together.numerator != 0, (len(offset) - 1,))
    share = over(lines, taken(where(has_parts, together, constant(1)), own))
    in_proportion = rounded(times(taken(shared, own), share), rule_of(rule, own))
    closes = closes_group(offset)
    rest = minus(shared, totals(where(closes, constant(0), in_proportion), offset))
    return where(has_parts[own], where(closes, taken(rest, own), in_proportion), constant(0))
