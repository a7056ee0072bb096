"""Accounts are named so that a plain-text journal takes no product for syntax, and no two products share one."""

from urllib.parse import unquote

import pytest

from ledger.charges import CARRIED, COMMITMENT, CREDIT, DISCOUNT, FEE, KINDS, PROMOTION, TAX, USAGE
from posting.accounts import STANDARD, Accounts, account_part


@pytest.mark.parametrize(
    ("product", "part"),
    [
        ("API", "API"),
        ("Storage, warm (GB)", "Storage, warm %28GB%29"),
        ("Größe 世界", "Größe 世界"),
        ("a:b", "a%3Ab"),
        ("a  b", "a %20b"),
        (" a ", "%20a%20"),
        ("100%", "100%25"),
        ("x; y", "x%3B y"),
        ("a\u00a0b", "a%C2%A0b"),
        ("   ", "%20%20%20"),
    ],
)
def test_what_could_be_taken_for_syntax_is_encoded(product: str, part: str) -> None:
    assert account_part(product) == part
    assert unquote(part) == product


def test_an_account_may_hold_the_product_anywhere() -> None:
    assert STANDARD.account_of(USAGE, "API") == "revenue:API"
    assert Accounts(revenue="income:{product}:usage").account_of(FEE, "{product}") == "income:%7Bproduct%7D:usage"


def test_each_kind_of_charge_goes_to_its_account() -> None:
    assert {kind: STANDARD.account_of(kind, "19 %") for kind in KINDS} == {
        USAGE: "revenue:19 %25",
        FEE: "revenue:19 %25",
        COMMITMENT: "revenue:19 %25",
        DISCOUNT: "revenue:less discounts:19 %25",
        CREDIT: "liabilities:customer credit",
        PROMOTION: "revenue:less credit:promotional",
        CARRIED: "assets:usage carried over",
        TAX: "liabilities:tax payable:19 %25",
    }
