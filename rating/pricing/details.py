"""The details of lines: what each line is made of, a column for each thing that it may be made of.

A detail holds a row for every line; `present` says where there is one, and elsewhere it is worth nothing.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from rating import ratios
from rating.exact import Int64s
from rating.pricing.parts import Rounding
from rating.ratios import Bools, Ratios


class Kind(IntEnum):
    """What a detail bills."""

    USAGE = 0
    FLAT_FEE = 1
    MINIMUM = 2


class Amounts(NamedTuple):
    """What lines cost, before and after their rounding."""

    exact: Ratios
    rounded: Ratios


class Detail(NamedTuple):
    """One detail of every line."""

    kind: Kind
    tier: Int64s
    """From 1; 0 where there is none. One for all rows, or each its own."""
    present: Bools
    quantity: Ratios
    unit_amount: Ratios
    amount: Ratios
    discount: Ratios

    @property
    def total(self) -> Ratios:
        """What is owed for it."""
        return self.amount if not self.discount.numerator.any() else ratios.minus(self.amount, self.discount)


ONE = ratios.constant(1)
NOTHING = ratios.constant(0)
NO_TIER = np.zeros(1, dtype=np.int64)


def detail(kind: Kind, present: Bools, quantity: Ratios, unit_amount: Ratios, amount: Ratios) -> Detail:
    """A detail without tier or discount, worth nothing where it is not present."""
    return Detail(kind, NO_TIER, present, quantity, unit_amount, only(present, amount), NOTHING)


def without(gone: Bools, one: Detail) -> Detail:
    """The detail taken away where `gone`."""
    return one._replace(present=one.present & ~gone, amount=only(~gone, one.amount), discount=only(~gone, one.discount))


def only(present: Bools, amount: Ratios) -> Ratios:
    """The amounts where `present`, else nothing."""
    if len(amount.numerator) == 1 and not amount.numerator[0]:
        return amount
    # A product takes a quarter of the time of a choice.
    return Ratios(amount.numerator * present, amount.denominator)


def rounded(amount: Ratios, rounding: Rounding | None) -> Ratios:
    """Amounts as the rule says, exact without one."""
    if rounding is None:
        return amount
    return ratios.rounded_to(amount, rounding.scale, rounding.mode)


def rounded_once(exact: Ratios, rounding: Rounding | None) -> Amounts:
    """Lines' amounts as their rule says; where details are rounded, their sum already is."""
    return Amounts(exact, exact if rounding is None or rounding.of_details else rounded(exact, rounding))


def turned(column: Ratios, sign: Int64s | None) -> Ratios:
    """The column with the sign of each row, if there are signs."""
    return column if sign is None else Ratios(column.numerator * sign, column.denominator)


def total(details: Sequence[Detail], lines: int) -> Ratios:
    """What is owed for all details of each line."""
    amount = ratios.zeros(lines)
    for one in details:
        amount = ratios.plus(amount, one.total)
    return amount


def total_discount(details: Sequence[Detail], lines: int) -> Ratios:
    """What was taken off all details of each line."""
    discount = ratios.zeros(lines)
    for one in details:
        discount = ratios.plus(discount, one.discount)
    return discount
