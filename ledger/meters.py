"""Say what is measured: which events a meter takes, and what it reads from them.

A meter is immutable at a catalog version. Every block carries the version it was admitted under, so what an event
counted towards never changes afterwards.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import sqlalchemy as sa

from ledger.relational import metadata


class Meter(msgspec.Struct, frozen=True):
    """One measure of one event type; `value` and `dimensions` are dotted paths into the event's data."""

    name: str
    event_type: str
    aggregation: Literal["sum", "count"]
    value: str | None = None
    unit: str | None = None
    dimensions: dict[str, str] = {}


meters = sa.Table(
    "meters",
    metadata,
    sa.Column("tenant", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, comment="catalog version that wrote this row"),
    sa.Column("superseded", sa.Integer, comment="catalog version that replaced it, if any"),
    sa.Column("event_type", sa.String, nullable=False),
    sa.Column("aggregation", sa.String, nullable=False),
    sa.Column("value", sa.String),
    sa.Column("unit", sa.String),
    sa.Column("dimensions", sa.JSON, nullable=False),
)


def meters_at(connection: sa.Connection, version: int, tenant: str | None = None) -> dict[str, list[Meter]]:
    """Each tenant's meters as catalog version `version` has them, ordered by name."""
    query = (
        sa.select(meters)
        .where(meters.c.version <= version)
        .where(sa.or_(meters.c.superseded.is_(None), meters.c.superseded > version))
        .order_by(meters.c.tenant, meters.c.name)
    )
    if tenant is not None:
        query = query.where(meters.c.tenant == tenant)
    found: dict[str, list[Meter]] = {}
    for row in connection.execute(query):
        meter = Meter(row.name, row.event_type, row.aggregation, row.value, row.unit, row.dimensions)
        found.setdefault(row.tenant, []).append(meter)
    return found


def write_meters(connection: sa.Connection, tenant: str, version: int, wanted: Sequence[Meter]) -> None:
    """Make `wanted` part of catalog version `version`; a meter that is the same already keeps its row."""
    current = {meter.name: meter for meter in meters_at(connection, version, tenant).get(tenant, [])}
    changed = [meter for meter in wanted if current.get(meter.name) != meter]
    if not changed:
        return
    connection.execute(
        sa.update(meters)
        .where(meters.c.tenant == tenant, meters.c.superseded.is_(None))
        .where(meters.c.name.in_([meter.name for meter in changed]))
        .values(superseded=version)
    )
    rows = [{"tenant": tenant, "version": version, **msgspec.to_builtins(meter)} for meter in changed]
    connection.execute(sa.insert(meters), rows)


class Layout(msgspec.Struct, frozen=True):
    """Which paths of an event type's data are read at admission, in the order a row stores them."""

    values: tuple[str, ...]
    dimensions: tuple[str, ...]


def layouts(wanted: Sequence[Meter]) -> dict[str, Layout]:
    """What is stored with an event of each type that one of a tenant's meters takes."""
    by_type: dict[str, list[Meter]] = {}
    for meter in wanted:
        by_type.setdefault(meter.event_type, []).append(meter)
    return {
        event_type: Layout(
            tuple(sorted({meter.value for meter in takers if meter.value is not None})),
            tuple(sorted({path for meter in takers for path in meter.dimensions.values()})),
        )
        for event_type, takers in by_type.items()
    }


Measure = tuple[str, str, str, int, list[str], list[int]]


def measures(by_tenant: dict[str, list[Meter]]) -> list[Measure]:
    """For each meter: tenant, event type, name, its value's position (0: count), its dimensions' names and places."""
    found: list[Measure] = []
    for tenant, wanted in by_tenant.items():
        layout_of = layouts(wanted)
        for meter in wanted:
            layout = layout_of[meter.event_type]
            position = 0 if meter.value is None else layout.values.index(meter.value) + 1
            names = sorted(meter.dimensions)
            places = [layout.dimensions.index(meter.dimensions[name]) + 1 for name in names]
            found.append((tenant, meter.event_type, meter.name, position, names, places))
    return found
