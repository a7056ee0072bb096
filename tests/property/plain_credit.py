"""Credit as a plain loop keeps it, a day and a charge at a time; it knows nothing of the engine."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from rating.credit_grants import Grant
from tests.reference.burn_order import in_burn_order

NEVER = date(9999, 1, 1)
USUAL = ["priority asc", "expires asc (none last)", "kind promotional<recurring<prepaid", "from asc"]

BROUGHT = {"+API": "API", "+Disk": "Disk", "+Egress": "Egress"}
"""What was carried over, and the product that it was for."""
Owed = dict[str, dict[str, int]]
"""Customer by customer and product by product, in cents."""


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
        self.move("issued", max(self.grant.rollover_min - self.balance, 0) + self.grant.amount)

    @property
    def terms(self) -> dict[str, Any]:
        """What the reference's burn orders sort by."""
        grant = self.grant
        return {
            "account": self,
            "priority": str(grant.priority),
            "expires": grant.expires and grant.expires.isoformat(),
            "from": grant.effective.isoformat(),
            "kind": grant.kind,
            "cost_basis": grant.cost_basis,
            "amount": str(grant.amount),
            "products": str(len(grant.products)) if grant.products else None,
            "created": str(self.version),
        }


@dataclass
class Plain:
    """All credit, a day and a charge at a time."""

    accounts: list[Account] = field(default_factory=list)
    since: date = date(1, 1, 1)
    orders: dict[str, list[str]] = field(default_factory=dict)
    daily: set[str] = field(default_factory=set)

    carrying: set[str] = field(default_factory=set)
    debts: Owed = field(default_factory=dict)
    """What was carried over."""
    waiting: list[tuple[str, str, int]] = field(default_factory=list)
    """What is open of those who carry it over, the oldest first."""
    paid: Counter[tuple[str, str]] = field(default_factory=Counter)

    def close(self, month: int, owed: Owed, by_day: dict[date, Owed]) -> Counter[tuple[str, str]]:
        """What each grant pays of each product for a month; `by_day`: of it before midnights."""
        first, end = date(2026, month, 1), date(2026, month + 1, 1)
        is_late = end <= self.since
        start = end - timedelta(days=1) if is_late else self.since
        self.waiting, self.paid, self.debts = [], Counter(), {}
        back = {who: {one: left for one, left in of.items() if one in BROUGHT} for who, of in owed.items()}
        fresh = {who: {one: left for one, left in of.items() if one not in BROUGHT} for who, of in owed.items()}
        self.end_late(start)
        for account in self.accounts:
            if not account.is_issued and account.grant.effective <= start < account.expires:
                account.begin()
            if account.is_voided and self._is_by_day(account) and not is_late:
                account.end("voided")
        early = {} if is_late else {who: of for who, of in back.items() if who in self.carrying}
        if start >= first:
            self._pay(early, start)
        for day in [] if is_late else days(max(self.since, date(2025, 12, 31)), end):
            if day < end:
                self._pay(by_day.get(day, {}), day)
                self._midnight(day)
            if day == first:
                self._pay(early, day)
        for account in self.accounts:
            if account.is_voided and (not is_late or account.grant.effective <= start):
                account.end("voided")
        last = start if is_late else end
        self._pay({who: of for who, of in back.items() if who not in early}, last)
        for before in [] if is_late else by_day.values():
            fresh = {who: {one: left - before[who][one] for one, left in of.items()} for who, of in fresh.items()}
        self._pay(fresh, last)
        if is_late:
            self._end(end)
            for account in self._burning():
                if not account.is_issued and not account.is_voided and account.grant.effective == end:
                    account.begin()
                    self._settle(end)
        else:
            self._midnight(end)
        self.since = max(self.since, end)
        for who, product, left in self.waiting:
            of = self.debts.setdefault(who, {})
            of[product] = of.get(product, 0) + left
        return +self.paid

    def end_late(self, day: date) -> None:
        """What a month that was closed late has begun after its end is over now."""
        for account in self.accounts:
            if account.expires <= day:
                account.end("expired")

    def _is_by_day(self, account: Account) -> bool:
        return account.grant.customer in self.daily | self.carrying

    def _burning(self) -> list[Account]:
        """Every account, customer by customer as they burn."""
        own = {who: [one for one in self.accounts if one.grant.customer == who] for who in ("a", "b")}
        return [
            terms["account"]
            for who, accounts in own.items()
            for terms in in_burn_order([one.terms for one in accounts], self.orders.get(who, USUAL))
        ]

    def _end(self, day: date) -> None:
        for account in self.accounts:
            if account.expires == day:
                account.end("expired")

    def _midnight(self, day: date) -> None:
        self._end(day)
        for account in self._burning():
            if not account.is_issued and account.grant.effective == day:
                if not account.is_voided or (day.day != 1 and not self._is_by_day(account)):
                    account.begin()
            elif account.is_refilled(day):
                account.refill()
            self._settle(day)

    def _settle(self, day: date) -> None:
        """What is filled pays what is open."""
        waiting, self.waiting = self.waiting, []
        for who, product, left in waiting:
            self._ask(who, product, left, day)

    def _pay(self, owed: Owed, last: date) -> None:
        for who, charges in owed.items():
            for charge, amount in charges.items():
                self._ask(who, BROUGHT.get(charge, charge), amount, last)

    def _ask(self, who: str, product: str, amount: int, last: date) -> None:
        left = amount
        accounts = [account for account in self._burning() if account.grant.customer == who]
        for account in accounts:
            grant = account.grant
            is_meant = not grant.products or product in grant.products
            if is_meant and account.is_active and grant.effective <= last:
                part = min(left, account.balance)
                account.move("used", part)
                self.paid[grant.id, product] += part
                left -= part
        if left and accounts and who in self.carrying:
            self.waiting.append((who, product, left))


def days(after: date, until: date) -> Iterator[date]:
    """Every day after one, up to another."""
    for number in range(1, (until - after).days + 1):
        yield after + timedelta(days=number)
