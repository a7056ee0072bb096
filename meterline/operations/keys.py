"""Create, list, rotate and revoke API keys."""

from typing import Any

import msgspec

from metering import keys
from metering.instants import instant_text
from meterline.installation import Installation, now_ms
from meterline.operations.registry import RequestError, operation
from meterline.outcome import Outcome, Output
from meterline.tenants import checked_name


class CreateKey(msgspec.Struct, frozen=True):
    """A key for whom, and for what."""

    tenant: str
    scopes: list[str]


class NamedKey(msgspec.Struct, frozen=True):
    """Which key."""

    key: str


class NoParameters(msgspec.Struct, frozen=True):
    """Nothing more is asked."""


@operation("keys create", CreateKey, alone=False)
def create(installation: Installation, asked: CreateKey, _: Output) -> Outcome:
    """Make a key; its text is in this result and nowhere else."""
    if unknown := [scope for scope in asked.scopes if scope not in keys.SCOPES]:
        raise RequestError(f"no scope is named {unknown[0]}: expected {', '.join(keys.SCOPES)}")
    with installation.relational.begin() as connection:
        key, text = keys.create(connection, checked_name(asked.tenant), asked.scopes, now_ms())
    return Outcome({"id": key.id, "tenant": key.tenant, "scopes": list(key.scopes), "key": text})


@operation("keys list", NoParameters, alone=False)
def listed(installation: Installation, _: NoParameters, __: Output) -> Outcome:
    """Every key, without its text."""
    with installation.relational.connect() as connection:
        return Outcome({"keys": [_shown(key) for key in keys.listed(connection)]})


@operation("keys rotate", NamedKey, alone=False)
def rotate(installation: Installation, asked: NamedKey, _: Output) -> Outcome:
    """Make a second key that may do the same; the first goes on until it is revoked."""
    with installation.relational.begin() as connection:
        made = keys.rotate(connection, asked.key, now_ms())
    if made is None:
        raise RequestError(f"no key {asked.key} is in force: `meterline keys list` shows their ids")
    key, text = made
    return Outcome({"id": key.id, "tenant": key.tenant, "scopes": list(key.scopes), "key": text})


@operation("keys revoke", NamedKey, alone=False)
def revoke(installation: Installation, asked: NamedKey, _: Output) -> Outcome:
    """End a key within seconds."""
    with installation.relational.begin() as connection:
        if not keys.revoke(connection, asked.key, now_ms()):
            raise RequestError(f"no key {asked.key} is in force: `meterline keys list` shows their ids")
    return Outcome({"id": asked.key, "revoked": True})


def _shown(key: keys.Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "tenant": key.tenant,
        "scopes": list(key.scopes),
        "created": instant_text(key.created_at),
        "revoked": None if key.revoked_at is None else instant_text(key.revoked_at),
    }
