"""Lines of an invoice that the tax office looks at differently."""

from fractions import Fraction

import numpy as np

from rating.exact import Int64s
from rating.invoicing.discounts import FIXED, Discounts
from rating.invoicing.payments import EVERY_KIND, Credits
from rating.invoicing.settlement import Bills, Invoices, Terms, bills
from rating.invoicing.taxes import RateTable
from rating.periods import ALWAYS, NEVER
from rating.ratios import HALF_UP, Ratios
from rating.rounding import Rounding

HERE, NOWHERE = 4, 5
SOFTWARE, BOOKS = 20, 10


def ints(*values: int) -> Int64s:
    return np.array(values, dtype=np.int64)


def cents(*values: int) -> Ratios:
    return Ratios(ints(*values), ints(100))


def fractions(found: Ratios) -> list[Fraction]:
    return [Fraction(int(numerator), int(denominator)) for numerator, denominator in np.broadcast(*found)]


def two_invoices(place: Int64s) -> Bills:
    """One of software, a book and software again, less 10.00; one of a book."""
    table = RateTable(
        ints(HERE, HERE), ints(SOFTWARE, BOOKS), ints(1, 1), cents(1900, 700), ints(ALWAYS, ALWAYS), ints(NEVER, NEVER)
    )
    nothing = ints(0, 0, 0, 0, 0)
    invoices = Invoices(
        ints(0, 3, 4),
        cents(3000, 2000, 5000, 1000),
        ints(0, 0, 0, 0),
        ints(SOFTWARE, BOOKS, SOFTWARE, BOOKS),
        Discounts(nothing, ints(), cents()),
        Discounts(ints(0, 1, 1), ints(FIXED), cents(1000)),
        Credits(ints(0, 0, 1), cents(300), ints(EVERY_KIND)),
        place,
        ints(0, 0),
        Rounding(2, HALF_UP),
    )
    return bills(invoices, Terms(), table)


def test_each_category_is_taxed_on_what_discounts_leave_of_its_lines() -> None:
    found = two_invoices(ints(HERE, HERE))
    assert found.taxed.invoice.tolist() == [0, 0, 1]
    assert fractions(found.taxed.taxes.amount) == [Fraction("1.26"), Fraction("13.68"), Fraction("0.70")]
    assert fractions(found.taxed.amount) == [Fraction("14.94"), Fraction("0.70")]
    assert fractions(found.due) == [Fraction("104.94"), Fraction("7.70")]


def test_what_nobody_can_tax_is_named_with_its_invoice() -> None:
    found = two_invoices(ints(HERE, NOWHERE))
    assert found.taxed.invoice[found.taxed.taxes.untaxable].tolist() == [1]
    assert fractions(found.taxed.amount) == [Fraction("14.94"), 0]
