"""Hold a close to its equation: per meter, accepted = rated + unrated + other period, in events and in units.

The left side is counted by a query of its own, the rated part is read from the charges as they will be billed. What
is left over is usage that rating lost or made up, and no period closes with it.
"""

from collections.abc import Mapping, Sequence

import msgspec
import pyarrow as pa

from ledger.scale import quantity_text
from ledger.usage import per_meter
from rating.rate import Measured, Rated


class Amounts(msgspec.Struct, frozen=True):
    """Events and units."""

    events: int
    quantity: str


class Balance(msgspec.Struct, frozen=True):
    """One meter's equation; quantities are decimals as text."""

    meter: str
    accepted: Amounts
    rated: Amounts
    unrated: Amounts
    other_period: Amounts
    residual: Amounts


class Unbilled(msgspec.Struct, frozen=True):
    """What of a meter is not rated though it is of the period, why, and whose it is."""

    meter: str
    reason: str
    events: int
    quantity: str
    subjects: int
    examples: list[str]


NOTHING = Measured(0, 0)


def balances(accepted: Mapping[str, tuple[int, int]], rated: Rated) -> list[Balance]:
    """The equation of every meter that was used or billed, ordered by name."""
    charged = _charged(rated.charges)
    unrated = _summed([(entry.meter, entry.measured) for entry in rated.unrated])
    found = []
    for meter in sorted({*accepted, *charged, *unrated, *rated.other_period}):
        left = Measured(*accepted.get(meter, NOTHING))
        billed, nobodys, others = (side.get(meter, NOTHING) for side in (charged, unrated, rated.other_period))
        rest = Measured(
            left.events - billed.events - nobodys.events - others.events,
            left.quantity - billed.quantity - nobodys.quantity - others.quantity,
        )
        amounts = (_amounts(left), _amounts(billed), _amounts(nobodys), _amounts(others), _amounts(rest))
        found.append(Balance(meter, *amounts))
    return found


def _amounts(measured: Measured) -> Amounts:
    return Amounts(measured.events, quantity_text(measured.quantity))


def _charged(charges: pa.Table) -> dict[str, Measured]:
    """What the charges bill, per meter."""
    sums = (
        charges.select(["meter", "events", "quantity"])
        .group_by("meter")
        .aggregate([("events", "sum"), ("quantity", "sum")])
    )
    by_meter = per_meter(sums.rename_columns(["meter", "events", "quantity"]))
    return {meter: Measured(*both) for meter, both in by_meter.items()}


def _summed(parts: Sequence[tuple[str, Measured]]) -> dict[str, Measured]:
    sums: dict[str, Measured] = {}
    for meter, part in parts:
        before = sums.get(meter, NOTHING)
        sums[meter] = Measured(before.events + part.events, before.quantity + part.quantity)
    return sums


def residual(found: Sequence[Balance]) -> list[Balance]:
    """The meters whose equation does not hold."""
    return [balance for balance in found if balance.residual != Amounts(0, "0")]


def unbilled(rated: Rated) -> list[Unbilled]:
    """What nobody pays for, as it is shown and kept."""
    return [
        Unbilled(
            entry.meter,
            entry.reason,
            entry.measured.events,
            quantity_text(entry.measured.quantity),
            entry.subjects,
            entry.examples,
        )
        for entry in rated.unrated
    ]
