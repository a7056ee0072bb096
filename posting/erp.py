"""What posting needs of an ERP, and how its answers are sorted by what posting does next.

ErpError
├── Rejected        the ERP refuses the document, or holds another under its key: park it, never retry by itself
├── Unavailable     nothing was stored: post it again later, under the same key
└── OutcomeUnknown  it may or may not be stored, now or in a while: freeze it, look it up, then decide

`look_up` stores nothing, so it is never in doubt: it raises Unavailable, or Rejected for what is there and unreadable.
An adapter translates everything its driver raises into these; anything else is a bug and stops the process.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from posting.content import Document


class ErpError(Exception):
    """Anything an adapter raises on purpose."""


class Rejected(ErpError):
    """The ERP refuses the document."""


class Unavailable(ErpError):
    """Nothing was stored."""


class OutcomeUnknown(ErpError):
    """It may or may not be stored."""


class Receipt(msgspec.Struct, frozen=True):
    """What the ERP holds under a key, read back from it, never repeated from what was sent."""

    key: str
    reference: str
    """The ERP's own name for the document."""
    digest: str
    balances: Mapping[tuple[str, str], int]
    """Minor units by account and currency; see `Invoice.balances` and `Journal.balances`."""
    file: str | None = None


class Erp(Protocol):
    """Where documents are posted to."""

    @property
    def settle_ms(self) -> int:
        """How long after a call without an answer a look-up that finds nothing proves that nothing will be there."""

    def look_up(self, key: str) -> Receipt | None:
        """What is stored under `key`, if anything is."""

    def post(self, document: Document) -> Receipt:
        """Store `document` under its key, unless it is there already, and read it back."""
