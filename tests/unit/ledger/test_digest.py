"""A digest says what rows hold and in which order, and nothing of how they are laid out in memory."""

from decimal import Decimal

import pyarrow as pa
import pytest

from ledger.block import SCHEMA, chain_after, genesis, mark
from ledger.digest import columns_digest
from tests.place import rows


def digest(table: pa.Table) -> str:
    return columns_digest(table, SCHEMA).hex()


def test_the_layout_of_rows_does_not_matter() -> None:
    plain = rows(0, 50)
    expected = digest(plain)
    chunked = pa.concat_tables([plain.slice(0, 7), plain.slice(7, 0), plain.slice(7, 20), plain.slice(27)])
    encoded = chunked
    for name in ("tenant", "source", "type", "subject", "reason"):
        at = encoded.schema.get_field_index(name)
        encoded = encoded.set_column(at, name, encoded[name].dictionary_encode())
    longer = pa.concat_tables([rows(90, 3), plain, rows(70, 3)]).combine_chunks().slice(3, 50)
    assert {digest(chunked), digest(encoded), digest(longer), digest(plain.combine_chunks())} == {expected}


def test_no_rows_have_a_digest_of_their_own() -> None:
    assert digest(rows(0, 0)) == digest(rows(0, 5).slice(2, 0)) != digest(rows(0, 1))


def test_the_order_of_rows_matters() -> None:
    assert digest(rows(0, 5)) != digest(rows(0, 5).take([1, 0, 2, 3, 4]))


@pytest.mark.parametrize("name", SCHEMA.names)
def test_every_column_matters(name: str) -> None:
    table = rows(0, 4)
    column = table[name].to_pylist()
    other = {
        pa.int8(): 2, pa.string(): "another", pa.int64(): 7, pa.binary(16): bytes(16), pa.uint64(): 99, pa.uint32(): 9,
    }.get(SCHEMA.field(name).type, [Decimal("0.3")] if name == "quantities" else ["x"])  # fmt: skip
    column[2] = other
    at = table.schema.get_field_index(name)
    changed = table.set_column(at, SCHEMA.field(name), pa.array(column, SCHEMA.field(name).type))
    assert digest(changed) != digest(table)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("id", ["ab", "c"], ["a", "bc"]),
        ("id", ["", "a"], ["a", ""]),
        ("dimensions", [["a"], ["b", "c"]], [["a", "b"], ["c"]]),
        ("dimensions", [["ab"], ["c"]], [["a"], ["bc"]]),
        ("dimensions", [[], [""]], [[""], []]),
        ("quantities", [[Decimal(1)], []], [[], [Decimal(1)]]),
    ],
)
def test_where_a_value_ends_matters(name: str, one: list[object], other: list[object]) -> None:
    table = rows(0, 2)
    at = table.schema.get_field_index(name)
    written = [
        digest(table.set_column(at, SCHEMA.field(name), pa.array(column, SCHEMA.field(name).type)))
        for column in (one, other)
    ]
    assert written[0] != written[1]


def test_values_moved_to_another_column_of_the_same_kind_matter() -> None:
    table = rows(0, 3)
    names = ["subject" if name == "id" else "id" if name == "subject" else name for name in SCHEMA.names]
    assert digest(table.rename_columns(names).select(SCHEMA.names)) != digest(table)


def test_a_marker_says_what_its_rows_say_and_its_chain_all_that_came_before() -> None:
    first = mark(genesis("one"), rows(0, 4), 1, 5)
    assert (first.block, first.rows, first.accepted, first.events, first.received) == (1, 4, 4, 4, 5)
    second = mark(first, rows(4, 4), 1, 6)
    elsewhere = mark(mark(genesis("another"), rows(0, 4), 1, 5), rows(4, 4), 1, 6)
    assert second.digest == elsewhere.digest
    assert second.chain != elsewhere.chain
    assert chain_after(first, second) == second.chain
    assert chain_after(genesis("one"), second) != second.chain
