"""Map what was charged to accounts of the general ledger, in names that any plain-text journal can hold."""

import re
from urllib.parse import quote

import msgspec

from ledger.charges import CARRIED, CREDIT, DISCOUNT, PROMOTION, TAX

SPACES_THAT_END_A_NAME = re.compile("^ | $|(?<= ) ")
PLAIN_MARKS = " &'+,./"
"""Beside letters, digits, `-`, `_` and `~`; any other mark may split a name, end it or begin a comment somewhere."""


class Accounts(msgspec.Struct, frozen=True):
    """The accounts that journals use; `{product}` stands for a product, or the name of a discount or tax."""

    receivable: str = "assets:receivable"
    revenue: str = "revenue:{product}"
    discount: str = "revenue:less discounts:{product}"
    """Contra-revenue: debited with what was taken off."""
    tax: str = "liabilities:tax payable:{product}"
    credit: str = "liabilities:customer credit"
    """What customers have paid ahead and not used yet; grants have too many names for accounts of their own."""
    promotion: str = "revenue:less credit:promotional"
    """Contra-revenue: debited with what was given away; no product's account has a second colon."""
    carried: str = "assets:usage carried over"
    """What later credit pays for: debited by the invoice that carries it over, credited by the one it comes back on."""

    def account_of(self, kind: str, product: str) -> str:
        """The account of what charges of a kind and product come to; two products never share one."""
        patterns = {
            DISCOUNT: self.discount,
            TAX: self.tax,
            CREDIT: self.credit,
            PROMOTION: self.promotion,
            CARRIED: self.carried,
        }
        return patterns.get(kind, self.revenue).replace("{product}", account_part(product))


STANDARD = Accounts()


def account_part(product: str) -> str:
    """`product` as one part of an account's name: percent-encoded where it could be taken for syntax."""
    marks = "".join(mark if mark.isalnum() else quote(mark, safe=PLAIN_MARKS) for mark in product)
    return SPACES_THAT_END_A_NAME.sub("%20", marks)
