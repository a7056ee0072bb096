"""Say what is agreed beside prices, what commitments, discounts and taxes are, as structs, in words and as JSON."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import TypeVar

import msgspec

from rating.pricing.written import number_text as text
from rating.pricing.written import read_number, written_number

Agreed = TypeVar("Agreed")

STANDARD = "standard"
"""The tax category of whatever names none."""


class Step(msgspec.Struct, frozen=True):
    """What is committed to in a window that begins on a day (None: on any) or later, until the next step."""

    amount: Fraction
    since: date | None = None


class Commitment(msgspec.Struct, frozen=True):
    """What a contract's usage and fees come to in a window at least, or may before the rest costs more."""

    product: str
    """What its line on the invoice is called."""
    steps: tuple[Step, ...]
    """Ordered by first day; the one that holds when the window or the contract begins is that window's."""
    true_up: bool = True
    """Whether what is missing is charged."""
    overage_factor: Fraction = Fraction(1)
    tax_category: str = STANDARD
    months: int = 1
    """How long a window is: the first begins with the month in which the contract does."""


class Discount(msgspec.Struct, frozen=True):
    """A percentage, or an amount, off what a contract charges in a period; of products, off each of their lines."""

    name: str
    percent: Fraction | None = None
    amount: Fraction | None = None
    products: tuple[str, ...] = ()
    """Empty: all that the contract charges, its commitment too."""


class Tax(msgspec.Struct, frozen=True):
    """A rate in percent on a category of goods at a place, from a day on (None: always) until its next rate."""

    name: str
    rate: Fraction
    place: str
    category: str = STANDARD
    since: date | None = None


class UnitRate(msgspec.Struct, frozen=True):
    """What a unit is worth from a day on (None: always), until its next rate."""

    rate: Fraction
    since: date | None = None


class PricingUnit(msgspec.Struct, frozen=True):
    """What a plan's prices are in instead of money."""

    name: str
    rates: tuple[UnitRate, ...]
    """In the plan's currency, ordered by first day; the first one holds always."""


def written(agreed: msgspec.Struct | Sequence[Discount] | None) -> str:
    """What is agreed as text, the same always as the same text; nothing is no text."""
    return msgspec.json.encode(agreed, enc_hook=written_number).decode() if agreed else ""


def read(said: str, kind: type[Agreed]) -> Agreed | None:
    """What `written` wrote."""
    return msgspec.json.decode(said, type=kind, dec_hook=read_number) if said else None


def discounts_in(said: str) -> tuple[Discount, ...]:
    """The discounts that `written` wrote."""
    return read(said, tuple[Discount, ...]) or ()


def tax_key(tax: Tax) -> tuple[str, str, str, date]:
    """What makes a rate this one, and where it stands in the table."""
    return tax.place, tax.category, tax.name, tax.since or date.min


def stand_ins(of_plan: Sequence[Discount], own: Sequence[Discount]) -> list[tuple[Discount, bool]]:
    """The discounts of a contract in their order, and which are its own: one of the same name stands in its place."""
    both = {one.name: (one, False) for one in of_plan} | {one.name: (one, True) for one in own}
    return list(both.values())


def commitment_in_words(commitment: Commitment | None) -> str:
    """Everything that the commitment says."""
    if commitment is None:
        return ""
    window = "a month" if commitment.months == 1 else f"in {commitment.months} months"
    steps = ", ".join(
        f"{text(step.amount)} {window}{f' from {step.since}' if step.since else ''}" for step in commitment.steps
    )
    over = "" if commitment.overage_factor == 1 else f", what is above it times {text(commitment.overage_factor)}"
    missing = "what is missing is charged" if commitment.true_up else "what is missing is not charged"
    return f"commits to {steps} ({commitment.product}: {missing}{over}{category_in_words(commitment.tax_category)})"


def unit_in_words(unit: PricingUnit | None, currency: str) -> str:
    """What it is called, and what it is worth."""
    if unit is None:
        return ""
    rates = (f"{text(one.rate)} {currency}{f' from {one.since}' if one.since else ''}" for one in unit.rates)
    return f"priced in {unit.name} at {', '.join(rates)}"


def discounts_in_words(discounts: Sequence[Discount] | None) -> str:
    """Every discount in its order."""
    return ", ".join(
        f"{one.name}: {f'{text(one.percent)} %' if one.percent is not None else text(one.amount or Fraction(0))} off"
        f"{' ' if one.products else ''}{' and '.join(one.products)}"
        for one in discounts or ()
    )


def tax_in_words(tax: Tax) -> str:
    """What the rate is."""
    return f"{text(tax.rate)} %"


def category_in_words(category: str) -> str:
    """A category that is not the standard one."""
    return "" if category == STANDARD else f", taxed as {category}"


def with_steps_in_order(commitment: Commitment | None) -> Commitment | None:
    """The same, with its steps by first day."""
    if commitment is None:
        return None
    steps = sorted(commitment.steps, key=lambda step: step.since or date.min)
    return msgspec.structs.replace(commitment, steps=tuple(steps))
