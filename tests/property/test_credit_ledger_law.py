"""Over closes in any order, credit moves as a plain loop moves it, and no account makes or loses a unit of it."""

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from rating import repeat, runs
from rating.credit_balance import balances
from rating.credit_grants import Grant
from tests.property.plain_credit import BROUGHT, Account, Owed, Plain, days
from tests.unit.rating import crediting
from tests.unit.rating.world import TENANT, MemoryLedger, Use, applied, store, units

CATALOG = """
meters:
  - {name: calls, event_type: calls, aggregation: sum, value: n}
  - {name: gb, event_type: gb, aggregation: sum, value: n}
  - {name: disk, event_type: disk, aggregation: sum, value: n}
plans:
  - name: euro
    currency: EUR
    prices:
      - {product: API, meter: calls, model: per_unit, unit_price: 0.01}
      - {product: Egress, meter: gb, model: per_unit, unit_price: 1}
      - {product: Disk, meter: disk, model: volume, tiers: [{up_to: 10, unit_price: 0.1}, {unit_price: 0.05}]}
customers: [{id: a, subjects: [a]}, {id: b, subjects: [b]}]
contracts:
  - {id: A-1, customer: a, plan: euro, entity: DE01, start: 2026-01-01}
  - {id: B-1, customer: b, plan: euro, entity: DE01, start: 2026-01-01, timezone: America/New_York}
"""
PRODUCTS = {"calls": "API", "disk": "Disk", "gb": "Egress"}
"""Of each meter, in the order of an invoice."""
MONTHS = [1, 2, 3]
DAYS = [date(2026, month, day) for month in (1, 2, 3) for day in (1, 2, 14, 28)]
KINDS = ("promotional", "recurring", "prepaid")
ORDERS = st.lists(
    st.sampled_from(
        [
            *("priority asc", "priority desc", "expires asc", "expires desc (none last)", "from desc", "created desc"),
            *("kind prepaid<recurring", "kind recurring<promotional<prepaid", "cost_basis asc", "cost_basis desc"),
            *("amount asc", "amount desc", "products asc (none last)", "products desc"),
        ]
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda key: key.partition(" ")[0],
)
AGREED = st.tuples(
    st.sampled_from(["a", "b"]),
    ORDERS,
    st.sampled_from(["monthly", "daily"]),
    st.sampled_from(["carried", "invoiced", "carried"]),
)


@st.composite
def grants(draw: st.DrawFn, number: int) -> Grant:
    effective = draw(st.sampled_from(DAYS))
    kind = draw(st.sampled_from(KINDS))
    later = [day for day in DAYS if day > effective]
    least, most = draw(st.sampled_from([(0, 0), (0, 50), (30, 30), (30, 50), (0, 10**6)]))
    return Grant(
        id=f"g{number}",
        customer=draw(st.sampled_from(["a", "a", "b"])),
        currency="EUR",
        amount=draw(st.integers(1, 500)),
        kind=kind,  # type: ignore[arg-type]
        name=draw(st.sampled_from(["Welcome", "Top-up"])),
        effective=effective,
        expires=draw(st.sampled_from([None, *later])),
        products=draw(st.sampled_from([(), (), ("API",), ("Egress",), ("Disk", "API")])),
        priority=draw(st.sampled_from([0, 0, 1])),
        every=draw(st.sampled_from(["P1M", "P7D"])) if kind == "recurring" else "",
        rollover_min=least if kind == "recurring" else 0,
        rollover_max=most if kind == "recurring" else 0,
        cost_basis=draw(st.sampled_from(["0", "0.9", "0.90", "0.100", "12"])),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """Grants, voids, closes of months in any order, closes taken back, and burn orders that change."""
    happens = ["grant", "grant", "grant", "close", "close", "close", "void", "discard", "order"]
    kinds = draw(st.lists(st.sampled_from(happens), max_size=16))
    history: list[tuple[str, Any]] = []
    for number, kind in enumerate(["order", "order", "grant", *kinds, "close", "close"]):
        of_kind = {"grant": grants(number), "close": st.sampled_from(MONTHS), "order": AGREED}
        history.append((kind, draw(of_kind.get(kind, st.integers(0, 20)))))
    return history


Used = tuple[str, int, int, tuple[str, int]]
"""Who, the month and its day, and how much of which meter."""
USES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(MONTHS),
        st.sampled_from([2, 13, 14, 15, 27]),
        st.sampled_from(
            [("gb", 3), ("gb", 7), ("calls", 40), ("calls", 333), ("calls", -60), ("disk", 8), ("disk", 3)]
        ),
    ),
    min_size=3,
    max_size=12,
)


def cost(product: str, quantity: int) -> int:
    """In cents."""
    if product == "Disk":
        return quantity * (10 if quantity <= 10 else 5)
    return quantity * {"API": 1, "Egress": 100}[product]


class World:
    """The closes of a tenant beside the plain loop."""

    def __init__(self, used: list[Used]) -> None:
        self.relational = store()
        applied(self.relational, CATALOG)
        self.used = used
        self.ledger = MemoryLedger(
            [
                Use(meter, who, instant(month, day, nth), units(n))
                for nth, (who, month, day, (meter, n)) in enumerate(used)
            ]
        )
        self.plain = Plain()
        self.before: list[tuple[int, Plain]] = []
        """Months closed with credit, the last one last, each with what was there before."""

    def act(self, kind: str, what: Any) -> None:
        if kind == "grant":
            crediting.granted(self.relational, what)
            self.plain.accounts.append(Account(what, len(self.plain.accounts)))
        elif kind == "void":
            open_ones = [one for one in self.plain.accounts if not one.is_voided]
            if open_ones:
                account = open_ones[what % len(open_ones)]
                crediting.voided(self.relational, account.grant.id, 10**13)
                account.is_voided = True
        elif kind == "order":
            customer, order, drawn, overage = what
            keys = ", ".join(f'"{key}"' for key in order)
            credit = f"{{order: [{keys}], drawn: {drawn}, overage: {overage}}}"
            applied(self.relational, f"customers: [{{id: {customer}, subjects: [{customer}], credit: {credit}}}]")
            self.plain.orders[customer] = order
            for said, those in ((drawn == "daily", self.plain.daily), (overage == "carried", self.plain.carrying)):
                (those.add if said else those.discard)(customer)
        elif kind == "discard" and self.before:
            month, earlier = self.before.pop()
            crediting.discarded(self.relational, name(month))
            self.restore(earlier)
        elif kind == "close" and what not in [month for month, _ in self.before]:
            self.close(what)

    def restore(self, earlier: Plain) -> None:
        """Grants and voids stay; movements do not."""
        known = {account.grant.id: account for account in earlier.accounts}
        for account in self.plain.accounts:
            kept = known.get(account.grant.id, Account(account.grant, account.version))
            kept.is_voided = account.is_voided
            known[account.grant.id] = kept
        accounts = [known[account.grant.id] for account in self.plain.accounts]
        self.plain = replace(self.plain, accounts=accounts, since=earlier.since, debts=earlier.debts)

    def close(self, month: int) -> None:
        self.before.append((month, deepcopy(self.plain)))
        owed = self.owed(month)
        expected = self.plain.close(month, owed, self.by_day(month, owed))
        done = crediting.closed(self.ledger, self.relational, name(month))
        assert done.run is not None
        assert done.charges is not None
        charges = done.charges.to_pylist()
        entries = self.ledger.read_movements(done.run).to_pylist()
        paid: Counter[tuple[str, str]] = Counter()
        of_line: Counter[int] = Counter()
        for entry in (entry for entry in entries if entry["credit"] == "used"):
            paid[entry["grant_id"], charges[entry["charge"]]["product"]] += entry["amount"]
            of_line[entry["line"]] += entry["amount"]
        assert paid == expected
        credited = {row["line"]: -row["amount"] for row in charges if row["kind"] in ("credit", "promotion")}
        assert credited == dict(of_line)
        assert all(entry["amount"] > 0 for entry in entries)
        invoiced: Counter[str] = Counter()
        for row in charges:
            invoiced[row["customer"]] += row["amount"]
        assert all(invoiced[who] >= min(total, 0) for who, total in self.totals(month).items())
        carried: Owed = {}
        for row in (row for row in charges if row["kind"] == "carried" and row["amount"] < 0):
            carried.setdefault(row["customer"], {})[row["product"]] = -row["amount"]
        assert carried == self.plain.debts
        assert all(invoiced[who] <= 0 for who in carried)
        self.compare()

    def totals(self, month: int) -> Counter[str]:
        return Counter({who: sum(of.values()) for who, of in self.costs(month).items()})

    def costs(self, month: int, before: int = 99) -> Owed:
        """What usage before a day of the month comes to."""
        used = {(who, product): 0 for who in ("a", "b") for product in PRODUCTS.values()}
        for who, when, day, (meter, quantity) in self.used:
            used[who, PRODUCTS[meter]] += quantity if (when, day < before) == (month, True) else 0
        return {
            who: {product: cost(product, used[who, product]) for product in PRODUCTS.values()} for who in ("a", "b")
        }

    def owed(self, month: int) -> Owed:
        """What is to be paid: what is below zero comes off the other lines, in proportion."""
        found = self.costs(month)
        for who, debts in self.plain.debts.items():
            found[who] |= {back: debts[product] for back, product in BROUGHT.items() if product in debts}
        for of in found.values():
            above = {product: max(amount, 0) for product, amount in of.items()}
            off = min(sum(above.values()), -sum(min(amount, 0) for amount in of.values()))
            running = taken = 0
            for product, amount in above.items():
                running += amount
                share = running * off // max(sum(above.values()), 1)
                of[product] = amount - (share - taken)
                taken = share
        return found

    def by_day(self, month: int, owed: Owed) -> dict[date, Owed]:
        """Per midnight of the month: what the day before it adds for good, of those whose credit is drawn by day."""
        midnights = [day for day in days(date(2026, month, 1), date(2026, month + 1, 1)) if day.month == month]
        come = [self.costs(month, day.day) for day in midnights] + [self.costs(month)]
        found: dict[date, Owed] = {}
        before = {who: dict.fromkeys(of, 0) for who, of in owed.items()}
        for nth, day in enumerate(midnights):
            found[day] = {who: dict.fromkeys(of, 0) for who, of in owed.items()}
            for who in self.plain.daily:
                for product, payable in ((one, owed[who][one]) for one in PRODUCTS.values()):
                    of_all = come[-1][who][product]
                    for_good = max(min(one[who][product] for one in come[nth:]), 0)
                    until = payable * for_good // of_all if of_all > 0 else 0
                    found[day][who][product] = until - before[who][product]
                    before[who][product] = until
        return found

    def compare(self) -> None:
        """What every account says, and that every run that stands gives the same again."""
        end = datetime(self.plain.since.year, self.plain.since.month, 1, tzinfo=UTC)
        with self.relational.connect() as connection:
            held = balances(self.ledger, connection, TENANT, round(end.timestamp()) * 1000)
            for run in runs.live_runs(connection, TENANT):
                assert list(repeat.problems(self.ledger, connection, run)) == []
        plain = deepcopy(self.plain)
        plain.end_late(plain.since)
        left = {one.id: one.balance for one in held}
        assert all(balance >= 0 for balance in left.values())
        for account in plain.accounts:
            if account.is_issued:
                assert left[account.grant.id] == account.balance
        said = {one.id: one.moved for one in held}
        for account in plain.accounts:
            if account.is_issued and not account.is_voided:
                assert +Counter(said[account.grant.id]) == +account.moved


def instant(month: int, day: int, nth: int) -> int:
    """The first or the last instant of a day."""
    midnight = round(datetime(2026, month, day, tzinfo=UTC).timestamp()) * 1000
    return midnight if nth % 2 else midnight + 86_400_000 - 1


def name(month: int) -> str:
    return f"2026-{month:02}"


@settings(max_examples=60)
@given(histories(), USES)
def test_credit_moves_as_a_plain_loop_moves_it(history: list[tuple[str, Any]], used: list[Used]) -> None:
    world = World(used)
    for kind, what in history:
        world.act(kind, what)


@settings(max_examples=20)
@given(histories(), USES)
def test_a_run_taken_back_and_made_again_is_the_same_run(history: list[tuple[str, Any]], used: list[Used]) -> None:
    world = World(used)
    for kind, what in history:
        world.act(kind, what)
    if world.before:
        month, _ = world.before[-1]
        first = live(world.relational)[name(month)]
        crediting.discarded(world.relational, name(month))
        again = crediting.closed(world.ledger, world.relational, name(month)).manifest
        assert first.manifest.credits is not None
        assert again.credits is not None
        if first.manifest.credits.version == again.credits.version:
            assert again == first.manifest


def live(relational: sa.Engine) -> dict[str, runs.Run]:
    with relational.connect() as connection:
        return {run.period: run for run in runs.live_runs(connection, TENANT)}
