"""Write an invoice as CSV, and read it back.

Text that a spreadsheet would take for a formula gets an apostrophe in front, and so does text that begins with one, so
that reading it back takes off exactly what was put on.
"""

import csv
import io
from datetime import UTC, datetime, timedelta

from ledger.scale import QUANTITY_SCALE, quantity_text
from posting.content import Document, Invoice, InvoiceLine, digest
from posting.journal_file import Unreadable
from posting.money import exact_integer, minor_units, money_text
from posting.names import read_id, read_key

STARTS_OF_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "'")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
HEADING_ROWS = 4
COLUMNS = (
    "line",
    "product",
    "kind",
    "meter",
    "contract",
    "plan",
    "from",
    "to",
    "quantity",
    "events",
    "amount",
    "currency",
    "usage_digest",
)


def render(invoice: Invoice) -> bytes:
    """`invoice` as a file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["# key", invoice.key])
    writer.writerow(["# digest", digest(invoice)])
    writer.writerow(["# total", money_text(invoice.total, invoice.currency), invoice.currency])
    writer.writerow(COLUMNS)
    writer.writerows(_row(number, line, invoice.currency) for number, line in enumerate(invoice.lines, start=1))
    return out.getvalue().encode()


def _row(number: int, line: InvoiceLine, currency: str) -> list[str]:
    return [
        str(number),
        guarded(line.product),
        line.kind,
        guarded(line.meter),
        guarded(line.contract),
        guarded(line.plan),
        _instant_text(line.window_start),
        _instant_text(line.window_end),
        quantity_text(line.quantity),
        str(line.events),
        money_text(line.amount, currency),
        currency,
        line.usage_digest,
    ]


def parse(content: bytes) -> Document:
    """The invoice that `render` wrote as `content`."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    except csv.Error as error:
        raise Unreadable(str(error)) from error
    if not rows or len(rows[0]) != 2 or rows[0][0] != "# key":
        raise Unreadable("it names no key")
    key = rows[0][1]
    tenant, document_id = read_key(key)
    name = read_id(document_id)
    if name.customer is None or name.currency is None:
        raise Unreadable(f"{document_id} is not an invoice's id")
    lines = tuple(_line(number, row, name.currency) for number, row in enumerate(rows[HEADING_ROWS:], start=1))
    invoice = Invoice(tenant, document_id, key, name.period, name.entity, name.customer, name.currency, lines)
    if render(invoice) != content:
        raise Unreadable("it is not what its own lines make, byte for byte")
    return invoice


def _line(number: int, row: list[str], currency: str) -> InvoiceLine:
    if len(row) != len(COLUMNS) or row[0] != str(number) or row[COLUMNS.index("currency")] != currency:
        raise Unreadable(f"line {number} is not one we would have written")
    _, product, kind, meter, contract, plan, start, end, quantity, events, amount, _, usage_digest = row
    return InvoiceLine(
        contract=unguarded(contract),
        plan=unguarded(plan),
        product=unguarded(product),
        kind=kind,
        meter=unguarded(meter),
        window_start=_instant(start),
        window_end=_instant(end),
        quantity=exact_integer(quantity, QUANTITY_SCALE),
        events=int(events),
        amount=minor_units(amount, currency),
        usage_digest=usage_digest,
    )


def guarded(text: str) -> str:
    """`text` as a cell that no spreadsheet runs."""
    return f"'{text}" if text.startswith(STARTS_OF_FORMULAS) else text


def unguarded(cell: str) -> str:
    """What `guarded` made `cell` from."""
    return cell.removeprefix("'")


def _instant_text(instant_ms: int) -> str:
    return (EPOCH + instant_ms * MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _instant(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // MILLISECOND
