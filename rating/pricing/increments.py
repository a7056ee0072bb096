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
from rating.pricing.details import Detail, only, without
from rating.pricing.entries import Entries, by_line, from_details, joined, negated, netted
from rating.pricing.events import event_fees
from rating.pricing.measure import measured
from rating.pricing.parts import ByEvent, Minimum, Price
from rating.pricing.rate import details_of, rate
from rating.pricing.running import highest_so_far, sums_so_far, what_each_adds
from rating.pricing.shapes import PriceList, Terms, price_list, stretches
from rating.pricing.usage import Fees, Ragged, Usage
from rating.ratios import Bools, Ratios


def in_advance(prices: PriceList, of_line: Int64s, events: Ragged, *, above_highest: bool) -> Ratios:
    """For each event the price of its line's usage so far, less that of the usage before it, and never below zero.

    Above the highest, only units beyond the highest total so far are new: what is given back and used again is free.
    """
    level, of_event = sums_so_far(events), of_line[events.line]
    if above_highest:
        level = highest_so_far(events._replace(quantity=level))
    amount = rate(prices, of_event, Usage(level, fees=_fees_so_far(prices, of_line, events))).amount
    return ratios.greater(what_each_adds(events._replace(quantity=amount)), ratios.zeros(1))


def _fees_so_far(prices: PriceList, of_line: Int64s, events: Ragged) -> Fees | None:
    """What the events up to each cost, where a price is one for events."""
    if not any(isinstance(shape.example.charge, ByEvent) for shape in prices.shapes):
        return None
    fees = sums_so_far(events._replace(quantity=event_fees(prices, of_line, events)))
    return Fees(fees, np.arange(1, len(events.line) + 1) - events.start[events.line])


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
    found = []
    for lines, terms in stretches(prices, of_line):
        before, after = (_details(terms, ratios.taken(level, lines)) for level in (earlier, later))
        pairs = zip(before, after, strict=True)
        details = [one for old, new in pairs for one in _difference(without(opens[lines], old), new)]
        found.append(from_details(np.arange(len(of_line))[lines], details))
    return by_line(found)


def corrections(booked: Entries, owed: Entries) -> Entries:
    """What has to be booked to get from one to the other."""
    return netted(joined([owed, negated(booked)]))


def _details(terms: Terms, level: Ratios) -> list[Detail]:
    usage = Usage(level)
    return details_of(terms, measured(terms, usage), usage)


def _difference(old: Detail, new: Detail) -> list[Detail]:
    """One detail where both bill the same at one unit amount, else the new one and the old one given back."""
    is_same = (old.tier == new.tier) & ratios.is_equal(old.unit_amount, new.unit_amount)
    kept, others = old.present & is_same, old.present & ~is_same
    quantity, amount, discount = (
        ratios.minus(only(new.present, later), only(kept, earlier))
        for later, earlier in zip(_summed(new), _summed(old), strict=True)
    )
    differs = (quantity.numerator != 0) | (amount.numerator != 0) | (discount.numerator != 0)
    merged = new._replace(present=differs, quantity=quantity, amount=amount, discount=discount)
    if not others.any():
        return [merged]
    quantity, amount, discount = (ratios.negative(only(others, earlier)) for earlier in _summed(old))
    return [merged, old._replace(present=others, quantity=quantity, amount=amount, discount=discount)]


def _summed(one: Detail) -> tuple[Ratios, Ratios, Ratios]:
    return one.quantity, one.amount, one.discount


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
