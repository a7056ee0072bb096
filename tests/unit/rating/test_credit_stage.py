"""What an invoice takes off is shared out before credit pays, so that credit never pays more than is due."""

import numpy as np
import pyarrow as pa

from ledger.charges import DISCOUNT, TAX, starts_of_groups
from rating.credit_stage import payable
from rating.made import in_order
from tests.unit.posting.charging import PAID_BY_CREDIT, SETTLED, Charge, charges, made


def left(*lines: Charge) -> list[int]:
    found = charges(lines)
    return payable(found, np.append(starts_of_groups(found), len(found))).tolist()  # type: ignore[no-any-return]


def test_what_is_taken_off_lowers_every_charge_of_its_invoice_in_proportion() -> None:
    assert left(Charge(amount=100, product="A"), Charge(amount=300, product="B"), Charge(amount=-40, product="C")) == [
        90,
        270,
        0,
    ]


def test_what_rounding_leaves_over_is_in_one_of_them() -> None:
    off = Charge(amount=-1, product="D")
    assert sum(left(*(Charge(amount=1, product=name) for name in "ABC"), off)) == 2


def test_an_invoice_never_lowers_another_one() -> None:
    assert left(Charge("acme", -500), Charge("bolt", 200)) == [0, 200]
    assert left(Charge("acme", 100, "A"), Charge("acme", -500, "B"), Charge("bolt", 200)) == [0, 0, 200]


def test_sums_beyond_64_bits_are_shared_out_exactly() -> None:
    most = 2**62
    assert left(
        Charge(amount=most, product="A"), Charge(amount=most, product="B"), Charge(amount=-most, product="C")
    ) == [
        most // 2,
        most // 2,
        0,
    ]


def test_taxes_are_not_paid_and_take_nothing_off() -> None:
    assert left(Charge(amount=100), made(DISCOUNT, -40, "Launch"), made(TAX, 12, "VAT")) == [60, 0, 0]
    assert left(Charge(amount=100), made(TAX, -12, "VAT")) == [100, 0]


def test_an_invoice_begins_where_its_party_or_its_currency_changes() -> None:
    two = charges([*SETTLED, Charge("acme", currency="USD"), Charge("acme", entity="KW-1")])
    assert starts_of_groups(two).tolist() == [0, 7, 8, 10]
    assert starts_of_groups(two.slice(0, 0)).tolist() == []


def test_rows_of_credit_stand_on_their_invoices_before_the_taxes() -> None:
    settled = charges(SETTLED)
    rows = charges([*PAID_BY_CREDIT, made(PAID_BY_CREDIT[0].kind, -7, "Top-up", customer="bolt")])
    assert rows["customer"].to_pylist() == ["acme", "acme", "acme", "bolt"]
    both = pa.concat_tables([settled, rows])
    ordered, order = in_order(both, np.array([0] * 7 + [1] * 2 + [0, 0, 0, 1]))
    assert [kind for kind in ordered["kind"].to_pylist() if kind not in ("usage", "fee")] == [
        *("commitment", "discount", "credit", "promotion", "promotion", "tax", "tax"),
        *("credit", "tax"),
    ]
    assert order.tolist() == [0, 1, 2, 3, 4, 9, 10, 11, 5, 6, 7, 12, 8]
    assert ordered["line"].to_pylist() == list(range(13))
    assert ordered.drop_columns("line") == both.drop_columns("line").take(order)
