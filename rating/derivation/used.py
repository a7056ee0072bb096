"""What a charge was made for: quantities, also by key or bucket, shares of a month, events, or highest values."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

Key = tuple[str, ...]


class Quantity(NamedTuple):
    """So many units of a meter."""

    units: Fraction


class Share(NamedTuple):
    """A part of a month or of a longer interval: so many days, or seconds, of so many."""

    part: Fraction
    whole: Fraction
    of: str
    interval: str = "month"


class Events(NamedTuple):
    """Single events, in the order in which they are priced."""

    amounts: Sequence[Fraction]


class Cells(NamedTuple):
    """Quantities by key."""

    quantities: Sequence[tuple[Key, Fraction]]


class Buckets(NamedTuple):
    """Quantities by bucket, each of which is called what begins it, in the order of time."""

    quantities: Sequence[tuple[str, Fraction]]


class Highest(NamedTuple):
    """The highest single values by meter, and the share of the month that is owed for them."""

    values: Sequence[tuple[str, Fraction]]
    share: Share


class Summed(NamedTuple):
    """Quantities by meter, for a price that sums them by weight."""

    quantities: Sequence[tuple[str, Fraction]]


Used = Quantity | Share | Events | Cells | Buckets | Highest | Summed
