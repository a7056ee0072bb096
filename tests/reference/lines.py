"""What a price is applied to and what comes out of it: usage in, detailed lines out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from tests.reference.exactness import ZERO, Parameters, optional


@dataclass(frozen=True)
class Usage:
    """One line's usage: its own quantity, what its period had metered before it, and where in the period it stands."""

    quantity: Fraction
    before: Fraction = ZERO
    position: str = "single"
    events: tuple[Fraction, ...] = ()

    @property
    def after(self) -> Fraction:
        """The quantity metered since the period began."""
        return self.before + self.quantity

    @property
    def opens_period(self) -> bool:
        """Whether this line bills what a period owes once, at its start."""
        return self.position in {"single", "first"}

    @property
    def closes_period(self) -> bool:
        """Whether this line bills what a period owes once, at its end."""
        return self.position in {"single", "last"}


@dataclass(frozen=True)
class Line:
    """One detailed line; `key` says what it bills, and is the same in every split and every re-rating."""

    key: str
    name: str
    quantity: Fraction
    unit_amount: Fraction
    amount: Fraction
    discount: Fraction = ZERO
    tier: int | None = None

    @property
    def total(self) -> Fraction:
        """What is owed for the line."""
        return self.amount - self.discount

    def negated(self) -> "Line":
        """The same line with its money returned."""
        return replace(self, quantity=-self.quantity, amount=-self.amount, discount=-self.discount)

    def fields(self) -> dict[str, Any]:
        """The line as the cases print it."""
        return {
            "name": self.name,
            "tier": None if self.tier is None else Fraction(self.tier),
            "quantity": self.quantity,
            "unit_amount": self.unit_amount,
            "amount": self.amount,
            "discount": self.discount,
            "total": self.total,
        }


def total_of(lines: Iterable[Line]) -> Fraction:
    """What is owed for all of `lines`."""
    return sum((line.total for line in lines), ZERO)


def split_of(price: Parameters) -> tuple[Fraction, str]:
    """The quantity metered before this line, and the line's position in its period."""
    split = price.get("split_line", {})
    return optional(split, "quantity_before"), split.get("position", "single")
