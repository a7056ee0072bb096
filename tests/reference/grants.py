"""Credits by the clock: grants begin, refill, reset, expire and are voided, and usage burns what is there at its time.

A grant is usable on [effective, end). At one instant an end comes first, then a reset, then beginnings and
refills, then usage; the closing instant is lived through but for its usage. Overage, where it is carried, is burnt by
whatever fills a grant.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from typing import Any

from tests.reference.burn_order import in_burn_order
from tests.reference.exactness import ZERO, Parameters, number, optional
from tests.reference.recurrence import refills

END, RESET, BEGIN, USE = range(4)
Step = tuple[datetime, int, Callable[[], None]]


def granted(price: Parameters, usage: Sequence[Parameters], credits_: Sequence[Parameters]) -> dict[str, Any]:
    """The balances at `until`, and what became of usage and grants on the way."""
    start, until = _span(price, usage, credits_)
    clock = Clock(price, in_burn_order(credits_, price["order"]), start)
    for step in sorted(_steps(clock, start, until, usage), key=lambda step: step[:2]):
        step[2]()
    return {
        "balances": clock.balances,
        "total_balance": sum(clock.balances.values(), ZERO),
        "covered": clock.covered,
        "overage": clock.overage,
        "uncovered": clock.uncovered,
        "expired": clock.expired,
        "voided": clock.voided,
        "error": clock.error,
    }


@dataclass
class Clock:
    """Every grant's balance at one instant; a grant that is not usable shows zero."""

    price: Parameters
    burning: list[Parameters]
    start: datetime
    balances: dict[str, Fraction] = field(init=False)
    active: set[str] = field(default_factory=set)
    expired: dict[str, Fraction] = field(default_factory=dict)
    voided: dict[str, Fraction] = field(default_factory=dict)
    covered: Fraction = ZERO
    uncovered: Fraction = ZERO
    error: str | None = None
    overage: Fraction = field(init=False)

    def __post_init__(self) -> None:
        self.balances = {grant["id"]: ZERO for grant in self.burning}
        self.overage = optional(self.price, "starting_overage")

    def begin(self, grant: Parameters, amount: Fraction) -> None:
        """The grant becomes usable with `amount`."""
        self.active.add(grant["id"])
        self._fill(grant, amount)

    def refill(self, grant: Parameters) -> None:
        """The balance is set to the grant's amount, whatever was left."""
        if grant["id"] in self.active:
            self._fill(grant, number(grant["amount"]))

    def end(self, grant: Parameters, record: dict[str, Fraction]) -> None:
        """The grant is not usable any more; what is left is lost, and recorded."""
        if grant["id"] in self.active:
            self.active.remove(grant["id"])
            record[grant["id"]] = self.balances[grant["id"]]
            self.balances[grant["id"]] = ZERO

    def reset(self) -> None:
        """Each grant keeps what its rollover bounds allow; overage is dropped unless the price keeps it."""
        for grant in self.burning:
            if grant["id"] in self.active:
                kept = max(self.balances[grant["id"]], optional(grant, "min_rollover"))
                self.balances[grant["id"]] = min(kept, optional(grant, "max_rollover"))
        if not self.price.get("reset_preserves_overage"):
            self.overage = ZERO
        self._burn_overage()

    def use(self, amount: Fraction) -> None:
        """Burn usable grants in order; the rest is overage where that is carried."""
        left = self._burn(amount)
        if self.price.get("overage", "").startswith("carried"):
            self.overage += left
        else:
            self.uncovered += left

    def void(self, grant_id: str) -> None:
        """Remove what is left of a grant; one that is spent or not usable can't be voided."""
        if grant_id not in self.active or not self.balances[grant_id]:
            self.error = "conflict"
            return
        self.end(next(grant for grant in self.burning if grant["id"] == grant_id), self.voided)

    def _fill(self, grant: Parameters, amount: Fraction) -> None:
        self.balances[grant["id"]] = amount
        self._burn_overage()

    def _burn_overage(self) -> None:
        self.overage = self._burn(self.overage)

    def _burn(self, amount: Fraction) -> Fraction:
        for grant in self.burning:
            if grant["id"] in self.active:
                part = min(amount, self.balances[grant["id"]])
                self.balances[grant["id"]] -= part
                self.covered += part
                amount -= part
        return amount


def _steps(clock: Clock, start: datetime, until: datetime, usage: Sequence[Parameters]) -> Iterator[Step]:
    for grant in clock.burning:
        yield from _grant_steps(clock, grant, start, until)
    for reset in clock.price.get("resets", []):
        if start <= instant(reset) <= until:
            yield instant(reset), RESET, clock.reset
    for entry in usage:
        at = instant(entry["at"])
        if entry.get("kind") == "void_grant":
            yield at, USE, partial(clock.void, entry["grant"])
        elif start <= at < until:
            yield at, USE, partial(clock.use, number(entry["amount"]))


def _grant_steps(clock: Clock, grant: Parameters, start: datetime, until: datetime) -> Iterator[Step]:
    effective = instant(grant["effective_at"])
    for name, record in (("expires_at", clock.expired), ("voided_at", clock.voided)):
        if grant.get(name) is not None and start < instant(grant[name]) <= until:
            yield instant(grant[name]), END, partial(clock.end, grant, record)
    ends = [instant(grant[name]) for name in ("expires_at", "voided_at") if grant.get(name) is not None]
    begins = max(start, effective)
    if begins > until or any(end <= begins for end in ends):
        return
    amount = (
        number(grant["amount"]) if effective > start else optional(grant, "starting_balance", number(grant["amount"]))
    )
    yield begins, BEGIN, partial(clock.begin, grant, amount)
    if grant.get("recurrence") is not None:
        for at in refills(grant["recurrence"], begins, until):
            yield at, BEGIN, partial(clock.refill, grant)


def _span(price: Parameters, usage: Sequence[Parameters], credits_: Sequence[Parameters]) -> tuple[datetime, datetime]:
    """The price's span, or from the first grant to the last usage."""
    if "start_at" in price:
        return instant(price["start_at"]), instant(price["until"])
    return min(instant(c["effective_at"]) for c in credits_), max(instant(entry["at"]) for entry in usage)


def instant(text: str) -> datetime:
    """An instant, or the midnight that begins a date, in UTC."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
