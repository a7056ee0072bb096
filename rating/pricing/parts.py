"""What a price is composed of: a charge, what is measured before it, what is adjusted after it, and how it is rounded.

Numbers are Fractions of whole units and of whole currency units; they become columns when lines are rated. Everything
that is no number is the price's shape: lines of one shape are rated together.

A price is kept as the JSON of its parts, by the names they have here, so that a price of years ago is still read: a
name that was released stays, and a new part has a default.
"""

from datetime import date
from enum import Enum
from fractions import Fraction

from msgspec import Struct

from rating.ratios import HALF_UP, UP

DAY_MINUTES = 24 * 60


class Rounding(Struct, frozen=True, omit_defaults=True):
    """To 10^-scale currency units: the line's total once, or every detail of it."""

    scale: int
    mode: int = HALF_UP
    of_details: bool = False


class Weighted(Struct, frozen=True, omit_defaults=True):
    """A meter, and how much each of its units counts."""

    meter: str
    weight: Fraction = Fraction(1)


class Conversion(Struct, frozen=True, omit_defaults=True):
    """Metered into priced units: times `factor`, divided by `per`, in whole multiples where a rounding says so."""

    factor: Fraction = Fraction(1)
    per: Fraction = Fraction(1)
    rounding: int | None = None
    multiple: Fraction = Fraction(1)


class Interval(Enum):
    """How long an amount lasts."""

    MONTH = "month"
    """A period of its contract, or the part of it that the contract and the price hold."""
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        """How many there are in it."""
        return {Interval.MONTH: 1, Interval.QUARTER: 3, Interval.YEAR: 12}[self]


class Flat(Struct, frozen=True, tag=True, omit_defaults=True):
    """One amount a period, whatever was used: on its last line, or on its first."""

    amount: Fraction
    in_advance: bool = False
    interval: Interval = Interval.MONTH
    """What is longer than a month is owed in the period in which it begins."""


class PerUnit(Struct, frozen=True, tag=True, omit_defaults=True):
    """Quantity times price."""

    unit_price: Fraction


class Packages(Struct, frozen=True, tag=True, omit_defaults=True):
    """Whole packages, counted over the period so far: a later line owes for those that it starts."""

    size: Fraction
    price: Fraction
    rounding: int = UP


class Dynamic(Struct, frozen=True, tag=True, omit_defaults=True):
    """The usage is money already."""

    multiplier: Fraction = Fraction(1)


class Percentage(Struct, frozen=True, tag=True, omit_defaults=True):
    """Each event's rate and fee; free are the first events, as long as their sum is within the free amount."""

    percent: Fraction
    fee: Fraction = Fraction(0)
    free_events: Fraction | None = None
    free_amount: Fraction | None = None
    least: Fraction = Fraction(0)
    most: Fraction | None = None
    charges_zero: bool = False
    """An event of nothing owes the fee and the least."""


class TimeRate(Struct, frozen=True, omit_defaults=True):
    """What time costs from `start` on, until the next rate begins: so much `per` so long, in whole increments."""

    rate: Fraction
    per: Fraction
    increment: Fraction
    start: Fraction = Fraction(0)


class Duration(Struct, frozen=True, tag=True, omit_defaults=True):
    """Each event is a call or a session, priced along its own clock: its quantity is how long it took."""

    rates: tuple[TimeRate, ...]
    """In order; the first starts at zero."""
    connect_fee: Fraction = Fraction(0)
    most: Fraction | None = None
    """What a call costs at most, its connect fee included."""
    increment_rounding: Rounding | None = None
    """Of the price of an increment; the line is rounded once as well."""


class Cell(Struct, frozen=True, omit_defaults=True):
    """One price of a matrix, for usage whose key has these values; None stands for any."""

    key: tuple[str | None, ...]
    unit_price: Fraction


class Slot(Struct, frozen=True, omit_defaults=True):
    """Times of some days, as the clock of the contract's zone shows them; without days and dates, of every day.

    What ends before it begins goes on over midnight, and belongs to the day on which it begins.
    """

    name: str
    days: tuple[str, ...] = ()
    """Of the week: mon, tue, wed, thu, fri, sat, sun."""
    dates: tuple[date, ...] = ()
    start_minute: int = 0
    end_minute: int = DAY_MINUTES
    """The first that is not in it any more."""


class Matrix(Struct, frozen=True, tag=True, omit_defaults=True):
    """A unit price by dimensions: the first cell that takes a key prices it; a default is a last cell of Nones."""

    cells: tuple[Cell, ...]
    slots: tuple[Slot, ...] = ()
    """Where there are any, the last value of a key is the name of the first slot that takes the usage's time, or empty;
    several slots may have one name."""


class Tier(Struct, frozen=True, omit_defaults=True):
    """What holds up to and including a quantity; a package price is a unit price with a package's size."""

    up_to: Fraction | None
    unit_price: Fraction | None = None
    percent: Fraction | None = None
    package_size: Fraction | None = None
    flat_fee: Fraction | None = None
    cap: Fraction | None = None
    """The most that the tier's units cost; its flat fee comes on top."""


class Reading(Enum):
    """How tiers are read."""

    GRADUATED = "graduated"
    """Each tier prices what lies in it."""
    VOLUME = "volume"
    """The tier reached prices all, on the period's last line."""


class Beyond(Enum):
    """What becomes of usage past the bound of the last tier."""

    REFUSED = "refused"
    """The line is not priced, and says so."""
    DROPPED = "dropped"
    """It costs nothing."""
    EXTENDED = "extended"
    """The last tier goes on."""


class Tiers(Struct, frozen=True, tag=True, omit_defaults=True):
    """Tiers in ascending order, each above the bound of the one before."""

    tiers: tuple[Tier, ...]
    reading: Reading = Reading.GRADUATED
    beyond: Beyond = Beyond.REFUSED
    charges_zero: bool = False
    """A period of nothing owes the first tier's flat fee."""


class BlockTier(Struct, frozen=True, omit_defaults=True):
    """What holds so many blocks of its own size; open where it does not say how many."""

    size: Fraction
    price: Fraction
    """Of a block, and of a started one."""
    most: Fraction | None = None


class Blocks(Struct, frozen=True, tag=True, omit_defaults=True):
    """Tiers in blocks of their own, each filled before the next; what the last one can't hold is free."""

    tiers: tuple[BlockTier, ...]
    of_top_tier: bool = False
    """The tier reached prices all in its blocks, on the period's last line, the last one also what it can't hold."""


class Every(Enum):
    """How long a bucket of usage is, on the clock of the contract's zone."""

    HOUR = "hour"
    DAY = "day"


class Bucketed(Struct, frozen=True, tag=True, omit_defaults=True):
    """Each bucket of the usage that there is at a price of its own, as if the period had no other."""

    every: Every
    price: "Price"


class CapacityTier(Struct, frozen=True, omit_defaults=True):
    """What holds as long as no meter's highest value exceeds its limit."""

    price: Fraction
    limits: tuple[Fraction | None, ...]
    """Inclusive, meter by meter; None: not limited."""


class Capacity(Struct, frozen=True, tag=True, omit_defaults=True):
    """One amount a period, by the highest single values of some meters: that of the first tier which holds them all."""

    meters: tuple[str, ...]
    """The line of the first has the amount; each other one is priced with it."""
    tiers: tuple[CapacityTier, ...]


class PricedWith(Struct, frozen=True, tag=True, omit_defaults=True):
    """Nothing of its own: the price of another meter looks at this one's usage too."""

    meter: str


class PercentOff(Struct, frozen=True, tag=True, omit_defaults=True):
    """A discount on what every detail costs by now."""

    percent: Fraction


class AmountOff(Struct, frozen=True, tag=True, omit_defaults=True):
    """A discount on the details in their order, until it is used up."""

    amount: Fraction


class Maximum(Struct, frozen=True, tag=True, omit_defaults=True):
    """The most that a period costs; what is above is a discount on the details that exceed it."""

    amount: Fraction


class Minimum(Struct, frozen=True, tag=True, omit_defaults=True):
    """The least that a period costs; its last line has a detail for what is missing."""

    amount: Fraction


ByEvent = Percentage | Duration
"""What prices single events."""
Charge = Flat | PerUnit | Packages | Dynamic | ByEvent | Matrix | Tiers | Blocks | Bucketed | Capacity | PricedWith
Adjustment = PercentOff | AmountOff | Maximum | Minimum


class Price(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Measured, charged, adjusted in the order given, rounded once."""

    charge: Charge
    summed: tuple[Weighted, ...] = ()
    """Measured is what these meters add up to; without them, the price's own meter."""
    conversion: Conversion | None = None
    free_units: Fraction | None = None
    """The period's first units cost nothing."""
    all_units_free: bool = False
    is_mirrored: bool = False
    """Usage below zero gives its price back; else it costs what no usage costs."""
    adjustments: tuple[Adjustment, ...] = ()
    rounding: Rounding | None = None

    @property
    def meters(self) -> tuple[str, ...]:
        """Which are priced together here, its own first; none where it looks at its own alone."""
        return self.charge.meters if isinstance(self.charge, Capacity) else tuple(one.meter for one in self.summed)


def interval_of(charge: Charge) -> Interval:
    """How long what a charge bills lasts: usage is billed by the month."""
    return charge.interval if isinstance(charge, Flat) else Interval.MONTH
