"""What can go wrong with the ledger, sorted by what the caller does about it.

LedgerError
├── Refused         the request or the state of the data rules it out: tell the person, change nothing
│   ├── Held        another process holds the data directory
│   └── Damaged     what is stored contradicts itself: stop, and run `meterline verify`
├── Unavailable     nothing was stored (disk full, memory limit): the same request may be sent again later
└── UnknownOutcome  it may or may not be stored: look before going on, and stop when that can't be told
"""


class LedgerError(Exception):
    """Anything the ledger raises on purpose."""


class Refused(LedgerError):
    """The request or the state of the data rules it out."""


class Held(Refused):
    """Another process holds the data directory."""


class Damaged(Refused):
    """What is stored contradicts itself: `where`, and `what` was found there."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


class Unavailable(LedgerError):
    """Nothing was stored; the same request may be sent again later."""


class UnknownOutcome(LedgerError):
    """It may or may not be stored."""
