"""Read a grant as people write it; what can't be one is refused with what was expected."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from babel.numbers import get_currency_precision

from ledger.errors import Refused
from rating import catalog_fields as fields
from rating.credit_grants import Grant
from rating.credit_spending import KINDS, Kind
from rating.credits.recurrence import read_interval

PRIORITY_MAX = 1000
AMOUNT_MAX = 10**17
"""Minor units: sums over many grants stay where int64 is proven."""

Value = TypeVar("Value")


def read_grant(given: dict[str, Any], now_ms: int) -> Grant:
    """The grant that texts by the names of its fields describe; without a first day it begins today."""
    kind = _read("kind", given["kind"], lambda text: fields.one_of(text, KINDS, " or ".join(KINDS)))
    currency = _read("currency", given["currency"], fields.currency)
    effective = _read("from", given["effective"] or _today(now_ms), fields.day)
    expires = None if given["expires"] is None else _read("expires", given["expires"], fields.day)
    if expires is not None and expires <= effective:
        raise Refused(f"expires: expected a day after {effective}, found {expires}")
    if (kind == "recurring") != bool(given["every"]):
        raise Refused("every: expected with a recurring grant, as in P1M, and with no other")
    if given["rollover_max"] is not None and kind != "recurring":
        raise Refused("rollover-max: expected with a recurring grant alone: others keep what is left until they expire")
    amount = _read("amount", given["amount"], lambda text: _minor_units(text, currency))
    if amount == 0:
        raise Refused("amount: expected more than 0")
    return Grant(
        id=_read("id", given["id"], fields.identifier),
        customer=_read("customer", given["customer"], fields.identifier),
        currency=currency,
        amount=amount,
        kind=cast("Kind", kind),
        name=_read("name", given["name"] or given["id"], fields.product),
        effective=effective,
        expires=expires,
        products=tuple(_read("product", one, fields.product) for one in given["products"]),
        priority=_read("priority", given["priority"], _priority),
        cost_basis=_read("cost-basis", given["cost_basis"] or ("1" if kind == "prepaid" else "0"), _plain_number),
        every=_read("every", given["every"] or "", _interval),
        rollover_max=_read("rollover-max", given["rollover_max"] or "0", lambda text: _minor_units(text, currency)),
    )


def _read(name: str, text: str, read: Callable[[str], Value]) -> Value:
    try:
        return read(text)
    except ValueError as error:
        raise Refused(f"{name}: {error}") from error


def _today(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms // 1000, UTC).date().isoformat()


def _minor_units(text: str, currency: str) -> int:
    decimals = get_currency_precision(currency)
    scaled = fields.amount(text) * 10**decimals
    if scaled.denominator != 1:
        raise ValueError(f"expected at most {decimals} decimals, as {currency} has, found {text!r}")
    if scaled > AMOUNT_MAX:
        raise ValueError(f"expected less than {AMOUNT_MAX} minor units of {currency}, found {text!r}")
    return int(scaled)


def _priority(text: str) -> int:
    return int(fields.one_of(text, [str(one) for one in range(PRIORITY_MAX + 1)], f"0 to {PRIORITY_MAX}"))


def _plain_number(text: str) -> str:
    fields.amount(text)
    return text


def _interval(text: str) -> str:
    if text and not any(read_interval(text)):
        raise ValueError(f"expected an interval that passes, as in P1M, found {text!r}")
    return text
