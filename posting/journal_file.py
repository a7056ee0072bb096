"""Write a journal as hledger reads it, and read it back: one transaction for each currency.

Two currencies in one transaction would let hledger take an imbalance for an exchange rate.
"""

import calendar
import re
from itertools import groupby
from operator import attrgetter

from posting.content import Document, Journal, JournalLine, digest, unbalanced
from posting.money import decimals, minor_units, money_text
from posting.names import read_id, read_key

KEY = re.compile(r"; key: (\S+)")
POSTING = re.compile(r"    (?P<account>\S+(?: \S+)*)  (?P<currency>[A-Z]+) (?P<amount>-?[0-9.]+)  ; (?P<tags>.*)")
TAGS = re.compile(r"line:([0-9]+), charges:([0-9]+), events:([0-9]+)")


class Unreadable(ValueError):
    """A file that does not hold what we would have written."""


def render(journal: Journal) -> bytes:
    """`journal` as a file."""
    currencies = sorted({line.currency for line in journal.lines})
    accounts = sorted({line.account for line in journal.lines})
    heading = [
        "; Usage billed by meterline: receivable against revenue, taxes and credit, summarized",
        f"; key: {journal.key}",
        f"; digest: {digest(journal)}",
        "",
        "decimal-mark .",
        *(f"commodity {currency} 1000.{'0' * decimals(currency)}" for currency in currencies),
        *(f"account {account}" for account in accounts),
    ]
    entries = [_transaction(journal, list(lines)) for _, lines in groupby(journal.lines, attrgetter("currency"))]
    return "\n\n".join(["\n".join(heading), *entries, ""]).encode()


def _transaction(journal: Journal, lines: list[JournalLine]) -> str:
    year, month = map(int, journal.period.split("-"))
    last_day = calendar.monthrange(year, month)[1]
    title = f"{journal.period}-{last_day:02d} * ({journal.id}) Usage {journal.period} {lines[0].currency}"
    return "\n".join([title, *map(_posting, lines)])


def _posting(line: JournalLine) -> str:
    text = money_text(line.debit - line.credit, line.currency)
    tags = f"line:{line.number}, charges:{line.charges}, events:{line.events}"
    return f"    {line.account}  {line.currency} {text}  ; {tags}"


def parse(content: bytes) -> Document:
    """The journal that `render` wrote as `content`."""
    text = content.decode()
    heading = KEY.search(text)
    if heading is None:
        raise Unreadable("it names no key")
    lines = tuple(_line(row) for row in text.splitlines() if row.startswith("    "))
    tenant, document_id = read_key(heading[1])
    name = read_id(document_id)
    journal = Journal(tenant, document_id, heading[1], name.period, name.entity, lines)
    if off := unbalanced(lines):
        raise Unreadable(f"it does not balance: off by {', '.join(off)}")
    if render(journal) != content:
        raise Unreadable("it is not what its own lines make, byte for byte")
    return journal


def _line(row: str) -> JournalLine:
    found = POSTING.fullmatch(row)
    tags = TAGS.fullmatch(found["tags"]) if found else None
    if found is None or tags is None:
        raise Unreadable(f"{row.strip()!r} is not a line we would have written")
    amount = minor_units(found["amount"], found["currency"])
    number, charges, events = map(int, tags.groups())
    return JournalLine(
        number=number,
        account=found["account"],
        currency=found["currency"],
        debit=max(amount, 0),
        credit=max(-amount, 0),
        charges=charges,
        events=events,
    )
