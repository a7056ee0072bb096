"""What groups of rows come to is what each group comes to alone, and a day finds the step that holds on it."""

from fractions import Fraction
from itertools import accumulate

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rating import groups
from rating.dated import NONE, in_force
from rating.gathered import joined
from rating.ratios import zeros
from rating.rounding import rounded
from tests.property.exact_columns import column, flat, fractions, offset_of, quantities, rounding, rules, signed
from tests.reference.exactness import rounded as rounded_alone

thirds = st.builds(Fraction, st.integers(-(10**20), 10**20), st.sampled_from([1, 3, 7, 31, 10**9, 2**62]))
ragged = st.lists(st.lists(signed(quantities) | thirds, max_size=4), min_size=1, max_size=5)


@given(ragged)
def test_groups_are_added_up_and_compared_each_alone(values: list[list[Fraction]]) -> None:
    offset, rows = offset_of(values), column(flat(values))
    assert fractions(groups.totals(rows, offset)) == [sum(group, Fraction(0)) for group in values]
    assert fractions(groups.highest(rows, offset)) == [max(group, default=Fraction(0)) for group in values]
    running = [list(accumulate(group, initial=Fraction(0)))[:-1] for group in values]
    assert fractions(groups.above(rows, offset)) == flat(running)
    last = [[place == len(group) for place in range(1, len(group) + 1)] for group in values]
    assert groups.closes_group(offset).tolist() == flat(last)


def test_sums_larger_than_any_word_do_not_wrap() -> None:
    values = [[Fraction(2**62)] * 4, [Fraction(-(2**62))] * 5]
    assert fractions(groups.totals(column(flat(values)), offset_of(values))) == [2**64, -5 * 2**62]
    assert fractions(groups.above(column(flat(values)), offset_of(values)))[3] == 3 * 2**62


@given(st.lists(st.lists(signed(quantities) | thirds, max_size=3), max_size=4))
def test_columns_are_joined_as_lists_are(parts: list[list[Fraction]]) -> None:
    assert fractions(joined([zeros(0), *(column(part) for part in parts)])) == flat(parts)


@given(st.lists(st.tuples(signed(quantities) | thirds, rules), min_size=1, max_size=6))
def test_each_amount_is_rounded_by_its_own_rule(rows: list[tuple[Fraction, dict[str, object]]]) -> None:
    values, own = zip(*rows, strict=True)
    assert fractions(rounded(column(values), rounding(own))) == [rounded_alone(*row) for row in rows]


days = st.integers(-5, 30)


@given(st.lists(st.sets(days, max_size=6), min_size=1, max_size=4), st.data())
def test_the_step_in_force_is_the_last_that_has_begun(steps: list[set[int]], data: st.DataObject) -> None:
    own = [sorted(group) for group in steps]
    asked = data.draw(st.lists(st.tuples(st.integers(0, len(own) - 1), days), min_size=1, max_size=8))
    subject, day = (np.array(side, dtype=np.int64) for side in zip(*asked, strict=True))
    offset = offset_of(own)
    found = in_force(np.array(flat(own), dtype=np.int64), offset, subject, day)
    begun = [[place for place, since in enumerate(own[which]) if since <= when] for which, when in asked]
    expected = [offset[which] + places[-1] if places else NONE for (which, _), places in zip(asked, begun, strict=True)]
    assert found.tolist() == expected
