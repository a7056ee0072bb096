"""Decide which tenants there are: those that have a catalog, under names that documents and directories can carry.

Events and keys may come before the catalog. Billing may not: a mistyped tenant would be closed with nothing in it.
"""

import sqlalchemy as sa

from meterline.operations.registry import RequestError
from posting.names import TENANT
from rating.catalog_tables import catalog_versions

NAMED_MAX = 20
"""How many of the tenants that there are a message names."""


def checked_name(tenant: str) -> str:
    """`tenant`, when it can be a tenant's name."""
    if not TENANT.fullmatch(tenant):
        raise RequestError(
            f"{tenant!r} can't be a tenant's name: expected letters, digits, '.', '_' and '-', a letter or a digit "
            "first, at most 64 of them"
        )
    return tenant


def checked_tenant(connection: sa.Connection, tenant: str) -> str:
    """`tenant`, when it has a catalog."""
    known = connection.scalars(sa.select(catalog_versions.c.tenant).distinct().order_by(catalog_versions.c.tenant))
    tenants = known.all()
    if tenant in tenants:
        return tenant
    named = ", ".join(tenants[:NAMED_MAX]) + (", ..." if len(tenants) > NAMED_MAX else "")
    there_are = f"the tenants are {named}" if tenants else "no tenant has one"
    raise RequestError(f"tenant {tenant} has no catalog: {there_are}; `meterline apply FILE --tenant T` makes one")
