"""Grant credit to customers, void it, and show what there is of it."""

from typing import Any

import msgspec
import sqlalchemy as sa

from metering.instants import instant_text
from meterline.credits_report import credits_report
from meterline.installation import Installation, now_ms
from meterline.operations.catalog import actor_of
from meterline.operations.registry import RequestError, operation
from meterline.outcome import Outcome, Output
from meterline.reports import QuestionError
from meterline.tenants import checked_tenant
from posting.money import money_text
from rating import credit_grants
from rating.credit_request import read_bonus, read_grant


class Grant(msgspec.Struct, frozen=True):
    """A grant as it is written: amounts in units of the currency, days as YYYY-MM-DD."""

    id: str
    customer: str
    amount: str
    currency: str
    kind: str
    name: str | None = None
    effective: str | None = None
    expires: str | None = None
    products: list[str] = []
    priority: str = "0"
    cost_basis: str | None = None
    every: str | None = None
    rollover_min: str | None = None
    rollover_max: str | None = None
    bonus: list[str] = []
    """What a top-up gets on top, each with the threshold from which on: 100:5%, or 500:60, or for any top-up 10."""
    bonus_expires: str | None = None
    actor: str | None = None
    tenant: str = "default"


class OfCustomer(msgspec.Struct, frozen=True):
    """Whose credit; of all customers where none is named."""

    customer: str | None = None
    tenant: str = "default"


class Balance(msgspec.Struct, frozen=True):
    """Whose credit, and at the end of which day; now, where none is named."""

    customer: str | None = None
    at: str | None = None
    tenant: str = "default"


class Void(msgspec.Struct, frozen=True):
    """Which grant, and why."""

    id: str
    reason: str
    actor: str | None = None
    tenant: str = "default"


@operation("credits grant", Grant)
def grant(installation: Installation, asked: Grant, _: Output) -> Outcome:
    """Add a grant, and beside a top-up its bonus; the same ones again change nothing."""
    wanted, actor = read_grant(msgspec.to_builtins(asked), now_ms()), actor_of(asked.actor)
    on_top = read_bonus(asked.bonus, asked.bonus_expires, wanted)
    with installation.relational.begin() as connection:
        tenant = checked_tenant(connection, asked.tenant)
        granted = _granted(connection, tenant, wanted, actor)
        return Outcome(granted | {"bonus": on_top and _granted(connection, tenant, on_top, actor)})


def _granted(connection: sa.Connection, tenant: str, wanted: credit_grants.Grant, actor: str) -> dict[str, Any]:
    is_new = credit_grants.grant(connection, tenant, wanted, actor, now_ms())
    known = credit_grants.rows_known(tenant, credit_grants.newest_version(connection), wanted.customer)
    (row,) = connection.execute(known.where(credit_grants.grants.c.id == wanted.id))
    return _shown(row) | {"new": is_new}


@operation("credits void", Void)
def void(installation: Installation, asked: Void, _: Output) -> Outcome:
    """Let a grant pay nothing more."""
    with installation.relational.begin() as connection:
        tenant = checked_tenant(connection, asked.tenant)
        credit_grants.void(connection, tenant, asked.id, asked.reason, actor_of(asked.actor), now_ms())
    return Outcome({"id": asked.id, "voided": True})


@operation("credits list", OfCustomer, alone=False)
def listed(installation: Installation, asked: OfCustomer, _: Output) -> Outcome:
    """Every grant, with its terms."""
    with installation.relational.connect() as connection:
        tenant = checked_tenant(connection, asked.tenant)
        version = credit_grants.newest_version(connection)
        known = credit_grants.rows_known(tenant, version, asked.customer).order_by(credit_grants.grants.c.version)
        return Outcome({"grants": [_shown(row) for row in connection.execute(known)]})


def _shown(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "customer": row.customer,
        "currency": row.currency,
        "amount": money_text(row.amount, row.currency),
        "kind": row.kind,
        "name": row.name,
        "from": row.effective,
        "expires": row.expires,
        "products": msgspec.json.decode(row.products),
        "priority": row.priority,
        "cost_basis": row.cost_basis,
        "every": row.every or None,
        "rollover_min": money_text(row.rollover_min, row.currency),
        "rollover_max": money_text(row.rollover_max, row.currency),
        "created": instant_text(row.created_at),
        "created_by": row.created_by,
        "voided": None if row.voided is None else instant_text(row.voided),
        "voided_by": row.voided_by,
        "reason": row.reason,
    }


@operation("credits balance", Balance, alone=False)
def balance(installation: Installation, asked: Balance, _: Output) -> Outcome:
    """What is left of each grant, and of each customer's credit."""
    with installation.relational.connect() as connection:
        tenant = checked_tenant(connection, asked.tenant)
    try:
        return Outcome(credits_report(installation, tenant, asked.customer, asked.at))
    except QuestionError as error:
        raise RequestError(str(error)) from error
