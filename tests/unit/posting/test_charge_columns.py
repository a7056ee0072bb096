"""What is taken from the columns of charges stays exact."""

import numpy as np
import pyarrow as pa

from ledger.charges import column, starts_of_groups
from posting.charge_columns import exact_sums, line_columns
from tests.unit.posting.charging import TWO_CUSTOMERS, Charge, charges


def test_a_sum_beyond_64_bits_does_not_wrap() -> None:
    values = np.array([2**63 - 1, 2**63 - 1, -(2**63), -(2**63)], np.int64)
    assert exact_sums(values, np.array([0, 2])) == [2**64 - 2, -(2**64)]


def test_the_least_64_bit_amount_alone_is_summed_exactly() -> None:
    assert exact_sums(np.array([-(2**63)], np.int64), np.array([0])) == [-(2**63)]


def test_a_quantity_is_text_without_an_exponent_however_small_or_large() -> None:
    table = line_columns(charges([Charge(quantity="0.000000001"), Charge(quantity="-1e15", contract="C-2")]))
    assert table["quantity"].cast(pa.string()).to_pylist() == ["1", "-1000000000000000000000000"]


def test_a_slice_of_charges_is_read_from_where_it_begins() -> None:
    table = charges(
        [Charge(contract=f"C-{number}", quantity=str(number), digest=bytes([number] * 16)) for number in range(5)]
    )
    taken = line_columns(table.slice(3))
    assert taken["quantity"].to_pylist() == [3 * 10**9, 4 * 10**9]
    assert taken["usage_digest"].to_pylist() == ["03" * 16, "04" * 16]


def test_chunks_make_no_difference() -> None:
    table = charges(TWO_CUSTOMERS)
    chunked = pa.concat_tables([table.slice(0, 1), table.slice(1, 3), table.slice(4)])
    assert line_columns(chunked).equals(line_columns(table))
    assert starts_of_groups(chunked, ("entity", "customer")).tolist() == [0, 2, 5]


def test_no_charges_have_columns_and_no_groups() -> None:
    table = charges([])
    assert line_columns(table).num_rows == 0
    assert starts_of_groups(table, ("entity",)).tolist() == []
    assert len(column(table, "amount")) == 0
