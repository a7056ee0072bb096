"""A clerk who bills a month by hand: one event after the other, dates on the customer's wall, exact fractions.

No instants, no windows, no sums, no columns: what a line costs is the reference's, and what stands around it is told
here once more.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rating.catalog import Catalog, Contract, Price
from rating.periods import Period
from rating.pricing.parts import Flat
from tests.reference.exactness import round_to
from tests.reference.lines import Usage, total_of
from tests.reference.rating import BY_EVENT, rated_lines
from tests.reference.several_meters import capacity
from tests.unit.rating.world import Use

DIGITS = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
DAY = timedelta(days=1)
MONTHS = {"month": 1, "quarter": 3, "year": 12}
NOTHING = Fraction(0)


class Slot(NamedTuple):
    """Times of days as a file has them; from the first to the second, or to that of the next day."""

    name: str
    days: Sequence[str]
    dates: Sequence[date]
    start: timedelta
    end: timedelta


class Terms(NamedTuple):
    """A price in the reference's words, and what of it the reference does not know."""

    price: Mapping[str, Any]
    """A model with its parameters, without adjustments and rounding; one that looks at `meters` has its tiers."""
    adjustments: Sequence[tuple[str, Fraction]] = ()
    rounding: Mapping[str, str] | None = None
    cells: Sequence[tuple[tuple[str | None, ...], Fraction]] = ()
    """Of a matrix."""
    slots: Sequence[Slot] = ()
    """Of a matrix; with slots, each cell ends with one."""
    bucket: str | None = None
    """What is priced alone: an hour, or a day."""
    weights: Mapping[str, Fraction] = {}
    """Of meters that are summed."""


class Written(NamedTuple):
    """A price of the catalog, and its terms in the reference's words."""

    price: Price
    terms: Terms


class Line(NamedTuple):
    """A line of the bill; the first seven in the order of lines."""

    entity: str
    customer: str
    currency: str
    contract: str
    product: str
    meter: str
    window_start: int
    window_end: int
    kind: str
    events: int
    quantity: Fraction
    digest: int
    exact: Fraction
    amount: int
    """In minor units."""


class Judged(NamedTuple):
    """What becomes of an event, and in which month."""

    outcome: str
    month: Period
    bills: tuple[Contract, Price] | None


class Clerk:
    """Knows a catalog, and the terms of its prices by what they are called."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.owner = {subject: customer.id for customer in catalog.customers for subject in customer.subjects}
        self.plans = {plan.name: plan for plan in catalog.plans}

    def contract_of(self, use: Use) -> Contract | None:
        """The contract that is in force for an event."""
        customer = self.owner.get(use.subject)
        for contract in self.catalog.contracts:
            if contract.customer == customer and is_in_force(contract, wall_date(use.time, contract.timezone)):
                return contract
        return None

    def price_on(self, contract: Contract, meter: str, fee: str, day: date) -> Price | None:
        """What a contract pays for a meter, or for a fee, on a day: its own price once one holds, else its plan's."""
        for priced in (contract.prices, self.plans[contract.plan].prices):
            begun = [one for one in priced if (one.meter, one.fee) == (meter, fee) and (one.since or date.min) <= day]
            if begun:
                return max(begun, key=lambda one: one.since or date.min)
        return None

    def worth(self, contract: Contract, day: date) -> Fraction:
        """What the unit of a contract's prices is worth in its currency on a day."""
        unit = self.plans[contract.plan].pricing_unit
        if unit is None:
            return Fraction(1)
        begun = [one for one in unit.rates if (one.since or date.min) <= day]
        return max(begun, key=lambda one: one.since or date.min).rate

    def home(self, use: Use) -> tuple[str, int]:
        """Where usage that nobody pays for is at home, and the day of the month that begins its periods there."""
        mine = [contract for contract in self.catalog.contracts if contract.customer == self.owner.get(use.subject)]
        first = min(mine, key=lambda contract: contract.start) if mine else None
        return (first.timezone, first.anchor) if first else ("UTC", 1)

    def judge(self, use: Use) -> Judged:
        """What becomes of an event."""
        contract = self.contract_of(use)
        price = None
        if contract:
            price = self.price_on(contract, use.meter, "", wall_date(use.time, contract.timezone))
        if contract and price:
            return Judged("rated", wall_period(use, contract.timezone, contract.anchor), (contract, price))
        reason = "no_price" if contract else "no_contract" if use.subject in self.owner else "no_customer"
        return Judged(reason, wall_period(use, *self.home(use)), None)

    def bill(self, month: Period, usage: Sequence[Use], terms_of: Mapping[str, Terms]) -> list[Line]:
        """Every line of a month; `terms_of` knows prices by their names."""
        uses: dict[tuple[str, str, date | None], list[Use]] = defaultdict(list)
        for use in sorted(usage, key=lambda one: one.time):
            judged = self.judge(use)
            if judged.bills and judged.month == month:
                contract, price = judged.bills
                uses[contract.id, price.meter, price.since].append(use)
        lines = []
        left = set(uses)
        for contract in self.catalog.contracts:
            for price, held in self._in_force(contract, month):
                days = self._billed(contract, price, held)
                if not days:
                    continue
                key = (contract.id, price.meter, price.since)
                left.discard(key)
                own = uses[key] if price.meter else []
                terms = terms_of[name_of(self.catalog, contract, price)]
                together = [
                    use
                    for meter in (*terms.price.get("meters", ()), *terms.weights)
                    for use in uses[contract.id, meter, price.since]
                ]
                line = self._line(contract, price, days, own, together, terms)
                if own or together or not price.meter or line.exact or "meters" in terms.price:
                    lines.append(line)
        assert not left
        return sorted(lines)

    def _in_force(self, contract: Contract, month: Period) -> Iterator[tuple[Price, list[date]]]:
        """The prices that hold under a contract in a month, and the days on which they do."""
        things = {(one.meter, one.fee) for one in (*contract.prices, *self.plans[contract.plan].prices)}
        for meter, fee in things:
            days: dict[date | None, list[date]] = defaultdict(list)
            prices: dict[date | None, Price] = {}
            for day in days_of(month, contract.anchor):
                price = self.price_on(contract, meter, fee, day) if is_in_force(contract, day) else None
                if price:
                    prices[price.since] = price
                    days[price.since].append(day)
            yield from ((prices[since], days[since]) for since in prices)

    def _billed(self, contract: Contract, price: Price, held: list[date]) -> list[date]:
        """The days that a line is for: those on which its price holds, or the whole interval that begins on one."""
        if MONTHS[_interval(price)] == 1:
            return held
        begins = [pair for pair in self._intervals(contract, price.fee, held[-1]) if pair[0] in held]
        return [begin + nth * DAY for begin, end in begins for nth in range((end - begin).days)]

    def _intervals(self, contract: Contract, fee: str, last: date) -> Iterator[tuple[date, date]]:
        """The intervals of a fee up to a day; one of another length, or no fee before, begins to count anew."""
        length, counted_from, nth = "", contract.start, 0
        for day in (contract.start + nth * DAY for nth in range((last - contract.start).days + 1)):
            price = self.price_on(contract, "", fee, day)
            if (_interval(price) if price else "") != length:
                length, counted_from, nth = _interval(price) if price else "", day, 0
            months = MONTHS.get(length, 0)
            if price and day == months_after(counted_from, nth * months):
                nth += 1
                yield day, months_after(counted_from, nth * months)

    def _line(
        self,
        contract: Contract,
        price: Price,
        days: list[date],
        uses: list[Use],
        together: list[Use],
        terms: Terms,
    ) -> Line:
        zone, currency = contract.timezone, self.plans[contract.plan].currency
        quantities = [Fraction(use.quantity, 10**9) for use in uses]
        if "meters" in terms.price:
            exact = adjusted(terms, _capacity(terms, together) * _part(contract, price, days))
        elif price.meter:
            exact = cost(terms, together if terms.weights else uses, zone)
        else:
            exact = adjusted(terms, Fraction(terms.price["amount"]) * _part(contract, price, days))
        exact *= self.worth(contract, days[0])
        return Line(
            contract.entity,
            contract.customer,
            currency,
            contract.id,
            price.product,
            price.meter,
            midnight_ms(days[0], zone),
            midnight_ms(days[-1] + DAY, zone),
            "usage" if price.meter else "fee",
            len(uses),
            sum(quantities, NOTHING),
            sum(use.digest for use in uses) % 2**128,
            exact,
            minor_units(exact, terms, currency),
        )


def name_of(catalog: Catalog, contract: Contract, price: Price) -> str:
    """What a price is called: whose it is, of what, and since when."""
    owner = contract.id if any(one is price for one in contract.prices) else contract.plan
    return f"{owner}/{price.meter}/{price.fee}/{price.since}"


def _capacity(terms: Terms, uses: Sequence[Use]) -> Fraction:
    """What a month costs by the highest of all values."""
    usage = [{"unit": use.meter, "quantity": Fraction(use.quantity, 10**9)} for use in uses]
    amount: Fraction = capacity(terms.price, usage)["amount"]
    return amount


def cost(terms: Terms, uses: Sequence[Use], zone: str) -> Fraction:
    """What usage costs; corrections that outweigh it give back what as much usage costs, unless a minimum is owed."""
    if terms.bucket:
        buckets: dict[Any, list[Use]] = defaultdict(list)
        for use in uses:
            buckets[bucket_of(terms.bucket, wall(use.time, zone))].append(use)
        inside = Terms(terms.price)
        return adjusted(terms, sum((cost(inside, own, zone) for own in buckets.values()), NOTHING))
    quantities = tuple(Fraction(use.quantity, 10**9) * terms.weights.get(use.meter, 1) for use in uses)
    quantity = sum(quantities, NOTHING)
    if terms.price["model"] == "priced_with":
        return NOTHING
    if terms.cells:
        costs = [_cell_price(terms, use, zone) * Fraction(use.quantity, 10**9) for use in uses]
        return adjusted(terms, sum(costs, NOTHING))
    if terms.price["model"] in BY_EVENT:
        return adjusted(terms, total_of(rated_lines(terms.price, Usage(quantity, events=quantities))))
    owes_minimum = any(kind == "minimum" for kind, _ in terms.adjustments)
    if quantity < 0 and not owes_minimum:
        return -adjusted(terms, total_of(rated_lines(terms.price, Usage(-quantity))))
    return adjusted(terms, total_of(rated_lines(terms.price, Usage(max(quantity, NOTHING)))))


def bucket_of(every: str, shown: datetime) -> Any:
    """An hour that the clock shows twice is two."""
    return shown.date() if every == "day" else (shown.date(), shown.hour, shown.utcoffset())


def _cell_price(terms: Terms, use: Use, zone: str) -> Fraction:
    """The price of the first cell that takes what the event says of itself, and when it was."""
    said = dict(use.dimensions)
    own = [said.get(name, "") for name in terms.price["dimensions"]]
    if terms.slots:
        own.append(slot_of(terms.slots, wall(use.time, zone).replace(tzinfo=None)))
    for key, unit_price in terms.cells:
        if all(wanted is None or wanted == value for value, wanted in zip(own, key, strict=True)):
            return unit_price
    raise AssertionError("a default takes everything")


def slot_of(slots: Sequence[Slot], shown: datetime) -> str:
    """The first slot that was begun on this day or the day before, and is not over."""
    for slot in slots:
        for midnight in (datetime.combine(shown, time()), datetime.combine(shown, time()) - DAY):
            is_on = f"{midnight:%a}".lower() in slot.days or midnight.date() in slot.dates
            over = slot.end if slot.end > slot.start else slot.end + DAY
            if (is_on or not (slot.days or slot.dates)) and slot.start <= shown - midnight < over:
                return slot.name
    return ""


def adjusted(terms: Terms, amount: Fraction) -> Fraction:
    """One adjustment after the other; what corrections give back beside a minimum stays as it is."""
    owed = [amount]
    for kind, number in terms.adjustments:
        if kind == "percent_off":
            owed = [one - one * number / 100 for one in owed]
        elif kind == "minimum":
            owed.append(max(number - sum(owed), NOTHING))
        else:
            # The most that comes off: so much, or what is above a maximum.
            left = number if kind == "amount_off" else max(sum(owed) - number, NOTHING)
            for place, one in enumerate(owed):
                off = min(left, max(one, NOTHING))
                owed[place], left = one - off, left - off
    return sum(owed, NOTHING)


def minor_units(exact: Fraction, terms: Terms, currency: str) -> int:
    """What is billed, rounded once."""
    digits = DIGITS[currency]
    rule = terms.rounding or {"scale": str(digits), "mode": "half_up"}
    billed = round_to(exact, int(rule["scale"]), rule["mode"]) * 10**digits
    assert billed.denominator == 1
    return int(billed)


def _interval(price: Price) -> str:
    """How long what a price bills lasts."""
    return price.terms.charge.interval.value if isinstance(price.terms.charge, Flat) else "month"


def _part(contract: Contract, price: Price, days: list[date]) -> Fraction:
    """Which part of its period a price is owed for."""
    month, zone = days_of(period_on(days[0], contract.anchor), contract.anchor), contract.timezone
    if price.proration.value == "none" or _interval(price) != "month":
        return Fraction(1)
    if price.proration.value == "day":
        return Fraction(len(days), len(month))
    return Fraction(_length_ms(days, zone), _length_ms(month, zone))


def _length_ms(days: Sequence[date], zone: str) -> int:
    return midnight_ms(days[-1] + DAY, zone) - midnight_ms(days[0], zone)


def days_of(month: Period, anchor: int) -> list[date]:
    """The days of the period that begins in a month."""
    first = date(month.year, month.month, 1)
    return [day for nth in range(62) if period_on(day := first + nth * DAY, anchor) == month]


def period_on(day: date, anchor: int) -> Period:
    """The period that holds a day: it is called by the month in which it begins."""
    begun = day if day >= anchor_in(day.year, day.month, anchor) else day.replace(day=1) - DAY
    return Period(begun.year, begun.month)


def anchor_in(year: int, month: int, anchor: int) -> date:
    """The day of a month, or the last one that it has."""
    days = [date(year, month, 1) + nth * DAY for nth in range(anchor)]
    return max(day for day in days if day.month == month)


def months_after(day: date, count: int) -> date:
    """The same day some months later, or the last one that the month has."""
    years, month = divmod(day.month - 1 + count, 12)
    return anchor_in(day.year + years, month + 1, day.day)


def is_in_force(contract: Contract, day: date) -> bool:
    """Whether a contract holds on a day."""
    return contract.start <= day < (contract.end or date.max)


def wall(time_ms: int, zone: str) -> datetime:
    """What the clock on a wall in that zone shows."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)).astimezone(ZoneInfo(zone))


def wall_date(time_ms: int, zone: str) -> date:
    """The date on a wall in that zone."""
    return wall(time_ms, zone).date()


def wall_period(use: Use, zone: str, anchor: int) -> Period:
    """The period on a wall in that zone."""
    return period_on(wall_date(use.time, zone), anchor)


def midnight_ms(day: date, zone: str) -> int:
    """When a day begins there, UTC milliseconds; of two midnights the first."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) * 1000
