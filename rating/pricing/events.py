"""What events cost where each is priced alone: by its time, or a rate and a fee after free events and a free amount.

Free are the first events, as long as the sum of the period's is within the free amount; the event that crosses it pays
for the rest. An event wholly free owes neither fee nor least.
"""

import numpy as np

from rating import ratios
from rating.exact import Int64s
from rating.gathered import Gathered
from rating.pricing.adjust import HUNDREDTH
from rating.pricing.durations import call_fees
from rating.pricing.parts import ByEvent, Percentage
from rating.pricing.running import sums_so_far
from rating.pricing.shapes import PriceList, Shape, Terms, stretches
from rating.pricing.usage import Ragged, chosen
from rating.ratios import Bools, Ratios

NOTHING = ratios.constant(0)


def event_fees(prices: PriceList, of_line: Int64s, events: Ragged) -> Ratios:
    """What each event costs; nothing where the line's price is none for events."""
    fees = Gathered(int(events.start[-1]))
    for lines, terms in stretches(prices, of_line):
        if isinstance(terms.price.charge, ByEvent):
            rows, own = chosen(events, lines)
            of_event = Terms(terms.shape, terms.row[own.line])
            is_percentage = isinstance(terms.price.charge, Percentage)
            fees.put(rows, _fees(of_event, own) if is_percentage else call_fees(of_event, own.quantity))
    return fees.column()


def _fees(terms: Terms, events: Ragged) -> Ratios:
    charge, shape = _percentage(terms.shape), terms.shape
    units = events.quantity
    paid = _paid(terms, events)
    rate = ratios.times(shape.numbers["charge.percent"], HUNDREDTH)
    fee = ratios.plus(ratios.times(paid, ratios.taken(rate, terms.row)), terms.of("charge.fee"))
    fee = ratios.greater(fee, terms.of("charge.least"))
    if charge.most is not None:
        fee = ratios.lesser(fee, terms.of("charge.most"))
    owes = units.numerator >= 0 if charge.charges_zero else paid.numerator > 0
    return Ratios(np.where(owes, fee.numerator, 0), fee.denominator)


def _paid(terms: Terms, events: Ragged) -> Ratios:
    """What of each event lies beyond the allowance."""
    charge, units = _percentage(terms.shape), events.quantity
    all_of_it = ratios.greater(units, NOTHING)
    if charge.free_events is None and charge.free_amount is None:
        return all_of_it
    rest = ratios.zeros(len(terms.row))
    if charge.free_amount is not None:
        before = ratios.minus(sums_so_far(events), units)
        left = ratios.greater(ratios.minus(terms.of("charge.free_amount"), before), NOTHING)
        rest = ratios.greater(ratios.minus(units, left), NOTHING)
    if charge.free_events is None:
        return rest
    return ratios.where(_past_free_events(terms, events), all_of_it, rest)


def _past_free_events(terms: Terms, events: Ragged) -> Bools:
    ordinal = np.arange(1, len(terms.row) + 1) - events.start[events.line]
    return ratios.is_above(ratios.whole(ordinal), terms.of("charge.free_events"))


def _percentage(shape: Shape) -> Percentage:
    charge = shape.example.charge
    assert isinstance(charge, Percentage)
    return charge
