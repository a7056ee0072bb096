"""Name documents: an id says what the document is, so that whoever makes the same document gives it the same key.

Entities and currencies hold no dot and customers may, so an id is read back in one way only.
"""

import re
from typing import Literal

import msgspec

from ledger.errors import Refused

Kind = Literal["invoice", "journal"]

PERIOD = r"[0-9]{4}-(?:0[1-9]|1[0-2])"
PLAIN_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
DOTTED_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
INVOICE = re.compile(
    rf"INV\.(?P<period>{PERIOD})\.(?P<entity>{PLAIN_NAME})\.(?P<customer>{DOTTED_NAME})\.(?P<currency>{PLAIN_NAME})"
)
JOURNAL = re.compile(rf"JRN\.(?P<period>{PERIOD})\.(?P<entity>{PLAIN_NAME})")
TENANT = re.compile(DOTTED_NAME)


class UnknownDocument(Refused):
    """Nothing has that name, or the document has no such line."""


class Name(msgspec.Struct, frozen=True):
    """What a document's id says; a journal has no customer and no currency of its own."""

    period: str
    entity: str
    customer: str | None = None
    currency: str | None = None

    @property
    def kind(self) -> Kind:
        """Which of the two it names."""
        return "journal" if self.customer is None else "invoice"


def journal_id(period: str, entity: str) -> str:
    """The id of an entity's journal for one period."""
    return f"JRN.{period}.{entity}"


def document_key(tenant: str, document_id: str) -> str:
    """The key under which the ERP knows the document, whichever run made it."""
    return f"{tenant}/{document_id}"


def read_id(document_id: str) -> Name:
    """What `document_id` says."""
    found = INVOICE.fullmatch(document_id) or JOURNAL.fullmatch(document_id)
    if found is None:
        raise UnknownDocument(
            f"{document_id!r} names no document: expected INV.<period>.<entity>.<customer>.<currency> "
            "or JRN.<period>.<entity>"
        )
    return Name(**found.groupdict())


def read_key(key: str) -> tuple[str, str]:
    """The tenant and the id that `key` was made of."""
    tenant, slash, document_id = key.partition("/")
    if not slash or not TENANT.fullmatch(tenant):
        raise UnknownDocument(f"{key!r} is not a document's key: expected <tenant>/<id>")
    return tenant, document_id
