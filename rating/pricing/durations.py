"""What calls and sessions cost along their own clock: each rate prices the time from its start to the next one's.

The last increment of a rate is paid whole, also where it runs into the next one: that one begins when it is over. What
took no time was not answered, and costs nothing, not even to connect.
"""

from typing import NamedTuple

import numpy as np

from rating import ratios
from rating.pricing.details import NOTHING, only, rounded
from rating.pricing.parts import Duration
from rating.pricing.shapes import Shape, Terms
from rating.ratios import UP, Bools, Ratios


class RateCost(NamedTuple):
    """What calls cost at one of their rates."""

    is_used: Bools
    amount: Ratios


def call_fees(terms: Terms, duration: Ratios) -> Ratios:
    """What each call costs."""
    fee = terms.of("charge.connect_fee")
    for cost in rate_costs(terms, duration):
        fee = ratios.plus(fee, cost.amount)
    if _duration(terms.shape).most is not None:
        fee = ratios.lesser(fee, terms.of("charge.most"))
    return only(np.asarray(duration.numerator > 0, dtype=np.bool_), fee)


def rate_costs(terms: Terms, duration: Ratios) -> list[RateCost]:
    """What each call costs at every rate."""
    starts = [terms.of(f"charge.rates.{place}.start") for place in range(len(_duration(terms.shape).rates))]
    found, paid_until = [], NOTHING
    for place, (start, next_start) in enumerate(zip(starts, [*starts[1:], duration], strict=True)):
        end, increment = ratios.lesser(duration, next_start), terms.of(f"charge.rates.{place}.increment")
        begin = ratios.greater(start, paid_until)
        time = ratios.greater(ratios.minus(end, begin), NOTHING)
        increments = ratios.whole(ratios.integers(ratios.over(time, increment), UP))
        each = ratios.taken(_increment_price(terms.shape, place), terms.row)
        is_used = np.asarray(increments.numerator > 0, dtype=np.bool_)
        found.append(RateCost(is_used, ratios.times(increments, each)))
        paid_until = ratios.plus(begin, ratios.times(increments, increment))
    return found


def _increment_price(shape: Shape, place: int) -> Ratios:
    """What an increment of one rate costs, price by price."""
    name = f"increment price {place}"
    if name not in shape.tables:
        rate, per, increment = (shape.numbers[f"charge.rates.{place}.{part}"] for part in ("rate", "per", "increment"))
        exact = ratios.over(ratios.times(rate, increment), per)
        shape.tables[name] = ratios.simplest(rounded(exact, _duration(shape).increment_rounding))
    made: Ratios = shape.tables[name]
    return made


def _duration(shape: Shape) -> Duration:
    charge = shape.example.charge
    assert isinstance(charge, Duration)
    return charge
