"""What whoever knows the taxes keeps to: our table of rates, and a service that is asked."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest

from rating.invoicing.taxes import RateTable, Taxable, TaxesUnavailable, TaxService
from rating.periods import ALWAYS, NEVER
from rating.ratios import HALF_UP, Ratios
from rating.rounding import Rounding
from tests.contract.memory_taxes import MemoryTaxes

BERLIN, QUEBEC, DELAWARE, ATLANTIS = 7, 3, 11, 99
SOFTWARE, BOOKS = 500, 2
VAT, FEDERAL, PROVINCIAL = 1, 2, 3
RAISED = 100
"""The day on which Berlin's rate was raised, and the first on which Delaware's one tax is gone."""

Rate = tuple[int, int, int, str, int, int]
RATES: list[Rate] = [
    (BERLIN, SOFTWARE, VAT, "16", ALWAYS, RAISED),
    (BERLIN, SOFTWARE, VAT, "19", RAISED, NEVER),
    (BERLIN, BOOKS, VAT, "7", ALWAYS, NEVER),
    (QUEBEC, SOFTWARE, PROVINCIAL, "9.975", ALWAYS, NEVER),
    (QUEBEC, SOFTWARE, FEDERAL, "5", ALWAYS, NEVER),
    (DELAWARE, SOFTWARE, PROVINCIAL, "1", ALWAYS, RAISED),
]


def table() -> RateTable:
    place, category, tax, percent, since, until = zip(*RATES, strict=True)
    thousandths = np.array([int(Fraction(each) * 1000) for each in percent])
    places, categories, taxes, begins, ends = (
        np.array(column, dtype=np.int64) for column in (place, category, tax, since, until)
    )
    return RateTable(places, categories, taxes, Ratios(thousandths, np.array([1000])), begins, ends)


def memory() -> MemoryTaxes:
    rates: dict[tuple[int, int], list[tuple[int, Fraction, tuple[int, int]]]] = {}
    for place, category, tax, percent, since, until in RATES:
        rates.setdefault((place, category), []).append((tax, Fraction(percent), (since, until)))
    return MemoryTaxes(rates)


SERVICES: dict[str, Callable[[], TaxService]] = {"table": table, "memory": memory}


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> TaxService:
    return SERVICES[request.param]()


def asked(*rows: tuple[int, int, int, int], scale: int = 2) -> Taxable:
    """Amounts in cents, their places, categories and days."""
    cents, place, category, day = (
        np.array(column, dtype=np.int64) for column in (zip(*rows, strict=True) if rows else ((), (), (), ()))
    )
    rule = Rounding(np.full(len(rows), scale), np.full(len(rows), HALF_UP))
    return Taxable(Ratios(cents, np.array([100])), place, category, day, rule)


def told(service: TaxService, taxable: Taxable) -> list[tuple[int, int, Fraction | int, Fraction | int]]:
    """Row by row: which tax, its percentage and its amount."""
    found = service.taxes(taxable)
    columns: Sequence[Ratios] = (found.percent, found.amount)
    percent, amount = ([Fraction(int(n), int(d)) for n, d in np.broadcast(*column)] for column in columns)
    return list(zip(found.row.tolist(), found.tax.tolist(), percent, amount, strict=True))


def test_a_rate_is_the_one_of_the_day(service: TaxService) -> None:
    days = asked((10_000, BERLIN, SOFTWARE, RAISED - 1), (10_000, BERLIN, SOFTWARE, RAISED))
    assert told(service, days) == [(0, VAT, 16, 16), (1, VAT, 19, 19)]


def test_several_taxes_are_on_one_base_and_rounded_each(service: TaxService) -> None:
    assert told(service, asked((10_010, QUEBEC, SOFTWARE, 0))) == [
        (0, FEDERAL, 5, Fraction("5.01")),
        (0, PROVINCIAL, Fraction("9.975"), Fraction("9.98")),
    ]


def test_categories_have_rates_of_their_own(service: TaxService) -> None:
    both = asked((10_000, BERLIN, BOOKS, 0), (10_000, BERLIN, SOFTWARE, 0))
    assert [amount for _, _, _, amount in told(service, both)] == [7, 16]


def test_taxes_are_rounded_as_the_currency_is(service: TaxService) -> None:
    assert told(service, asked((950, BERLIN, SOFTWARE, 0), scale=0)) == [(0, VAT, 16, 2)]


def test_a_correction_gives_its_tax_back(service: TaxService) -> None:
    assert told(service, asked((-10_000, BERLIN, SOFTWARE, 0))) == [(0, VAT, 16, -16)]


def test_what_is_exempt_has_no_tax_and_what_is_unknown_is_named(service: TaxService) -> None:
    found = service.taxes(
        asked((100, DELAWARE, SOFTWARE, RAISED), (100, ATLANTIS, SOFTWARE, 0), (100, QUEBEC, BOOKS, 0))
    )
    assert (found.row.tolist(), found.untaxable.tolist()) == ([], [1, 2])


def test_nothing_is_taxed_where_nothing_is_asked(service: TaxService) -> None:
    found = service.taxes(asked())
    assert (len(found.row), len(found.untaxable)) == (0, 0)


def test_a_service_out_of_reach_says_so_and_can_be_asked_again() -> None:
    service = memory()
    service.is_reachable = False
    with pytest.raises(TaxesUnavailable):
        service.taxes(asked((100, BERLIN, BOOKS, 0)))
    service.is_reachable = True
    assert told(service, asked((100, BERLIN, BOOKS, 0))) == [(0, VAT, 7, Fraction("0.07"))]
