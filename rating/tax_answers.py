"""Keep what a tax service answered a run, so that the run is rated again without asking anybody."""

from fractions import Fraction

import msgspec
import numpy as np
import pyarrow as pa

from ledger.digest import columns_digest
from ledger.errors import Refused
from rating.invoicing.taxes import Taxable, Taxes, TaxService
from rating.pricing.written import number_text
from rating.ratios import Ratios, of_fractions

ASKED = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("base", "place", "category", "day")])


class TaxAnswers(msgspec.Struct, frozen=True):
    """What a tax service was asked, and row by row what it answered."""

    asked: str
    """A digest of it, in hex."""
    row: list[int]
    tax: list[int]
    percent: list[str]
    amount: list[str]


class AskedOtherwise(Refused):
    """What was answered is no answer to this."""


class Recorded:
    """A tax service, and what it answered."""

    def __init__(self, service: TaxService) -> None:
        self._service = service
        self.answers: TaxAnswers | None = None
        """None until it is asked."""

    def taxes(self, taxable: Taxable) -> Taxes:
        """What the service says."""
        found = self._service.taxes(taxable)
        percent, amount = (_texts(ratios, len(found.row)) for ratios in (found.percent, found.amount))
        self.answers = TaxAnswers(_digest(taxable), found.row.tolist(), found.tax.tolist(), percent, amount)
        return found


class Answered:
    """A tax service that was asked before, and gives the answers it gave then."""

    def __init__(self, answers: TaxAnswers) -> None:
        self._answers = answers

    def taxes(self, taxable: Taxable) -> Taxes:
        """What the service said; AskedOtherwise where it was asked something else."""
        said = self._answers
        if _digest(taxable) != said.asked:
            raise AskedOtherwise("the tax service was asked about other amounts, and its answers are not for these")
        row, tax = (np.array(column, dtype=np.int64) for column in (said.row, said.tax))
        percent, amount = (of_fractions([Fraction(text) for text in texts]) for texts in (said.percent, said.amount))
        return Taxes(row, tax, percent, amount, np.zeros(0, dtype=np.int64))


def answered(answers: TaxAnswers | None) -> Answered | None:
    """Who gives the answers that a run kept; None where it asked nobody."""
    return None if answers is None else Answered(answers)


def _digest(taxable: Taxable) -> str:
    codes = ([str(one) for one in column.tolist()] for column in (taxable.place, taxable.category, taxable.day))
    asked = [_texts(taxable.base, len(taxable.place)), *codes]
    return columns_digest(pa.table(asked, schema=ASKED), ASKED).hex()


def _texts(ratios: Ratios, rows: int) -> list[str]:
    numerator, denominator = (np.broadcast_to(half, (rows,)).tolist() for half in ratios)
    return [number_text(Fraction(*pair)) for pair in zip(numerator, denominator, strict=True)]
