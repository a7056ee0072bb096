"""What is put together from parts is what would have been calculated at once."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rating.gathered import Gathered, joined
from rating.ratios import Ratios
from tests.property.test_ratios_law import columns_of, fractions, fractions_of

parts = st.lists(st.tuples(st.lists(fractions, min_size=1, max_size=4), st.booleans()), min_size=1, max_size=4)


@given(parts)
def test_joined_parts_are_their_rows_one_after_another(drawn: list[tuple[list[Fraction], bool]]) -> None:
    found = joined([columns_of(values, common=common) for values, common in drawn])
    assert fractions_of(found) == [value for values, _ in drawn for value in values]


@given(parts)
def test_gathered_parts_lie_where_they_were_put(drawn: list[tuple[list[Fraction], bool]]) -> None:
    rows = sum(len(values) for values, _ in drawn)
    places = np.random.default_rng(rows).permutation(rows + 2)
    gathered, expected, start = Gathered(rows + 2), [Fraction(0)] * (rows + 2), 0
    for values, common in drawn:
        own = places[start : start + len(values)]
        gathered.put(own, columns_of(values, common=common))
        for place, value in zip(own.tolist(), values, strict=True):
            expected[place] = value
        start += len(values)
    assert fractions_of(gathered.column()) == expected


@given(parts)
def test_parts_that_were_written_in_place_lie_there_beside_those_that_were_not(
    drawn: list[tuple[list[Fraction], bool]],
) -> None:
    gathered, expected, start = Gathered(sum(len(values) for values, _ in drawn), all_arrive=True), [], 0
    for values, common in drawn:
        part, places = columns_of(values, common=common), slice(start, start + len(values))
        if part.numerator.dtype == np.int64:
            room = gathered.room(places)
            room[:] = part.numerator
            part = Ratios(room, part.denominator)
        gathered.put(places, part)
        expected += values
        start += len(values)
    assert fractions_of(gathered.column()) == expected
