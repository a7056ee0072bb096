"""Grants burn by a declared list of keys; what a grant lacks comes first unless the key says last."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from rating.credits.burn_order import SortKey, burn_order, read_order

FIELDS = {
    "priority": pa.array([2, None, 1, 1]),
    "expires_at": pa.array(["2026-12-01", "2026-11-01", None, "2026-10-01"]),
    "kind": pa.array(["paid", "promotional", None, "paid"]),
}


def burnt(*texts: str, pool: Sequence[int] = (0, 0, 0, 0)) -> list[int]:
    order: list[int] = burn_order(np.array(pool), FIELDS, read_order(texts, list(FIELDS))).tolist()
    return order


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        ("priority asc", [1, 2, 3, 0]),
        ("priority", [1, 2, 3, 0]),
        ("priority asc (none last)", [2, 3, 0, 1]),
        ("priority desc", [1, 0, 2, 3]),
        ("priority desc (none last)", [0, 2, 3, 1]),
        ("kind promotional<paid", [1, 0, 3, 2]),
        ("given", [0, 1, 2, 3]),
        ("colour asc", [0, 1, 2, 3]),
    ],
)
def test_a_key_sorts_and_leaves_equal_grants_as_they_were(key: str, rows: list[int]) -> None:
    assert burnt(key) == rows


def test_the_first_key_is_the_strongest() -> None:
    assert burnt("priority asc (none last)", "expires_at asc") == [2, 3, 0, 1]
    assert burnt("expires_at asc", "priority asc (none last)") == [2, 3, 1, 0]


def test_words_alone_rank_kinds_where_the_first_of_them_stands() -> None:
    assert read_order(["paid", "promotional", "priority asc"], list(FIELDS)) == (
        SortKey("kind", ranked=("paid", "promotional")),
        SortKey("priority"),
    )
    assert burnt("paid", "promotional") == [0, 3, 1, 2]


def test_grants_of_a_pool_stay_together() -> None:
    assert burnt("priority asc", pool=(1, 1, 0, 1)) == [2, 1, 3, 0]


def test_a_key_that_can_not_be_read_says_how_to_write_it() -> None:
    with pytest.raises(ValueError, match="'priority upwards' is not a sort key: write FIELD asc"):
        read_order(["priority upwards"], list(FIELDS))
