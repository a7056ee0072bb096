"""Tax amounts: every rate on the same base, each rounded alone; the rates come from our table or from a tax service.

Asking stores nothing, so a service that does not answer is simply asked again: TaxesUnavailable. What it, or the table,
can't tax is no error but a value: those rows are named, and their invoices have to wait for somebody.
"""

from typing import NamedTuple, Protocol

import numpy as np

from rating.exact import Int64s
from rating.groups import group_of, offsets
from rating.ragged import expand
from rating.ratios import Ratios, constant, taken, times
from rating.rounding import Rounding, rounded, rule_of


class TaxesUnavailable(Exception):
    """No answer: ask again later."""


class Taxable(NamedTuple):
    """Amounts that are taxed alike, row by row: one category of one invoice. Codes are the catalog's."""

    base: Ratios
    place: Int64s
    """Where it is taxed."""
    category: Int64s
    """What it is to the tax office."""
    day: Int64s
    rule: Rounding | None


class Taxes(NamedTuple):
    """What is due to tax offices."""

    row: Int64s
    """The taxable amount, ascending."""
    tax: Int64s
    """Which tax it is."""
    percent: Ratios
    amount: Ratios
    untaxable: Int64s
    """Rows that nobody knows the taxes of; of an amount that is exempt it is known that there are none."""


class TaxService(Protocol):
    """Whoever knows the taxes."""

    def taxes(self, taxable: Taxable) -> Taxes:
        """The taxes of every row, or TaxesUnavailable."""


class RateTable(NamedTuple):
    """Rates by place and category; each row holds from `since` until the day before `until`."""

    place: Int64s
    category: Int64s
    tax: Int64s
    percent: Ratios
    since: Int64s
    until: Int64s

    def taxes(self, taxable: Taxable) -> Taxes:
        """What the table says; a place and category that it names on another day only are exempt."""
        # Ranks, and not the codes themselves, so that pairs of any codes make small keys.
        places, place = np.unique(np.concatenate([self.place, taxable.place]), return_inverse=True)
        _, category = np.unique(np.concatenate([self.category, taxable.category]), return_inverse=True)
        named = category * len(places) + place
        keys, asked = named[: len(self.place)], named[len(self.place) :]
        order = np.lexsort((self.tax, keys))
        first, after = (np.searchsorted(keys[order], asked, side=side) for side in ("left", "right"))
        row, found = expand(first, after)
        rate = order[found]
        holds = (self.since[rate] <= taxable.day[row]) & (taxable.day[row] < self.until[rate])
        row, rate = row[holds], rate[holds]
        percent = taken(self.percent, rate)
        counts = offsets(np.bincount(row, minlength=len(asked)))
        amount = taxes_on(taxable.base, counts, percent, taxable.rule)
        return Taxes(row, self.tax[rate], percent, amount, np.flatnonzero(first == after))


def taxes_on(base: Ratios, offset: Int64s, percent: Ratios, rule: Rounding | None) -> Ratios:
    """Each rate of a group on the group's base; the rule's rows are the bases."""
    own = group_of(offset)
    return rounded(times(times(taken(base, own), percent), constant(1, 100)), rule_of(rule, own))
