"""Read what a commitment's line was settled with: the commitment at its version, and what its window has charged."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from babel.numbers import get_currency_precision

from rating import catalog_tables as tables
from rating.agreements import Commitment, read
from rating.commitment_windows import Dates, Reader, first_day, month_number, period_of, windows
from rating.derivation.committing import Settling
from rating.derivation.used import Share
from rating.exact import Int64s
from rating.periods import NEVER, day_number, parse_period
from rating.runs import Run


class Committed(NamedTuple):
    """A commitment, and how it was settled."""

    commitment: Commitment
    settling: Settling


def committed(ledger: Reader, connection: sa.Connection, run: Run, charge: dict[str, Any]) -> Committed | None:
    """What stands behind a commitment's line of `run`; None where the catalog does not say it."""
    columns = ("starts", "ends", "anchor", "commitment", "version")
    query = tables.rows_at(tables.contracts, run.tenant, run.manifest.catalog_version, *columns)
    row = connection.execute(query.where(tables.contracts.c.id == charge["contract"])).one_or_none()
    commitment = None if row is None else read(row.commitment, Commitment)
    if row is None or commitment is None or row.version != charge["price_version"]:
        return None
    ends = NEVER if row.ends is None else day_number(date.fromisoformat(row.ends))
    dates = Dates(_one(day_number(date.fromisoformat(row.starts))), _one(ends), _one(row.anchor))
    return Committed(commitment, _settling(ledger, run, charge, commitment, dates))


def _settling(ledger: Reader, run: Run, charge: dict[str, Any], commitment: Commitment, dates: Dates) -> Settling:
    window = windows(dates, _one(commitment.months), parse_period(run.period))
    first, start = int(window.first_month[0]), int(window.start[0])
    begin, end = (int(first_day(_one(month), dates.anchor)[0]) for month in (first, first + commitment.months))
    share = Fraction(int(window.share.numerator[0]), int(window.share.denominator[0]))
    used_before, made_before = _charged(ledger, _runs_from(run, first), charge)
    return Settling(
        [step.amount for step in commitment.steps if step.since is None or day_number(step.since) <= start][-1],
        Share(share * (end - begin), Fraction(end - begin), "days"),
        f"{period_of(first)} to {period_of(first + commitment.months - 1)}" if commitment.months > 1 else "",
        used_before,
        made_before,
        run.period,
        _charged(ledger, [run.id], charge)[0],
        commitment.overage_factor,
        commitment.true_up and bool(window.is_last[0]),
    )


def _runs_from(run: Run, month: int) -> list[int]:
    """The runs that `run` counted from a month on."""
    counted = run.manifest.counted
    return [one for period, one in counted.items() if month_number(parse_period(period)) >= month]


def _charged(ledger: Reader, runs: Sequence[int], charge: dict[str, Any]) -> tuple[Fraction, Fraction]:
    """What runs charged the line's contract in its currency: for usage and fees, and for the commitment."""
    rows = ledger.charged_by_contract(runs, [charge["contract"]]).to_pylist() if runs else []
    of_currency = [row for row in rows if row["currency"] == charge["currency"]]
    unit = 10 ** int(get_currency_precision(charge["currency"]))
    used, made = (Fraction(sum(int(row[name]) for row in of_currency), unit) for name in ("used", "made"))
    return used, made


def _one(number: int) -> Int64s:
    return np.array([number], dtype=np.int64)
