"""What customers were charged and would have been: exact, and in an order that no names or periods change."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from rating.differences import Sums, differences, summed

Row = tuple[str, str, int]


def sums(*rows: Row) -> Sums:
    """Of rows in their order, with names in the order in which they come."""
    customer, currency = (pa.array([row[place] for row in rows], pa.string()).dictionary_encode() for place in (0, 1))
    amounts = [row[2] for row in rows]
    is_wide = any(abs(amount) >= 2**63 for amount in amounts)
    return summed(customer, currency, np.array(amounts, dtype=np.object_ if is_wide else np.int64))


def rows_of(columns: Sequence[object]) -> list[tuple[object, ...]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))  # type: ignore[attr-defined]


def test_rows_of_a_customer_and_currency_come_together_wherever_they_are() -> None:
    found = sums(("b", "EUR", 1), ("b", "EUR", 2), ("a", "EUR", 4), ("b", "USD", 8), ("b", "EUR", 16))
    assert rows_of(found) == [("b", "EUR", 19), ("b", "USD", 8), ("a", "EUR", 4)]


def test_periods_with_other_names_are_added_up_the_greatest_change_first() -> None:
    periods = [
        (sums(("c", "EUR", 5), ("a", "EUR", 1)), sums(("a", "EUR", 2), ("c", "EUR", 5))),
        (sums(("a", "USD", 7), ("b", "EUR", 3)), sums(("b", "EUR", 2), ("é", "EUR", -1))),
    ]
    found = differences(periods)
    assert rows_of(found) == [
        ("a", "USD", 7, 0),
        ("a", "EUR", 1, 2),
        ("b", "EUR", 3, 2),
        ("é", "EUR", 0, -1),
        ("c", "EUR", 5, 5),
    ]
    assert found.change.tolist() == [-7, 1, -1, -1, 0]


@pytest.mark.parametrize("amount", [2**62, 2**63, 10**30])
def test_sums_beyond_64_bits_are_exact(amount: int) -> None:
    one = sums(("a", "EUR", amount), ("a", "EUR", amount), ("b", "EUR", 1))
    found = differences([(one, sums(("b", "EUR", 1))), (one, sums())])
    assert rows_of(found) == [("a", "EUR", 4 * amount, 0), ("b", "EUR", 2, 1)]
    assert found.change.tolist() == [-4 * amount, -1]
