"""What a charge was made for: a quantity, the share of a month, single events, or quantities by key or by bucket."""

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


Used = Quantity | Share | Events | Cells | Buckets
