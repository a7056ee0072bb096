"""Money is written with all the decimals of its currency, and read back exactly or not at all."""

from decimal import Decimal

import pyarrow as pa
import pytest

from posting.money import exact_integer, minor_units, money_text, money_texts


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (12_345, "EUR", "123.45"),
        (5, "EUR", "0.05"),
        (-5, "EUR", "-0.05"),
        (0, "EUR", "0.00"),
        (1_999, "JPY", "1999"),
        (-1, "JPY", "-1"),
        (12_345, "KWD", "12.345"),
        (-7, "KWD", "-0.007"),
        (10**18, "EUR", "10000000000000000.00"),
    ],
)
def test_an_amount_is_written_with_its_currencys_decimals_and_read_back(minor: int, currency: str, text: str) -> None:
    assert money_text(minor, currency) == text
    assert minor_units(text, currency) == minor
    column = pa.array([Decimal(0), Decimal(minor)], pa.decimal128(38, 0))
    assert money_texts(column, currency).to_pylist() == [money_text(0, currency), text]
    assert money_texts(column[1:], currency).to_pylist() == [text]


@pytest.mark.parametrize("text", ["", "1,5", "1e3", "+1", " 1", "1.", ".5", "1.234", "NaN", "١", "1_0", "--1"])
def test_what_is_no_plain_decimal_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number of at most 2 decimals"):
        exact_integer(text, 2)
