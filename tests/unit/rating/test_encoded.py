"""Texts are told apart and put in order, whatever order they come in."""

import numpy as np
import pyarrow as pa
import pytest

from rating.encoded import encoded, known_places, places

COLUMNS = [
    [["a", "b", "c"], ["a", "b", "c"]],
    [["a", "a", "b"], ["a", "b", "b"]],
    [["b", "a", "b"], ["b", "a"]],
    [["a", "b"], ["b", "c"]],
    [["Zeta", "alpha", "Ä", "", "alpha"], [], ["", "Ä"]],
    [[], []],
]


def column(texts: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array([texts[:1], texts[1:]], pa.string())


@pytest.mark.parametrize("columns", COLUMNS)
def test_columns_are_places_among_their_different_texts_in_order(columns: list[list[str]]) -> None:
    different, found = encoded(*(column(texts) for texts in columns))
    assert different.to_pylist() == sorted({text for texts in columns for text in texts})
    assert [[different[place].as_py() for place in places.tolist()] for places in found] == columns


def test_texts_are_found_among_others_in_any_order() -> None:
    assert places(pa.array(["c", "x", "a"]), pa.array(["b", "c", "a"])).tolist() == [1, -1, 2]
    assert places(pa.array([], pa.string()), pa.array(["b"])).tolist() == []
    assert known_places(column(["c", "a", "c"]), pa.array(["b", "c", "a"])).tolist() == [1, 2, 1]


def test_a_text_that_is_not_known_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="names something"):
        known_places(column(["x"]), pa.array(["a"]))
    assert known_places(column([]), pa.array([], pa.string())).dtype == np.int64
