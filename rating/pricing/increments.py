"""What a growing usage adds to the bill: event by event when it is paid in advance, or period by period, re-rated.

Re-rating is cumulative: a period owes what the usage up to its end costs, less what the usage up to its beginning
costs. Late usage changes what is known of earlier periods, and each books the difference to what it booked before.
"""

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from rating import ratios
from rating.exact import Int64s
from rating.pricing.adjust import missing
from rating.pricing.details import Detail
from rating.pricing.entries import Entries, entries, from_details, joined, negated, netted
from rating.pricing.events import event_fees
from rating.pricing.parts import Minimum, Price
from rating.pricing.rate import rate, stretches
from rating.pricing.running import highest_so_far, sums_so_far
from rating.pricing.shapes import PriceList, price_list
from rating.pricing.usage import Fees, Ragged, Usage
from rating.ratios import Bools, Ratios


def in_advance(prices: PriceList, of_line: Int64s, events: Ragged, *, above_highest: bool) -> Ratios:
    """For each event the price of its line's usage so far, less that of the usage before it, and never below zero.

    Above the highest, only units beyond the highest total so far are new: what is given back and used again is free.
    """
    level = sums_so_far(events)
    if above_highest:
        level = highest_so_far(events._replace(quantity=level))
    fees = sums_so_far(events._replace(quantity=event_fees(prices, of_line, events)))
    before = np.arange(len(events.line)) - 1
    count = before + 2 - events.start[events.line]
    amount = rate(prices, of_line[events.line], Usage(level, fees=Fees(fees, count))).amount
    is_first = before < events.start[events.line]
    earlier = ratios.taken(amount, np.maximum(before, 0))
    earlier = Ratios(np.where(is_first, 0, earlier.numerator), earlier.denominator)
    return ratios.greater(ratios.minus(amount, earlier), ratios.zeros(1))


def without_minimum(prices: Sequence[Price]) -> PriceList:
    """The prices as they are re-rated: the least of all periods together is settled with the last."""
    return price_list(
        [
            replace(price, adjustments=tuple(one for one in price.adjustments if not isinstance(one, Minimum)))
            for price in prices
        ]
    )


def period_entries(prices: PriceList, of_line: Int64s, earlier: Ratios, later: Ratios, opens: Bools) -> Entries:
    """What each line's period adds to the one before it, from one cumulative usage to the other.

    A line that opens has no period before it: what no usage costs is then its own.
    """
    follows = np.flatnonzero(~opens)
    before = entries(prices, of_line[follows], Usage(ratios.taken(earlier, follows)))
    before = before._replace(line=follows[before.line])
    return netted(joined([entries(prices, of_line, Usage(later)), negated(before)]))


def corrections(booked: Entries, owed: Entries) -> Entries:
    """What has to be booked to get from one to the other."""
    return netted(joined([owed, negated(booked)]))


def missing_of_minimum(prices: PriceList, of_line: Int64s, billed: Ratios) -> Entries:
    """What lines are short of their price's minimum, when all of their periods are billed."""
    found = []
    for lines, terms in stretches(prices, of_line):
        own = ratios.taken(billed, lines)
        details: list[Detail] = [
            missing(terms, f"adjustments.{place}", own)
            for place, adjustment in enumerate(terms.price.adjustments)
            if isinstance(adjustment, Minimum)
        ]
        found.append(from_details(np.arange(len(of_line))[lines], details))
    return joined(found)
