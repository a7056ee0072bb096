"""Say how a customer's credit is spent: which grant burns first, in words, and as columns of a book.

It is the customer's and not a contract's, because all of a customer's contracts draw on the same credit.
"""

from typing import Final, Literal, NamedTuple, get_args

import msgspec
import numpy as np
import pyarrow as pa

from rating import agreements
from rating.credits.burn_order import KIND, SortKey, read_order
from rating.exact import Int64s

Kind = Literal["prepaid", "promotional", "recurring"]
KINDS: tuple[str, ...] = get_args(Kind)
Drawn = Literal["monthly", "daily"]
DRAWN: tuple[str, ...] = get_args(Drawn)
Overage = Literal["invoiced", "carried"]
OVERAGES: tuple[str, ...] = get_args(Overage)
SORTED_BY: Final = ("priority", "expires", "from", KIND, "cost_basis", "amount", "products", "created")
"""What grants can be sorted by, as `credits list` names it. A grant that never expires lacks a day, and one that pays
for everything lacks products."""
USUAL: Final = ("priority asc", "expires asc (none last)", "kind promotional<recurring<prepaid", "from asc")
"""What would be lost first burns first, and among equals what the customer did not pay for."""


class Spending(msgspec.Struct, frozen=True):
    """How a customer's credit is spent."""

    order: tuple[str, ...] = USUAL
    """Sort keys, the first one strongest; what is equal by all of them burns in the order it was granted."""
    drawn: Drawn = "monthly"
    """Whether usage is paid at the end of the month, or at the end of the day that it comes up on."""
    overage: Overage = "invoiced"
    """Whether what credit does not suffice for is due, or is carried over for later credit to pay."""

    @property
    def keys(self) -> tuple[SortKey, ...]:
        """The order as it is sorted by."""
        return read_order(self.order, SORTED_BY)


class Spendings(NamedTuple):
    """Of those customers who agreed something else than what is usual."""

    customer: pa.Array
    terms: list[Spending]
    """The first one is the usual one; few differ."""
    of: Int64s

    def daily(self) -> pa.Array:
        """The customers whose usage is paid day by day."""
        return self._with([one.drawn == "daily" for one in self.terms])

    def carrying(self) -> pa.Array:
        """The customers who carry over what credit does not suffice for."""
        return self._with([one.overage == "carried" for one in self.terms])

    def _with(self, terms: list[bool]) -> pa.Array:
        return self.customer.filter(pa.array(np.array(terms, dtype=np.bool_)[self.of]))


def spendings(customer: pa.Array, said: pa.Array) -> Spendings:
    """What customers said, as text."""
    encoded = said.dictionary_encode()
    terms = [agreements.read(text, Spending) or Spending() for text in encoded.dictionary.to_pylist()]
    return Spendings(customer, [Spending(), *terms], encoded.indices.to_numpy().astype(np.int64) + 1)


def in_words(spending: Spending) -> str:
    """Everything that it says."""
    daily = " day by day" if spending.drawn == "daily" else ""
    carried = ", and what it does not suffice for is carried over" if spending.overage == "carried" else ""
    return f"credit burns{daily} by {', then '.join(spending.order)}{carried}"
