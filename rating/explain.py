"""Explain a charge: derive its amount again from the price of its version and its usage, and hold it to what is stored.

Nothing of a derivation is kept. It is made when somebody asks, and has to end at exactly the ratio and the amount that
the charge says; where it does not, one of the charge, the catalog or the usage was changed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from babel.numbers import get_currency_precision

from ledger.charges import CARRIED, COMMITMENT, CREDIT, FEE, PROMOTION, USAGE
from ledger.meters import meters_at
from ledger.scale import QUANTITY_ONE
from ledger.trace import OfMeter
from ledger.usage import Slots
from rating import catalog_tables as tables
from rating import commitment_windows, derivation_check, explain_commitment
from rating.agreements import PricingUnit, commitment_in_words
from rating.agreements import read as read_agreed
from rating.catalog import Proration
from rating.clocks import bucket_starts, slot_starts
from rating.derivation.committing import settled
from rating.derivation.derive import Worth, derivation
from rating.derivation.steps import Derivation, Unit
from rating.derivation.used import Buckets, Cells, Events, Highest, Quantity, Share, Summed, Used
from rating.periods import EPOCH, Calendar, day_number, instants, parse_period
from rating.price_sets import as_rated
from rating.price_words import price_in_words
from rating.pricing.parts import Bucketed, ByEvent, Capacity, Every, Interval, Matrix, Price, interval_of
from rating.pricing.written import number_text, read
from rating.proration.shares import days_of
from rating.runs import Run

SECOND_MS: Final = 1000
NOTHING: Final = Fraction(0)

Charge = dict[str, Any]


class Reader(commitment_windows.Reader, Protocol):
    """What a charge was made of, up to its own cutoff."""

    def single_usage(self, lines: pa.Table) -> list[int]:
        """The scaled quantity of every usage behind charges, in the order of time."""

    def usage_by_key(self, lines: pa.Table, names: Sequence[str], slots: Slots) -> list[tuple[tuple[str, ...], int]]:
        """The scaled usage behind charges by the values of dimensions, and by slots if there are any."""

    def usage_by_stretch(self, lines: pa.Table, boundaries: Sequence[int]) -> list[tuple[int, int]]:
        """The scaled usage behind charges between boundaries."""

    def usage_by_meter(self, lines: pa.Table, meters: Sequence[str]) -> dict[str, OfMeter]:
        """The scaled usage of some meters where charges look for their events."""


class Priced(NamedTuple):
    """The price of a charge, as the catalog has it."""

    version: int
    terms: Price
    dimensions: tuple[str, ...]
    proration: Proration


class Explanation(msgspec.Struct, frozen=True):
    """How a charge came to its amount, and what does not hold of it."""

    price: str
    """In words."""
    derivation: Derivation | None
    message: str | None
    """What there is to say where there is no derivation."""
    problems: list[str]


def explained(ledger: Reader, connection: sa.Connection, run: Run, line: pa.Table) -> Explanation:
    """The explanation of one charge of `run`."""
    (charge,) = line.to_pylist()
    if charge["kind"] == COMMITMENT:
        return _of_commitment(ledger, connection, run, charge)
    if charge["kind"] not in (USAGE, FEE):
        where = {
            **dict.fromkeys((CREDIT, PROMOTION), "`trace` says by which grants"),
            CARRIED: "later credit pays what credit did not suffice for",
        }.get(charge["kind"], "see the contract")
        return Explanation("", None, f"made by {charge['kind']}: {where}", [])
    calendar = _calendar(connection, run, charge)
    price = None if calendar is None else _price(connection, run, charge, calendar.zone)
    if calendar is None or price is None or price.version != charge["price_version"]:
        missing = f"the catalog has no price of version {charge['price_version']} for it: the catalog was changed"
        return Explanation("", None, None, [missing])
    digits = int(get_currency_precision(charge["currency"]))
    rated = as_rated(price.terms, digits)
    used = _used(ledger, run, line, price, calendar)
    unit = "units" if rated.summed else _unit(connection, run, charge)
    units = Unit(unit), Unit(charge["currency"], digits)
    found = derivation(rated, used, *units, _worth(connection, run, charge, calendar.zone))
    problems = [
        *derivation_check.problems(as_json(found)),
        *_usage_problems(charge, used),
        *_ends(charge, found, digits),
    ]
    return Explanation(price_in_words(price.terms, price.dimensions), found, None, problems)


def _of_commitment(ledger: Reader, connection: sa.Connection, run: Run, charge: Charge) -> Explanation:
    """The explanation of what is missing of a commitment, or exceeds it."""
    said = explain_commitment.committed(ledger, connection, run, charge)
    if said is None:
        missing = f"the catalog has no commitment of version {charge['price_version']} for it: the catalog was changed"
        return Explanation("", None, None, [missing])
    digits = int(get_currency_precision(charge["currency"]))
    found = settled(said.settling, Unit(charge["currency"], digits))
    problems = [*derivation_check.problems(as_json(found)), *_ends(charge, found, digits)]
    return Explanation(commitment_in_words(said.commitment), found, None, problems)


def as_json(found: Derivation) -> dict[str, Any]:
    """A derivation as anybody gets it who evaluates it again."""
    return {
        "summary": found.summary,
        "steps": msgspec.to_builtins(found.steps),
        "exact_step": found.exact_step,
        "amount_step": found.amount_step,
        "exact": number_text(found.exact),
        "amount": number_text(found.amount),
        "residual": number_text(found.residual),
    }


def _calendar(connection: sa.Connection, run: Run, charge: Charge) -> Calendar | None:
    contracts = tables.contracts
    query = tables.rows_at(contracts, run.tenant, run.manifest.catalog_version, "timezone", "anchor")
    found = connection.execute(query.where(contracts.c.id == charge["contract"])).one_or_none()
    return None if found is None else Calendar(*found)


def _price(connection: sa.Connection, run: Run, charge: Charge, zone: str) -> Priced | None:
    """The price in force: the contract's own from the first day of one on, until then its plan's."""
    own = _prices(connection, run, tables.contract_prices, charge, "contract")
    of_plan = _prices(connection, run, tables.prices, charge, "plan")
    day = (EPOCH + timedelta(days=_days([charge["window_start"]], zone)[0])).isoformat()
    # Days are written so that they are ordered as their texts are, and always, which is empty, comes first.
    listed = [*(row for row in of_plan if not own or row.since < own[0].since), *own]
    in_force = [row for row in listed if row.since <= day]
    if not in_force:
        return None
    row = in_force[-1]
    return Priced(row.version, read(row.terms), tuple(row.dimensions.split()), Proration(row.proration))


def _prices(connection: sa.Connection, run: Run, table: sa.Table, charge: Charge, owner: str) -> Sequence[sa.Row[Any]]:
    """What one owner asks for the charge's meter or fee, by first day."""
    columns = ("since", "version", "terms", "dimensions", "proration")
    query = tables.rows_at(table, run.tenant, run.manifest.catalog_version, *columns).where(
        table.c[owner] == charge[owner],
        table.c.meter == charge["meter"],
        table.c.fee == (charge["product"] if charge["kind"] == FEE else ""),
    )
    return sorted(connection.execute(query).all(), key=lambda row: str(row.since))


def _unit(connection: sa.Connection, run: Run, charge: Charge) -> str:
    """What the meter counts, or its name where that is not said."""
    listed = meters_at(connection, run.manifest.catalog_version, run.tenant).get(run.tenant, [])
    units = {meter.name: meter.unit for meter in listed}
    return units.get(charge["meter"]) or str(charge["meter"])


def _worth(connection: sa.Connection, run: Run, charge: Charge, zone: str) -> Worth | None:
    """What the plan's own unit was worth on the first day of the charge, where it has one."""
    query = tables.rows_at(tables.plans, run.tenant, run.manifest.catalog_version, "pricing_unit")
    unit = read_agreed(connection.execute(query.where(tables.plans.c.name == charge["plan"])).scalar_one(), PricingUnit)
    if unit is None:
        return None
    (day,) = _days([charge["window_start"]], zone)
    in_force = [one.rate for one in unit.rates if one.since is None or day_number(one.since) <= day]
    return Worth(unit.name, in_force[-1])


def _used(ledger: Reader, run: Run, line: pa.Table, price: Priced, calendar: Calendar) -> Used:
    (charge,) = line.to_pylist()
    if charge["kind"] == FEE:
        return _share(charge, run, price, calendar)
    priced, held = price.terms.charge, (calendar.zone, charge["window_start"], charge["window_end"])
    if isinstance(priced, ByEvent):
        return Events([_units(scaled) for scaled in ledger.single_usage(line)])
    if isinstance(priced, Matrix):
        slots = slot_starts(priced.slots, *held) if priced.slots else ()
        return Cells([(key, _units(scaled)) for key, scaled in ledger.usage_by_key(line, price.dimensions, slots)])
    if isinstance(priced, Bucketed):
        found = ledger.usage_by_stretch(line, bucket_starts(priced.every, *held))
        return Buckets([(_shown(priced.every, calendar.zone, instant), _units(scaled)) for instant, scaled in found])
    if isinstance(priced, Capacity):
        measured = ledger.usage_by_meter(line, price.terms.meters)
        values = [(meter, max(_units(one.highest), NOTHING)) for meter, one in measured.items()]
        return Highest(values, _share(charge, run, price, calendar))
    if price.terms.summed:
        measured = ledger.usage_by_meter(line, price.terms.meters)
        return Summed([(meter, _units(one.total)) for meter, one in measured.items()])
    return Quantity(Fraction(charge["quantity"]))


def _shown(every: Every, zone: str, instant: int) -> str:
    """A bucket by what the clock shows when it begins."""
    shown = datetime.fromtimestamp(instant // SECOND_MS, ZoneInfo(zone))
    return shown.date().isoformat() if every is Every.DAY else shown.isoformat(" ", "minutes")


def _units(scaled: int) -> Fraction:
    return Fraction(scaled, QUANTITY_ONE)


def _share(charge: Charge, run: Run, price: Priced, calendar: Calendar) -> Share:
    """Which part of its month a charge is owed for; of a longer interval, all."""
    interval = interval_of(price.terms.charge)
    if interval is not Interval.MONTH:
        return Share(Fraction(1), Fraction(1), interval.value, interval.value)
    window = [charge["window_start"], charge["window_end"]]
    month = list(instants(parse_period(run.period), *calendar))
    match price.proration:
        case Proration.NONE:
            return Share(Fraction(1), Fraction(1), "month")
        case Proration.DAY:
            first, last, month_first, month_last = _days([*window, *month], calendar.zone)
            return Share(Fraction(last - first), Fraction(month_last - month_first), "days")
        case Proration.SECOND:
            held, whole = (Fraction(end - start, SECOND_MS) for start, end in (window, month))
            return Share(held, whole, "seconds")


def _days(instants_ms: list[int], zone: str) -> list[int]:
    """The days on the customer's wall."""
    found: list[int] = days_of(np.array(instants_ms), np.zeros(len(instants_ms), dtype=np.int64), [zone]).tolist()
    return found


def _usage_problems(charge: Charge, used: Used) -> list[str]:
    """Where usage read in detail is not what the charge says it is."""
    match used:
        case Events():
            units = sum(used.amounts, Fraction(0))
        case Cells() | Buckets():
            units = sum((quantity for _, quantity in used.quantities), Fraction(0))
        case Summed():
            units = dict(used.quantities).get(charge["meter"], NOTHING)
        case _:
            return []
    said = Fraction(charge["quantity"])
    return [] if units == said else [f"its usage is {number_text(units)}, and the charge says {number_text(said)}"]


def _ends(charge: Charge, found: Derivation, digits: int) -> list[str]:
    """Where the derivation does not end at what is stored."""
    numerator, denominator = int(charge["exact_numerator"]), int(charge["exact_denominator"])
    ends = (
        ("amount before rounding", found.exact, Fraction(numerator, denominator)),
        ("amount", found.amount, Fraction(charge["amount"], 10**digits)),
    )
    return [
        f"the derivation ends at the {name} {number_text(derived)}, and the charge says {number_text(said)}"
        for name, derived, said in ends
        if derived != said
    ]
