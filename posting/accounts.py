"""Map what was sold to accounts of the general ledger, in names that any plain-text journal can hold."""

import re
from urllib.parse import quote

import msgspec

SPACES_THAT_END_A_NAME = re.compile("^ | $|(?<= ) ")
PLAIN_MARKS = " &'+,./"
"""Beside letters, digits, `-`, `_` and `~`; any other mark may split a name, end it or begin a comment somewhere."""


class Accounts(msgspec.Struct, frozen=True):
    """The accounts that journals use; `{product}` stands for the product of a line."""

    receivable: str = "assets:receivable"
    revenue: str = "revenue:{product}"

    def revenue_of(self, product: str) -> str:
        """The revenue account of `product`; two products never share one."""
        return self.revenue.replace("{product}", account_part(product))


STANDARD = Accounts()


def account_part(product: str) -> str:
    """`product` as one part of an account's name: percent-encoded where it could be taken for syntax."""
    marks = "".join(mark if mark.isalnum() else quote(mark, safe=PLAIN_MARKS) for mark in product)
    return SPACES_THAT_END_A_NAME.sub("%20", marks)
