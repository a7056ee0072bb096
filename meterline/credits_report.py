"""Say what credit customers have, for the command line and for GET /v1/credits."""

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from ledger.charges import CREDIT, PROMOTION
from ledger.ledger import Ledger
from metering.instants import DAY_MS, instant_text
from meterline.installation import Installation, now_ms
from meterline.reports import Query, QuestionError, known_only, only_one
from posting.invoices import Invoices
from posting.lineage import lines_of
from posting.money import money_text
from rating import catalog_fields as fields
from rating.credit_balance import Held, balances
from rating.periods import day_number

PARAMETERS = {"customer", "at"}


def credits_asked(installation: Installation, tenant: str, query: Query) -> dict[str, Any]:
    """The answer to a query."""
    known_only(query, PARAMETERS)
    customer, at = (only_one(query, name) if name in query else None for name in ("customer", "at"))
    return credits_report(installation, tenant, customer, at)


def credits_report(installation: Installation, tenant: str, customer: str | None, day: str | None) -> dict[str, Any]:
    """What is left of each grant and of each customer's credit: at the end of a day, or now."""
    at = now_ms() if day is None else _end_of(day)
    with installation.relational.connect() as connection:
        held = balances(installation.ledger, connection, tenant, at, customer)
    sums: Counter[tuple[str, str]] = Counter()
    for one in held:
        sums[one.customer, one.currency] += one.balance
    return {
        "at": instant_text(at),
        "balances": [
            {"customer": customer, "currency": currency, "balance": money_text(left, currency)}
            for (customer, currency), left in sorted(sums.items())
        ],
        "grants": [_grant(one) for one in held],
    }


def _grant(one: Held) -> dict[str, Any]:
    moved = {account: money_text(amount, one.currency) for account, amount in one.moved.items()}
    named = {name: getattr(one, name) for name in ("id", "name", "customer", "currency", "kind")}
    return named | moved | {"balance": money_text(one.balance, one.currency)}


def paid_by_credit(
    ledger: Ledger, document: sa.Row[Any], of_run: pa.Table, charges: pa.Table, most: int
) -> list[dict[str, str]]:
    """Which grants paid how much of which lines, for the lines of credit among some charges; at most so many."""
    rows = charges.filter(pc.is_in(charges["kind"], pa.array([CREDIT, PROMOTION])))["line"]
    if not len(rows):
        return []
    paid = ledger.read_movements(document.run)
    paid = paid.filter(pc.is_in(paid["line"], rows.combine_chunks().cast(pa.int64()))).slice(0, most)
    charged = paid["charge"].to_numpy()
    invoices = Invoices(of_run, document.tenant, document.period)
    products = of_run["product"].take(pa.array(charged)).to_pylist()
    return [
        {
            "grant": one["grant_id"],
            "line": line,
            "product": product,
            "at": instant_text(one["at"]),
            "amount": money_text(one["amount"], one["currency"]),
        }
        for one, line, product in zip(paid.to_pylist(), lines_of(invoices, charged), products, strict=True)
    ]


def _end_of(day: str) -> int:
    """The last instant of a day, in UTC."""
    try:
        return (day_number(fields.day(day)) + 1) * DAY_MS - 1
    except ValueError as error:
        raise QuestionError(f"at: {error}") from error
