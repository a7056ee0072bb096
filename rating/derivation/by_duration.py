"""The steps to what calls cost along their own clock: the first of them one by one, and of all others the increments.

There may be millions of others. They are looked at as whole numbers of the smallest part that any time of them or of
the price has. Those that cost the most are counted, and of the rest how often the connect fee and an increment of each
rate are paid: the same as one by one.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from rating.derivation.adjusting import rounded
from rating.derivation.by_event import listed, more
from rating.derivation.numbers import exactly
from rating.derivation.steps import Steps, Value, given
from rating.pricing.parts import Duration, TimeRate


class Held(NamedTuple):
    """What of a call one rate prices, in parts of a unit."""

    place: int
    begin: int
    until: int
    """The next rate begins there, or the call is over."""
    increments: int
    paid_until: int


class Clock(NamedTuple):
    """When each rate begins and how long its increments are, in parts of a unit."""

    parts: int
    starts: Sequence[int]
    increments: Sequence[int]

    def walked(self, duration: int) -> Iterator[Held]:
        """A rate begins at its start, or where the last increment of the one before is over."""
        paid_until = 0
        for place, (start, increment) in enumerate(zip(self.starts, self.increments, strict=True)):
            begin = max(start, paid_until)
            until = min([duration, *self.starts[place + 1 : place + 2]])
            if until > begin:
                count = -((begin - until) // increment)
                paid_until = begin + count * increment
                yield Held(place, begin, until, count, paid_until)


def by_duration(steps: Steps, charge: Duration, durations: Sequence[Fraction]) -> list[Value]:
    """What the calls cost."""
    singles, others = listed(steps, durations)
    each = [_increment(steps, charge, rate) for rate in charge.rates]
    starts, increments = [one.start for one in charge.rates], [one.increment for one in charge.rates]
    parts = lcm(*{time.denominator for time in (*durations, *starts, *increments)})
    clock = Clock(parts, _whole(starts, parts), _whole(increments, parts))
    found = [_one(steps, charge, each, clock, f"event {nth}", one) for nth, one in enumerate(singles, start=1)]
    return [*found, *_others(steps, charge, each, clock, _whole(others, parts))]


def _whole(numbers: Sequence[Fraction], parts: int) -> list[int]:
    return [number.numerator * (parts // number.denominator) for number in numbers]


def _increment(steps: Steps, charge: Duration, rate: TimeRate) -> Value:
    """What an increment of a rate costs."""
    price, what = given(rate.rate), f"an increment from {exactly(rate.start)}"
    if rate.increment != rate.per:
        price = steps.owed("times", what, price, given(rate.increment))
        price = steps.owed("divided", what, price, given(rate.per))
    return price if charge.increment_rounding is None else rounded(steps, charge.increment_rounding, price)


def _one(steps: Steps, charge: Duration, each: Sequence[Value], clock: Clock, name: str, duration: Fraction) -> Value:
    if duration <= 0:
        return steps.owed("times", f"{name} took no time", given(duration), given(0))
    costs, paid_until = [given(charge.connect_fee)] if charge.connect_fee else [], given(0)
    for held in clock.walked(int(duration * clock.parts)):
        begin = paid_until if held.begin > clock.starts[held.place] else given(charge.rates[held.place].start)
        later = [given(one.start) for one in charge.rates[held.place + 1 : held.place + 2]]
        where, increment = f"{name} from {exactly(begin.number)}", given(charge.rates[held.place].increment)
        time = steps.take("held_by_tier", where, [given(duration), begin, *later], steps.measured)
        count = steps.take("started", f"{where}, increments", [time, increment])
        costs.append(steps.owed("times", f"{where} costs", count, each[held.place]))
        if held.paid_until > held.until < duration * clock.parts:
            paid = steps.take("times", f"{where}, paid whole", [count, increment], steps.measured)
            paid_until = steps.take("sum", f"{where}, paid until", [begin, paid], steps.measured)
    cost = steps.together(name, costs)
    return cost if charge.most is None else steps.owed("at_most", f"{name} costs at most", cost, given(charge.most))


def _others(
    steps: Steps, charge: Duration, each: Sequence[Value], clock: Clock, durations: Sequence[int]
) -> Iterator[Value]:
    at_most, connected, increments = _counted(charge, each, clock, durations)
    if at_most and charge.most is not None:
        yield steps.owed("times", f"{more(at_most)} at the most", given(at_most), given(charge.most))
    if connected and charge.connect_fee:
        yield steps.owed("times", f"{more(connected)} to connect", given(connected), given(charge.connect_fee))
    for place, count in sorted(increments.items()):
        name = f"{more(connected)}, increments from {exactly(charge.rates[place].start)}"
        yield steps.owed("times", name, given(count), each[place])


def _counted(
    charge: Duration, each: Sequence[Value], clock: Clock, durations: Sequence[int]
) -> tuple[int, int, Counter[int]]:
    """How many cost the most, how many others cost anything, and how many increments those pay at each rate."""
    numbers = [charge.connect_fee, charge.most or Fraction(0), *(one.number for one in each)]
    fee, most, *prices = _whole(numbers, lcm(*{number.denominator for number in numbers}))
    increments, connected, at_most = Counter[int](), 0, 0
    for duration, times in Counter(one for one in durations if one > 0).items():
        walked = list(clock.walked(duration))
        cost = fee + sum(held.increments * prices[held.place] for held in walked)
        if charge.most is not None and cost >= most:
            at_most += times
            continue
        connected += times
        for held in walked:
            increments[held.place] += held.increments * times
    return at_most, connected, increments
