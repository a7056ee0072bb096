"""Say at which instants the usage of a period is cut, so that no window of a charge begins or ends between two of them.

They are read from the catalog's different days and calendars alone: the engine sums usage between them while the book
is still being loaded.
"""

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from rating import catalog_tables as tables
from rating.periods import ANCHOR_MAX, EPOCH, UTC_MONTHS, Calendar, Period, day_number, day_start, instants

MARGIN = timedelta(days=2)
"""Zones are up to 26 hours apart: a day farther outside of a period begins outside of it in every zone."""


def boundaries(connection: sa.Connection, tenant: str, version: int, period: Period) -> list[int]:
    """Ascending, UTC milliseconds; the first and the last enclose the period in every calendar."""
    contracts = connection.execute(_contracts(tenant, version, period)).all()
    prices = connection.execute(tables.rows_at(tables.prices, tenant, version, "plan", "since").distinct()).all()
    own = connection.execute(_own_prices(tenant, version)).all()
    calendars = {UTC_MONTHS, *(Calendar(zone, anchor) for _, zone, anchor, _, _ in contracts)}
    zones_of_plan: dict[str, set[str]] = {}
    for plan, zone, *_ in contracts:
        zones_of_plan.setdefault(plan, set()).add(zone)
    days = {(day, zone) for _, zone, _, starts, ends in contracts for day in (starts, ends) if day}
    days |= {(since, zone) for plan, since in prices if since for zone in zones_of_plan.get(plan, ())}
    days |= {(since, zone) for since, zone in own if since}
    edges = {instant for calendar in calendars for instant in instants(period, *calendar)}
    cuts = {day_start(day_number(date.fromisoformat(day)), zone) for day, zone in days}
    return sorted(instant for instant in edges | cuts if min(edges) <= instant <= max(edges))


def _contracts(tenant: str, version: int, period: Period) -> sa.Select[Any]:
    """The different plans and calendars, and with them the first and last days that may lie in `period`."""
    earliest = (EPOCH + timedelta(days=period.first_day()) - MARGIN).isoformat()
    latest = (EPOCH + timedelta(days=period.end_day(ANCHOR_MAX)) + MARGIN).isoformat()
    columns = ("plan", "timezone", "anchor", "starts", "ends")
    of_contract = tables.rows_at(tables.contracts, tenant, version, *columns).subquery()
    near = [
        sa.case((of_contract.c[name].between(earliest, latest), of_contract.c[name])) for name in ("starts", "ends")
    ]
    return sa.select(of_contract.c.plan, of_contract.c.timezone, of_contract.c.anchor, *near).distinct()


def _own_prices(tenant: str, version: int) -> sa.Select[Any]:
    """The different first days of prices of single contracts, in the contract's zone."""
    price = tables.rows_at(tables.contract_prices, tenant, version, "contract", "since").subquery()
    contract = tables.rows_at(tables.contracts, tenant, version, "id", "timezone").subquery()
    return sa.select(price.c.since, contract.c.timezone).join(contract, contract.c.id == price.c.contract).distinct()
