"""Read a grant as people write it; what can't be one is refused with what was expected."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any, TypeVar, cast

import msgspec
import numpy as np
from babel.numbers import get_currency_precision

from ledger.errors import Refused
from rating import catalog_fields as fields
from rating.credit_grants import Grant
from rating.credit_spending import KINDS, Kind
from rating.credits.bonus import Slab, bonus
from rating.credits.recurrence import read_interval
from rating.ratios import HALF_UP, at_scale, whole

PRIORITY_MAX = 1000
AMOUNT_MAX = 10**17
"""Minor units: sums over many grants stay where int64 is proven."""

Value = TypeVar("Value")


def read_grant(given: dict[str, Any], now_ms: int) -> Grant:
    """The grant that texts by the names of its fields describe; without a first day it begins today."""
    kind = _read("kind", given["kind"], lambda text: fields.one_of(text, KINDS, " or ".join(KINDS)))
    currency = _read("currency", given["currency"], fields.currency)
    effective = _read("from", given["effective"] or _today(now_ms), fields.day)
    expires = None if given["expires"] is None else _expiry("expires", given["expires"], effective)
    if (kind == "recurring") != bool(given["every"]):
        raise Refused("every: expected with a recurring grant, as in P1M, and with no other")
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
        **_stays(given, kind, currency),
    )


def _stays(given: dict[str, Any], kind: str, currency: str) -> dict[str, int]:
    """What a refill leaves of a recurring grant, at least and at most."""
    bounds = {}
    for name in ("rollover_min", "rollover_max"):
        told = name.replace("_", "-")
        if given[name] is not None and kind != "recurring":
            raise Refused(f"{told}: expected with a recurring grant alone: others keep what is left until they expire")
        bounds[name] = _read(told, given[name] or "0", lambda text: _minor_units(text, currency))
    if given["rollover_max"] is None:
        bounds["rollover_max"] = bounds["rollover_min"]
    if bounds["rollover_min"] > bounds["rollover_max"]:
        raise Refused("rollover-min: expected no more than --rollover-max, which is what stays at most")
    return bounds


def read_bonus(said: Sequence[str], expires: str | None, top_up: Grant) -> Grant | None:
    """What a top-up gets on top, as a grant beside it: by the highest threshold that it reaches, if there is one."""
    if said and top_up.kind != "prepaid":
        raise Refused("bonus: expected with a prepaid grant alone: it is on top of what the customer pays")
    if expires is not None and not said:
        raise Refused("bonus-expires: expected with --bonus alone")
    slabs = [_read("bonus", text, lambda text: _slab(text, top_up.currency)) for text in said]
    if len({slab.threshold for slab in slabs}) < len(slabs):
        raise Refused(
            "bonus: expected a threshold for each of several, as in 100:5% and 500:60, and none of them twice"
        )
    amount = int(at_scale(bonus(whole(np.array([top_up.amount])), slabs), 0, HALF_UP)[0])
    if amount == 0:
        return None
    return msgspec.structs.replace(
        top_up,
        id=_read("bonus", f"{top_up.id}.bonus", fields.identifier),
        amount=amount,
        kind="promotional",
        name=_read("bonus", f"{top_up.name} bonus", fields.product),
        expires=top_up.expires if expires is None else _expiry("bonus-expires", expires, top_up.effective),
        cost_basis="0",
    )


def _slab(text: str, currency: str) -> Slab:
    threshold, _, more = text.rpartition(":")
    reached = Fraction(_minor_units(threshold or "0", currency))
    if more.endswith("%"):
        return Slab(reached, percent=fields.percent(more[:-1]))
    return Slab(reached, flat=Fraction(_minor_units(more, currency)))


def _expiry(name: str, text: str, effective: date) -> date:
    expires = _read(name, text, fields.day)
    if expires <= effective:
        raise Refused(f"{name}: expected a day after {effective}, found {expires}")
    return expires


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
