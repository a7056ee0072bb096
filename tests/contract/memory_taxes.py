"""A tax service that answers from a dictionary, one amount after the other, as if it were far away."""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from rating.exact import narrowed
from rating.invoicing.taxes import Taxable, Taxes, TaxesUnavailable
from rating.ratios import Ratios
from rating.rounding import Rounding, rounded

Dated = tuple[int, int]
"""The first day a rate holds and the first it doesn't."""


class MemoryTaxes:
    """Knows (tax, percent, dates) by (place, category), and can be out of reach."""

    def __init__(self, rates: Mapping[tuple[int, int], list[tuple[int, Fraction, Dated]]]) -> None:
        self.rates = rates
        self.is_reachable = True

    def taxes(self, taxable: Taxable) -> Taxes:
        """One look-up an amount."""
        if not self.is_reachable:
            raise TaxesUnavailable("no answer")
        due: list[tuple[int, int, Fraction, Fraction]] = []
        unknown: list[int] = []
        bases = np.broadcast(taxable.base.numerator, taxable.base.denominator)
        for row, (numerator, denominator) in enumerate(bases):
            place, category, day = (int(column[row]) for column in taxable[1:4])
            if (place, category) not in self.rates:
                unknown.append(row)
            for tax, percent, (since, until) in sorted(self.rates.get((place, category), [])):
                if since <= day < until:
                    amount = Fraction(int(numerator), int(denominator)) * percent / 100
                    due.append((row, tax, percent, self._money(amount, taxable.rule, row)))
        return Taxes(
            np.array([row for row, _, _, _ in due], dtype=np.int64),
            np.array([tax for _, tax, _, _ in due], dtype=np.int64),
            _column([percent for _, _, percent, _ in due]),
            _column([amount for _, _, _, amount in due]),
            np.array(unknown, dtype=np.int64),
        )

    @staticmethod
    def _money(amount: Fraction, rule: Rounding | None, row: int) -> Fraction:
        money = rounded(_column([amount]), None if rule is None else rule.of(np.array([row])))
        return Fraction(int(money.numerator[0]), int(money.denominator[0]))


def _column(values: list[Fraction]) -> Ratios:
    halves = ([value.numerator for value in values], [value.denominator for value in values])
    return Ratios(*(narrowed(np.array(half, dtype=np.object_)) for half in halves))
