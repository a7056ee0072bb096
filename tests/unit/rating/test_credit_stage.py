"""What an invoice takes off is shared out before credit pays, so that credit never pays more than is due."""

import pyarrow as pa

from rating.credit_stage import payable
from rating.invoice_order import placed
from tests.unit.posting.charging import PAID_BY_CREDIT, Charge, charges


def left(*lines: Charge) -> list[int]:
    return payable(charges(lines)).tolist()  # type: ignore[no-any-return]


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


def test_rows_stand_at_the_end_of_their_invoices() -> None:
    of_two = charges([Charge("acme"), Charge("bolt"), Charge("bolt", product="Egress")])
    rows = charges(PAID_BY_CREDIT[:2])
    made, (of_charges, of_rows) = placed(of_two, rows, pa.array([0, 1]).to_numpy())
    assert made["kind"].to_pylist() == ["usage", "credit", "usage", "usage", "promotion"]
    assert made["line"].to_pylist() == [0, 1, 2, 3, 4]
    assert (of_charges.tolist(), of_rows.tolist()) == ([0, 2, 3], [1, 4])
