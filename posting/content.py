"""Say what a document says: its lines, and the digest that is approved, posted, looked up and read back.

The digest is over text: the key, then one line a line, fields separated by tabs. No field holds a control character
(names by their grammar, products by the catalog), so two documents never share a text. It leaves out the run: a run
repeated makes the same documents.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from posting.money import money_text


class InvoiceLine(msgspec.Struct, frozen=True):
    """One charge: `quantity` in 10^-9 units, `amount` in minor units, windows in UTC milliseconds."""

    contract: str
    plan: str
    product: str
    kind: str
    meter: str
    window_start: int
    window_end: int
    quantity: int
    events: int
    amount: int
    usage_digest: str

    def text(self) -> str:
        """What the digest sees; `Invoices.digests` makes the same from columns."""
        return "\t".join(str(getattr(self, field)) for field in self.__struct_fields__)


class Invoice(msgspec.Struct, frozen=True):
    """What one customer owes in one currency for one period."""

    tenant: str
    id: str
    key: str
    period: str
    entity: str
    customer: str
    currency: str
    lines: tuple[InvoiceLine, ...]

    @property
    def total(self) -> int:
        """Minor units of the currency."""
        return sum(line.amount for line in self.lines)

    def balances(self) -> dict[tuple[str, str], int]:
        """What the customer's account is debited."""
        return {(self.customer, self.currency): self.total}


class JournalLine(msgspec.Struct, frozen=True):
    """One side of an entry in minor units, and the charges it summarizes: those of its account, or all of them."""

    number: int
    account: str
    currency: str
    debit: int
    credit: int
    charges: int
    events: int

    def text(self) -> str:
        """What the digest sees; kinds and products are in the accounts."""
        fields = (self.number, self.account, self.currency, self.debit, self.credit, self.charges, self.events)
        return "\t".join(map(str, fields))


class Journal(msgspec.Struct, frozen=True):
    """An entity's entries for one period; they balance in each currency."""

    tenant: str
    id: str
    key: str
    period: str
    entity: str
    lines: tuple[JournalLine, ...]

    def balances(self) -> dict[tuple[str, str], int]:
        """Debits less credits of each account, in each currency."""
        sums: dict[tuple[str, str], int] = {}
        for line in self.lines:
            place = (line.account, line.currency)
            sums[place] = sums.get(place, 0) + line.debit - line.credit
        return sums


Document = Invoice | Journal


def digest(document: Document) -> str:
    """The digest of what `document` says."""
    return text_digest(
        "".join(f"{text}\n" for text in (document.key, *(line.text() for line in document.lines))).encode()
    )


def text_digest(text: bytes | memoryview) -> str:
    """The digest of a document whose text this is."""
    return hashlib.blake2b(text, digest_size=32).hexdigest()


def unbalanced(lines: Iterable[JournalLine]) -> list[str]:
    """The currencies in which debits and credits differ, and by how much."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.currency] = sums.get(line.currency, 0) + line.debit - line.credit
    return [f"{currency} {money_text(off, currency)}" for currency, off in sums.items() if off]
