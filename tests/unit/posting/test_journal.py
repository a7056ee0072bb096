"""A journal balances in each currency, and every charge stands behind one of its lines."""

from posting.journal import journal_lines, journals
from tests.unit.posting.charging import PAID_BY_CREDIT, SETTLED, TWO_CUSTOMERS, Charge, charges


def test_a_journal_debits_receivables_and_credits_revenue_per_product() -> None:
    german, kuwaiti = journals(charges(TWO_CUSTOMERS), "default", "2026-11")
    assert [
        (line.account, line.currency, line.debit, line.credit, line.charges, line.events) for line in german.lines
    ] == [
        ("assets:receivable", "EUR", 1_500, 0, 4, 12),
        ("revenue:API", "EUR", 0, 1_200, 2, 6),
        ("revenue:Egress", "EUR", 0, 300, 2, 6),
        ("assets:receivable", "JPY", 1_999, 0, 1, 3),
        ("revenue:API", "JPY", 0, 1_999, 1, 3),
    ]
    assert [line.number for line in german.lines] == [1, 2, 3, 4, 5]
    assert (kuwaiti.id, kuwaiti.key) == ("JRN.2026-11.KW-1", "default/JRN.2026-11.KW-1")


def test_discounts_are_debited_taxes_are_owed_and_an_account_has_one_line() -> None:
    lines = journal_lines(charges(SETTLED))
    assert [(line.account, line.debit, line.credit, line.charges) for line in lines] == [
        ("assets:receivable", 16_232, 0, 9),
        ("liabilities:tax payable:Levy", 0, 186, 1),
        ("liabilities:tax payable:VAT 19 %25", 0, 2_546, 2),
        ("revenue:API", 0, 7_300, 4),
        ("revenue:Minimum", 0, 6_700, 1),
        ("revenue:less discounts:Launch", 500, 0, 1),
    ]


def test_credit_that_was_paid_for_lowers_a_liability_and_credit_that_was_given_lowers_revenue() -> None:
    (journal, _) = journals(charges([*TWO_CUSTOMERS, *PAID_BY_CREDIT]), "default", "2026-11")
    assert [(line.account, line.debit, line.credit, line.charges, line.events) for line in journal.lines][:5] == [
        ("assets:receivable", 950, 0, 7, 12),
        ("liabilities:customer credit", 400, 0, 1, 0),
        ("revenue:API", 0, 1_200, 2, 6),
        ("revenue:Egress", 0, 300, 2, 6),
        ("revenue:less credit:promotional", 150, 0, 2, 0),
    ]


def test_a_total_below_zero_changes_sides() -> None:
    lines = journal_lines(charges([Charge(amount=-700), Charge(amount=200, product="Egress")]))
    assert [(line.account, line.debit, line.credit) for line in lines] == [
        ("assets:receivable", 0, 500),
        ("revenue:API", 700, 0),
        ("revenue:Egress", 0, 200),
    ]


def test_a_product_that_comes_to_nothing_keeps_its_line() -> None:
    lines = journal_lines(charges([Charge(amount=0)]))
    assert [(line.debit, line.credit, line.events) for line in lines] == [(0, 0, 3), (0, 0, 3)]


def test_products_are_ordered_by_name_whatever_the_order_of_customers() -> None:
    lines = journal_lines(charges([Charge("a", product="Zebra"), Charge("b", product="Ant"), Charge("c", product="a")]))
    assert [line.account for line in lines] == ["assets:receivable", "revenue:Ant", "revenue:Zebra", "revenue:a"]


def test_sums_beyond_64_bits_balance() -> None:
    lines = journal_lines(charges([Charge("a", 2**63 - 1), Charge("b", 2**63 - 1)]))
    assert [(line.debit, line.credit) for line in lines] == [(2**64 - 2, 0), (0, 2**64 - 2)]


def test_no_charges_make_no_journal() -> None:
    assert journals(charges([]), "default", "2026-11") == []
