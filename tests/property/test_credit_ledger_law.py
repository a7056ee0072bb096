"""Over closes in any order, credit moves as a plain loop moves it, and no account makes or loses a unit of it."""

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from rating import repeat, runs
from rating.credit_balance import balances
from rating.credit_grants import Grant
from tests.unit.rating import crediting
from tests.unit.rating.world import TENANT, MemoryLedger, Use, applied, store, units

CATALOG = """
meters:
  - {name: calls, event_type: calls, aggregation: sum, value: n}
  - {name: gb, event_type: gb, aggregation: sum, value: n}
plans:
  - name: euro
    currency: EUR
    prices:
      - {product: API, meter: calls, model: per_unit, unit_price: 0.01}
      - {product: Egress, meter: gb, model: per_unit, unit_price: 1}
customers: [{id: a, subjects: [a]}, {id: b, subjects: [b]}]
contracts:
  - {id: A-1, customer: a, plan: euro, entity: DE01, start: 2026-01-01}
  - {id: B-1, customer: b, plan: euro, entity: DE01, start: 2026-01-01, timezone: America/New_York}
"""
PRODUCTS = {"calls": ("API", 1), "gb": ("Egress", 100)}
"""Of each meter: its product, and what a unit costs in cents."""
MONTHS = [1, 2, 3]
DAYS = [date(2026, month, day) for month in (1, 2, 3) for day in (1, 2, 14, 28)]
NEVER = date(9999, 1, 1)
KINDS = ("promotional", "recurring", "prepaid")


@dataclass
class Account:
    """What the plain loop knows of a grant."""

    grant: Grant
    version: int
    balance: int = 0
    is_issued: bool = False
    is_active: bool = False
    is_voided: bool = False
    moved: Counter[str] = field(default_factory=Counter)

    def move(self, account: str, amount: int) -> None:
        self.moved[account] += amount
        self.balance += amount if account == "issued" else -amount

    @property
    def expires(self) -> date:
        return self.grant.expires or NEVER

    def begin(self) -> None:
        self.is_issued = self.is_active = True
        self.move("issued", self.grant.amount)

    def end(self, account: str) -> None:
        if self.is_active:
            self.move(account, self.balance)
            self.is_active = False

    def is_refilled(self, day: date) -> bool:
        since = self.grant.effective
        on_time = {"P1M": day.day == since.day, "P7D": (day - since).days % 7 == 0}
        return self.is_active and day > since and on_time.get(self.grant.every, False)

    def refill(self) -> None:
        self.move("forfeited", max(self.balance - self.grant.rollover_max, 0))
        self.move("issued", self.grant.amount)

    @property
    def place(self) -> tuple[Any, ...]:
        """Where it stands in the burn order."""
        grant = self.grant
        return grant.priority, self.expires, KINDS.index(grant.kind), grant.effective, self.version


@dataclass
class Plain:
    """All credit, a day and a charge at a time."""

    accounts: list[Account] = field(default_factory=list)
    since: date = date(1, 1, 1)

    def close(self, month: int, owed: dict[str, dict[str, int]]) -> Counter[tuple[str, str]]:
        """What each grant pays of each product for a month."""
        end = date(2026, month + 1, 1)
        is_late = end <= self.since
        start = end - timedelta(days=1) if is_late else self.since
        for account in self.accounts:
            if not account.is_issued and account.grant.effective <= start < account.expires:
                account.begin()
        for day in [] if is_late else days(max(self.since, date(2025, 12, 31)), end):
            if day < end:
                self._midnight(day)
        for account in self.accounts:
            if account.is_voided and (not is_late or account.grant.effective <= start):
                account.end("voided")
        paid = self._pay(owed, start if is_late else end)
        if is_late:
            for account in self.accounts:
                if not account.is_issued and not account.is_voided and account.grant.effective == end:
                    account.begin()
                if account.expires == end:
                    account.end("expired")
        else:
            self._midnight(end)
        self.since = max(self.since, end)
        return paid

    def _midnight(self, day: date) -> None:
        for account in self.accounts:
            if account.expires == day:
                account.end("expired")
            elif not account.is_issued and account.grant.effective == day:
                if not account.is_voided or day.day != 1:
                    account.begin()
            elif account.is_refilled(day):
                account.refill()

    def _pay(self, owed: dict[str, dict[str, int]], last: date) -> Counter[tuple[str, str]]:
        paid: Counter[tuple[str, str]] = Counter()
        for customer, charges in owed.items():
            for product, amount in charges.items():
                left = amount
                for account in sorted(self.accounts, key=lambda one: one.place):
                    grant = account.grant
                    is_meant = grant.customer == customer and (not grant.products or product in grant.products)
                    if is_meant and account.is_active and grant.effective <= last:
                        part = min(left, account.balance)
                        account.move("used", part)
                        paid[grant.id, product] += part
                        left -= part
        return +paid


def days(after: date, until: date) -> Iterator[date]:
    """Every day after one, up to another."""
    for number in range(1, (until - after).days + 1):
        yield after + timedelta(days=number)


@st.composite
def grants(draw: st.DrawFn, number: int) -> Grant:
    effective = draw(st.sampled_from(DAYS))
    kind = draw(st.sampled_from(KINDS))
    later = [day for day in DAYS if day > effective]
    return Grant(
        id=f"g{number}",
        customer=draw(st.sampled_from(["a", "a", "b"])),
        currency="EUR",
        amount=draw(st.integers(1, 500)),
        kind=kind,  # type: ignore[arg-type]
        name=draw(st.sampled_from(["Welcome", "Top-up"])),
        effective=effective,
        expires=draw(st.sampled_from([None, *later])),
        products=draw(st.sampled_from([(), (), ("API",), ("Egress",), ("API", "Egress")])),
        priority=draw(st.sampled_from([0, 0, 1])),
        every=draw(st.sampled_from(["P1M", "P7D"])) if kind == "recurring" else "",
        rollover_max=draw(st.sampled_from([0, 50, 10**6])) if kind == "recurring" else 0,
    )


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """Grants, voids, closes of months in any order, and closes taken back."""
    kinds = draw(
        st.lists(st.sampled_from(["grant", "grant", "grant", "close", "close", "void", "discard"]), max_size=16)
    )
    history: list[tuple[str, Any]] = []
    for number, kind in enumerate(["grant", *kinds, "close"]):
        own = {"grant": grants(number), "close": st.sampled_from(MONTHS)}.get(kind, st.integers(0, 20))
        history.append((kind, draw(own)))
    return history


USES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(MONTHS),
        st.sampled_from([("gb", 3), ("gb", 7), ("calls", 40), ("calls", 333), ("calls", -60)]),
    ),
    max_size=10,
)


class World:
    """The closes of a tenant beside the plain loop."""

    def __init__(self, used: list[tuple[str, int, tuple[str, int]]]) -> None:
        self.relational = store()
        applied(self.relational, CATALOG)
        self.used = used
        middle = {month: round(datetime(2026, month, 15, tzinfo=UTC).timestamp()) * 1000 for month in MONTHS}
        self.ledger = MemoryLedger([Use(meter, who, middle[month], units(n)) for who, month, (meter, n) in used])
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
        self.plain = Plain([known[account.grant.id] for account in self.plain.accounts], earlier.since)

    def close(self, month: int) -> None:
        self.before.append((month, deepcopy(self.plain)))
        expected = self.plain.close(month, self.owed(month))
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
        self.compare()

    def totals(self, month: int) -> Counter[str]:
        found: Counter[str] = Counter()
        for who, when, (meter, quantity) in self.used:
            found[who] += quantity * PRODUCTS[meter][1] if when == month else 0
        return found

    def owed(self, month: int) -> dict[str, dict[str, int]]:
        """What is to be paid, customer by customer: what is below zero comes off the other line."""
        sums: dict[str, dict[str, int]] = {who: {"API": 0, "Egress": 0} for who in ("a", "b")}
        for who, when, (meter, quantity) in self.used:
            product, price = PRODUCTS[meter]
            sums[who][product] += quantity * price if when == month else 0
        for charges in sums.values():
            charges["Egress"] = max(charges["Egress"] + min(charges["API"], 0), 0)
            charges["API"] = max(charges["API"], 0)
        return sums

    def compare(self) -> None:
        """What every account says, and that every run that stands gives the same again."""
        end = datetime(self.plain.since.year, self.plain.since.month, 1, tzinfo=UTC)
        with self.relational.connect() as connection:
            held = balances(self.ledger, connection, TENANT, round(end.timestamp()) * 1000)
            for run in runs.live_runs(connection, TENANT):
                assert list(repeat.problems(self.ledger, connection, run)) == []
        left = {one.id: one.balance for one in held}
        assert all(balance >= 0 for balance in left.values())
        for account in self.plain.accounts:
            if account.is_issued:
                assert left[account.grant.id] == account.balance
        said = {one.id: one.moved for one in held}
        for account in self.plain.accounts:
            if account.is_issued and not account.is_voided:
                assert +Counter(said[account.grant.id]) == +account.moved


def name(month: int) -> str:
    return f"2026-{month:02}"


@settings(max_examples=60)
@given(histories(), USES)
def test_credit_moves_as_a_plain_loop_moves_it(
    history: list[tuple[str, Any]], used: list[tuple[str, int, tuple[str, int]]]
) -> None:
    world = World(used)
    for kind, what in history:
        world.act(kind, what)


@settings(max_examples=20)
@given(histories(), USES)
def test_a_run_taken_back_and_made_again_is_the_same_run(
    history: list[tuple[str, Any]], used: list[tuple[str, int, tuple[str, int]]]
) -> None:
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
