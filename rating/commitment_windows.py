"""Say which window of its commitment each contract is in, and what the earlier months of the window charged it.

A window is so many months, and the first one begins with the month in which its contract does. What exceeds the
commitment is charged in the months that it falls into, and what is missing of it in the last one.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.charges import BY_CONTRACT, COMMITMENT, FEE, USAGE
from ledger.digest import columns_digest
from ledger.errors import Refused
from rating.book import Book, positions
from rating.exact import Exact, Int64s, from_decimals, narrowed
from rating.invoicing.commitment import ramped
from rating.periods import EPOCH, Period, parse_period
from rating.proration.shares import share
from rating.ratios import Bools, Ratios, spread, taken, times

YEAR_MONTHS = 12
COUNTED = (USAGE, FEE, COMMITMENT)
"""The kinds of charges that a window adds up."""
SUMS = ("contract", "currency", "used_sum", "made_sum")
SAID = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("used", "made")])


class Reader(Protocol):
    """What earlier months charged."""

    def charged_by_contract(self, runs: Sequence[int], contracts: Sequence[str]) -> pa.Table:
        """What some runs charged some contracts: usage and fees, and apart from them what commitments made."""


class Earlier(NamedTuple):
    """The periods before one."""

    ledger: Reader
    runs: Mapping[str, int]
    """Of those that are closed."""


class Dates(NamedTuple):
    """Row by row, when a contract holds, and on which day of the month its periods begin."""

    starts: Int64s
    ends: Int64s
    anchor: Int64s


class Windows(NamedTuple):
    """Row by row, the window that a contract is in."""

    first_month: Int64s
    """Counted from 1970-01."""
    start: Int64s
    """The first day on which the contract holds in it, which says what it commits to."""
    share: Ratios
    """Of its days: those on which the contract holds."""
    is_last: Bools
    """Whether the contract has no later month in it."""


class SoFar(NamedTuple):
    """Commitments that hold in a period, row by row, and where they stand before it."""

    row: Int64s
    """Of the book's commitments."""
    amount: Ratios
    """What is committed to in the window."""
    is_last: Bools
    used: Exact
    """What usage and fees of earlier months of the window came to, in minor units."""
    made: Exact
    """What was charged for the commitment itself, or given back."""
    counted: dict[str, int]
    """The runs that say so, by period."""

    @property
    def digest(self) -> str:
        """What earlier months say, in hex."""
        said = {name: [str(one) for one in getattr(self, name).tolist()] for name in ("used", "made")}
        return columns_digest(pa.table(said, SAID), SAID).hex()


def windows(contracts: Dates, months: Int64s, period: Period) -> Windows:
    """The windows that contracts are in during `period`, in which each of them holds."""
    starts, ends, anchor = contracts
    begun = starts.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    begun -= starts < first_day(begun, anchor)
    number = month_number(period)
    first = begun + (number - begun) // months * months
    start, end = first_day(first, anchor), first_day(first + months, anchor)
    held, left = np.maximum(starts, start), np.minimum(ends, end)
    return Windows(first, held, share(held, left, start, end), left <= first_day(_all(number + 1, anchor), anchor))


def month_number(period: Period) -> int:
    """`period`, counted from 1970-01."""
    return (period.year - EPOCH.year) * YEAR_MONTHS + period.month - 1


def period_of(month: int) -> Period:
    """The period of this number."""
    years, months = divmod(month, YEAR_MONTHS)
    return Period(EPOCH.year + years, months + 1)


def first_day(month: Int64s, anchor: Int64s) -> Int64s:
    """The first day of each month's period, counted from 1970-01-01."""
    begins, ends = (one.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for one in (month, month + 1))
    days: Int64s = begins + np.minimum(anchor, ends - begins) - 1
    return days


def so_far(earlier: Earlier, book: Book, period: Period) -> SoFar:
    """Where the commitments of `period` stand; Refused where a month that counts is not closed."""
    said, contracts = book.agreed.commitments, book.contracts
    anchor = np.array([one.anchor for one in book.calendars], dtype=np.int64)[contracts.calendar[said.contract]]
    dates = Dates(contracts.starts[said.contract], contracts.ends[said.contract], anchor)
    opens, closes = (first_day(_all(month_number(period) + later, anchor), anchor) for later in (0, 1))
    row = np.flatnonzero((dates.starts < closes) & (dates.ends > opens))
    found = windows(Dates(*(column[row] for column in dates)), said.months[row], period)
    amount = spread(times(ramped(said.ramp, said.terms[row], found.start), found.share), len(row))
    holds = np.flatnonzero(amount.numerator)
    row, first_month = row[holds], found.first_month[holds]
    counted = _counted(earlier.runs, book, said.contract[row], first_month, period)
    used, made = _charged(earlier.ledger, book, said.contract[row], first_month, counted)
    return SoFar(row, taken(amount, holds), found.is_last[holds], used, made, counted)


def summed(charges: pa.Table, run: int, contracts: pa.Array) -> pa.Table:
    """What charges, as `run`, come to for some contracts: the answer of a reader that has them in memory."""
    of_contracts = pc.and_(pc.is_in(charges["contract"], contracts), pc.is_in(charges["kind"], pa.array(COUNTED)))
    chosen = charges.filter(of_contracts)
    is_made, kind = pc.equal(chosen["kind"], COMMITMENT), BY_CONTRACT.field("used").type
    amount, nothing = chosen["amount"].cast(kind), pa.scalar(Decimal(0), kind)
    columns = {
        "contract": chosen["contract"],
        "currency": chosen["currency"],
        "used": pc.if_else(is_made, nothing, amount),
        "made": pc.if_else(is_made, amount, nothing),
    }
    sums = pa.table(columns).group_by(["contract", "currency"]).aggregate([("used", "sum"), ("made", "sum")])
    named = [pa.repeat(pa.scalar(run, pa.uint64()), len(sums)), *(sums[name] for name in SUMS)]
    return pa.table(named, names=BY_CONTRACT.names).cast(BY_CONTRACT)


def _counted(
    runs: Mapping[str, int], book: Book, contract: Int64s, first_month: Int64s, period: Period
) -> dict[str, int]:
    """The runs of all months before `period` that are in a window with it."""
    this = month_number(period)
    months = range(int(first_month.min(initial=this)), this)
    for month in months:
        if str(period_of(month)) not in runs:
            which = book.contracts.id[int(contract[np.flatnonzero(first_month <= month)[0]])]
            raise Refused(
                f"{period_of(month)} is not closed, and {period} depends on it: both are in one window of what "
                f"contract {which} commits to; close {period_of(month)} first"
            )
    return {name: runs[name] for name in (str(period_of(month)) for month in months)}


def _charged(
    ledger: Reader, book: Book, contract: Int64s, first_month: Int64s, counted: Mapping[str, int]
) -> tuple[Exact, Exact]:
    """What earlier months of their windows charged contracts, in the currency that they have now."""
    used, made = (np.zeros(len(contract), dtype=np.object_) for _ in range(2))
    if counted:
        ids = book.contracts.id.take(pa.array(contract[first_month <= month_number(parse_period(max(counted)))]))
        sums = ledger.charged_by_contract(list(counted.values()), ids.to_pylist())
        row_of = np.full(len(book.contracts.id), -1)
        row_of[contract] = np.arange(len(contract))
        row = row_of[positions(sums["contract"], book.contracts.id)]
        currency = book.plan_currency[book.contracts.plan[contract]]
        is_alike = positions(sums["currency"], pa.array(book.currencies, pa.string())) == currency[row]
        counts = np.flatnonzero(is_alike & (_months(sums["run"], counted) >= first_month[row]))
        for column, name in ((used, "used"), (made, "made")):
            np.add.at(column, row[counts], from_decimals(sums[name])[counts])
    return narrowed(used), narrowed(made)


def _months(run: pa.ChunkedArray, counted: Mapping[str, int]) -> Int64s:
    """The month of each run."""
    month_of = {number: month_number(parse_period(name)) for name, number in counted.items()}
    different, which = np.unique(run.to_numpy(), return_inverse=True)
    months: Int64s = np.array([month_of[number] for number in different.tolist()], dtype=np.int64)[which.reshape(-1)]
    return months


def _all(month: int, like: Int64s) -> Int64s:
    return np.full(len(like), month, dtype=np.int64)
