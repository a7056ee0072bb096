"""Make small tables of charges, as rating leaves them: sorted, numbered, with every column."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from ledger.charges import COMMITMENT, CREDIT, DISCOUNT, FEE, KINDS, PROMOTION, SCHEMA, TAX, USAGE

PARTIES = ("entity", "customer", "currency")
THEN_BY = ("contract", "product", "meter", "window_start")
NOVEMBER = 1_793_491_200_000
DECEMBER = 1_796_083_200_000


class Charge(msgspec.Struct, frozen=True):
    """One line of a run; what a test does not care about has a default."""

    customer: str = "acme"
    amount: int = 1_250
    product: str = "API"
    meter: str = "api_calls"
    currency: str = "EUR"
    entity: str = "DE01"
    contract: str = "C-1"
    plan: str = "standard"
    quantity: str = "12.5"
    events: int = 3
    window_start: int = NOVEMBER
    window_end: int = DECEMBER
    digest: bytes = b"\x01" * 16
    kind: str = USAGE


def made(
    kind: str, amount: int, product: str, contract: str = "", customer: str = "acme", currency: str = "EUR"
) -> Charge:
    """A line that no events stand behind."""
    nothing = Charge(customer, amount, product, meter="", quantity="0", events=0, digest=bytes(16))
    plan = "standard" if contract else ""
    return msgspec.structs.replace(nothing, kind=kind, contract=contract, plan=plan, currency=currency)


def charges(lines: Sequence[Charge], run: int = 1) -> pa.Table:
    """The charges of a run."""
    rows = sorted(map(msgspec.structs.asdict, lines), key=_place)
    filled = [_filled(row, number, run) for number, row in enumerate(rows)]
    return pa.Table.from_pylist(filled, schema=SCHEMA)


def _place(row: dict[str, Any]) -> Any:
    """Usage and fees are one rank."""
    rank = max(KINDS.index(row["kind"]), KINDS.index(FEE))
    return [row[name] for name in PARTIES], rank, [row[name] for name in THEN_BY]


def _filled(row: dict[str, Any], number: int, run: int) -> dict[str, Any]:
    constant = {
        "run": run,
        "tenant": "default",
        "price_version": 1,
        "subjects": [row["customer"]],
        "cutoff": 7,
        "exact_numerator": Decimal(0),
        "exact_denominator": Decimal(1),
    }
    return {**row, **constant, "line": number, "quantity": Decimal(row["quantity"])}


TWO_CUSTOMERS = (
    Charge("acme", 1_250),
    Charge("acme", 300, "Egress", "gb_out", quantity="60", events=4),
    Charge("bolt", -50),
    Charge("bolt", 0, "Egress", "gb_out", quantity="0", events=2),
    Charge("bolt", 1_999, currency="JPY", contract="C-2"),
    Charge("acme", 12_345, currency="KWD", entity="KW-1", contract="C-3"),
)
"""Three currencies of 0, 2 and 3 decimals, two entities, an amount below zero and one of zero."""

SETTLED = (
    Charge("acme", 3_300),
    Charge("acme", 2_900, "API", "", kind=FEE, quantity="0", events=0),
    made(COMMITMENT, 6_700, "Minimum", "C-1"),
    made(DISCOUNT, -500, "Launch", "C-1"),
    made(TAX, 2_356, "VAT 19 %"),
    made(TAX, 186, "Levy"),
    Charge("acme", 100, contract="C-2"),
    Charge("bolt", 1_000, contract="C-3"),
    made(TAX, 190, "VAT 19 %", customer="bolt"),
)
"""An invoice with what is agreed beside prices, and another with a tax."""

PAID_BY_CREDIT = (
    made(CREDIT, -400, "Top-up 17"),
    made(PROMOTION, -100, "Welcome"),
    made(PROMOTION, -50, "Welcome back"),
)
"""What credit pays on acme's invoice."""
