"""The past at other prices: from the charges where the draft cuts as the close did, from usage where it does not."""

import msgspec
import pyarrow as pa
import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from rating.calculation import calculate
from rating.catalog_store import newest_version
from rating.catalog_trial import Draft, drafted
from rating.close import Closed, close
from rating.cuts import cut_alike
from rating.differences import Sums, differences
from rating.runs import ENGINE_VERSION, Run, live_runs, runs
from rating.what_if import Again, Repricing
from tests.unit.rating.world import (
    CATALOG,
    DAY_MS,
    NOVEMBER,
    NOVEMBER_FIRST_MS,
    NOW_MS,
    TENANT,
    MemoryLedger,
    Use,
    applied,
    book_of,
    store,
    units,
)

USAGE = [
    Use("gb_out", "acme-prod", NOVEMBER_FIRST_MS, 2_500_000_000),
    Use("gb_out", "acme-test", NOVEMBER_FIRST_MS + 20 * DAY_MS, units(4)),
    Use("gb_out", "nobody", NOVEMBER_FIRST_MS, units(7)),
    *[Use("api_calls", "acme-prod", NOVEMBER_FIRST_MS + nth, units(1)) for nth in range(1030)],
]
PLAN = "plans: [{name: standard, currency: EUR, prices: [%s]}]"
DEARER = PLAN % '{product: Egress, meter: gb_out, model: per_unit, unit_price: "0.10"}'
FROM_THE_TENTH = PLAN % '{product: Egress, meter: gb_out, model: per_unit, unit_price: "0.10", from: 2026-11-10}'
SOMEBODY_ELSE = """
customers: [{id: new, name: New, subjects: [nobody]}]
contracts: [{id: C-9, customer: new, plan: standard, entity: DE01, start: 2026-01-01}]
"""
ON_THE_15TH = SOMEBODY_ELSE.replace("start: 2026-01-01", "start: 2026-01-01, anchor: 15")


@pytest.fixture
def relational() -> sa.Engine:
    engine = store()
    applied(engine, CATALOG)
    return engine


@pytest.fixture
def ledger(relational: sa.Engine) -> MemoryLedger:
    found = MemoryLedger(USAGE)
    assert isinstance(close(found, relational, TENANT, str(NOVEMBER), NOW_MS), Closed)
    return found


def again(ledger: MemoryLedger, relational: sa.Engine, text: str) -> tuple[Again, pa.Table]:
    """What-if's answer, and the draft's charges calculated from usage whatever was kept."""
    with relational.connect() as connection, drafted(relational, TENANT, text) as draft:
        assert isinstance(draft, Draft)
        run = the_run(connection)
        (found,) = Repricing(ledger, connection, TENANT, draft).charged_again([run])
        cutoff = run.manifest.cutoff
        slowly = calculate(ledger, draft.connection, TENANT, draft.version, NOVEMBER, cutoff, NOW_MS).charges
        return found, slowly


Totals = dict[tuple[str, str], int]
"""By customer and currency."""


def totals(sums: Sums) -> Totals:
    return {(who, what): amount for who, what, amount in zip(*(column.tolist() for column in sums), strict=True)}


def totals_of(charges: pa.Table) -> Totals:
    found: Totals = {}
    for row in charges.to_pylist():
        key = row["customer"], row["currency"]
        found[key] = found.get(key, 0) + row["amount"]
    return found


def the_run(connection: sa.Connection) -> Run:
    (run,) = live_runs(connection, TENANT)
    return run


@pytest.mark.parametrize(
    ("text", "from_charges", "after"),
    [
        (DEARER, True, 66),
        (FROM_THE_TENTH, False, 54),
        (SOMEBODY_ELSE, False, 69),
        (ON_THE_15TH, False, 34),
        (CATALOG, True, 34),
    ],
)
def test_a_draft_gives_the_charges_that_usage_would_give(
    ledger: MemoryLedger, relational: sa.Engine, text: str, from_charges: bool, after: int
) -> None:
    found, slowly = again(ledger, relational, text)
    assert found.from_charges == from_charges
    assert (totals(found.after), found.charges) == (totals_of(slowly), len(slowly))
    assert totals(found.before) == {("acme", "EUR"): 34}
    assert sum(found.after.amount.tolist()) == after


MINIMUM = "adjustments: [{minimum: %s}]"
BILLS_UNUSED = CATALOG.replace(
    "prices:\n",
    "prices:\n      - {product: Base, model: flat, amount: 7}\n      - {product: Seats, model: flat, amount: 1}\n",
).replace('unit_price: "0.05"', f'unit_price: "0.05", {MINIMUM % 3}')
QUIET = """
customers: [{id: quiet, name: Quiet, subjects: [quiet-prod]}]
contracts: [{id: C-2, customer: quiet, plan: standard, entity: DE01, start: 2026-01-01}]
"""


@pytest.mark.parametrize(
    "price",
    [
        "{product: Base, model: flat, amount: 9}",
        f"{{product: Egress, meter: gb_out, model: per_unit, unit_price: 1, {MINIMUM % 2}}}",
        "{product: Egress, meter: gb_out, model: per_unit, unit_price: 1}",
        f"{{product: API, meter: api_calls, model: per_unit, unit_price: 1, {MINIMUM % 4}}}",
    ],
)
@pytest.mark.parametrize("engine", [ENGINE_VERSION, "another"])
def test_what_a_draft_leaves_alone_stays_what_was_charged(price: str, engine: str) -> None:
    relational, ledger = store(), MemoryLedger(USAGE)
    applied(relational, BILLS_UNUSED)
    applied(relational, QUIET)
    closed = close(ledger, relational, TENANT, str(NOVEMBER), NOW_MS)
    assert isinstance(closed, Closed)
    manifest = replace(closed.manifest, engine_version=engine)
    with relational.begin() as connection:
        connection.execute(sa.update(runs).values(manifest=msgspec.json.encode(manifest).decode()))
    found, slowly = again(ledger, relational, PLAN % price)
    assert found.from_charges
    assert (totals(found.after), found.charges) == (totals_of(slowly), len(slowly))


def test_an_anchor_cuts_usage_in_another_way() -> None:
    calendar, same, anchored = (
        book_of(CATALOG.replace("2026-01-01", f"2026-01-01{more}")) for more in ("", ", anchor: 1", ", anchor: 15")
    )
    assert cut_alike(calendar, same)
    assert not cut_alike(calendar, anchored)


def test_a_draft_is_nobodys_catalog(ledger: MemoryLedger, relational: sa.Engine) -> None:
    again(ledger, relational, DEARER)
    with relational.connect() as connection:
        assert newest_version(connection) == 1


def test_a_draft_with_a_mistake_is_told(relational: sa.Engine) -> None:
    with drafted(relational, TENANT, "plans: [{name: x}]") as draft:
        assert isinstance(draft, list)
        assert draft


def test_differences_are_summed_over_periods_per_customer_and_currency_the_greatest_first(
    ledger: MemoryLedger, relational: sa.Engine
) -> None:
    dearer, _ = again(ledger, relational, DEARER)
    new, _ = again(ledger, relational, SOMEBODY_ELSE)
    found = differences([(one.before, one.after) for one in (dearer, new, dearer)])
    assert [column.tolist() for column in (*found, found.change)] == [
        ["acme", "new"],
        ["EUR", "EUR"],
        [3 * 34, 0],
        [66 + 34 + 66, 35],
        [64, 35],
    ]
    assert len(differences([]).customer) == 0
