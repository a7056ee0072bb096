"""An invoice's order of things: line discounts, invoice discounts, then credits; credits stay outside the tax base."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.reference.adjustments import chained_discount, discount_value, shared_out, taxes
from tests.reference.exactness import ZERO, Parameters, number, rounded
from tests.reference.lines import Line


@dataclass
class Due:
    """What is still owed for one line, and what credits paid of it."""

    kind: str
    left: Fraction
    credits: Fraction = ZERO


def invoiced(price: Parameters, credits_: Sequence[Parameters]) -> dict[str, Any]:
    """Given amounts as lines: every discount before any credit, and no credit in the tax base."""
    lines = [Due(line["kind"], number(line["amount"])) for line in price["lines"]]
    subtotal = _left(lines)
    _take_line_discounts(price, lines)
    _take_invoice_discounts(price, lines)
    base = _left(lines)
    tax = taxes(price, base)
    applied = apply_credits(lines, credits_)
    return {
        "subtotal": subtotal,
        "discount": subtotal - base,
        "credits_applied": applied,
        "taxes": tax,
        "amount": rounded(base - applied + sum(tax, ZERO), price.get("rounding")),
        "lines": [{"total": line.left, "credits": line.credits} for line in lines],
    }


def credited(lines: Sequence[Line], credits_: Sequence[Parameters]) -> dict[str, Any]:
    """Priced lines that cost something, paid by credits in their order."""
    charged = [line for line in lines if line.total]
    due = [Due("usage", line.total) for line in charged]
    applied = apply_credits(due, credits_)
    fields = [
        {**line.fields(), "credits": rest.credits, "total": rest.left} for line, rest in zip(charged, due, strict=True)
    ]
    return {"amount": _left(due), "credits_applied": applied, "lines": fields}


def apply_credits(lines: Sequence[Due], credits_: Sequence[Parameters]) -> Fraction:
    """Credit after credit on line after line, of the kinds that the credit may pay; what they paid together.

    A line that gives money back is not paid, and pays nothing.
    """
    for credit in credits_:
        balance = number(credit["amount"])
        for line in lines:
            if "pays" in credit and line.kind not in credit["pays"]:
                continue
            paid = max(min(balance, line.left), ZERO)
            balance -= paid
            line.left -= paid
            line.credits += paid
    return sum((line.credits for line in lines), ZERO)


def _take_line_discounts(price: Parameters, lines: Sequence[Due]) -> None:
    for discount in price.get("line_discounts", []):
        line = lines[int(discount["line"])]
        line.left -= discount_value(discount, line.left, price.get("rounding"))


def _take_invoice_discounts(price: Parameters, lines: Sequence[Due]) -> None:
    """Discounts of the invoice as a whole, shared out over its lines so that each line's rest is known to credits."""
    discount = chained_discount(price, _left(lines))
    shares = shared_out(discount, [line.left for line in lines], price.get("rounding"))
    for line, share in zip(lines, shares, strict=True):
        line.left -= share


def _left(lines: Sequence[Due]) -> Fraction:
    return sum((line.left for line in lines), ZERO)
