"""A call costs its increments along its own clock, and nothing if it took no time."""

from fractions import Fraction

import numpy as np

from rating.pricing.events import event_fees
from rating.pricing.parts import Duration, Percentage, Price, Rounding, TimeRate
from rating.pricing.rate import rate
from rating.pricing.running import fees_of, line_sums
from rating.pricing.shapes import price_list
from rating.pricing.usage import Ragged, Usage
from tests.unit.rating.pricing.columns import Number, column, fractions, of_one_price

F = Fraction
MINUTE, SECOND = F(60), F(1)
BY_SECOND = TimeRate(F("0.6"), MINUTE, SECOND)
FEE = F("0.4")


def costs(charge: Duration, *durations: Number) -> list[Fraction]:
    """What each call costs."""
    events = Ragged(np.array([0, len(durations)]), column(*durations))
    return fractions(event_fees(price_list([Price(charge=charge)]), of_one_price(1), events))


def test_started_increments_are_paid_whole() -> None:
    whole_minutes = Duration((TimeRate(F("0.6"), MINUTE, MINUTE),))
    assert costs(whole_minutes, "0.001", 60, "60.001", 120) == [F("0.6"), F("0.6"), F("1.2"), F("1.2")]
    assert costs(Duration((BY_SECOND,)), 59, "59.5", 60) == [F("0.59"), F("0.6"), F("0.6")]


def test_a_rate_begins_where_the_last_increment_of_the_one_before_is_over() -> None:
    charge = Duration((TimeRate(F(1), MINUTE, F(45)), TimeRate(F(6), MINUTE, SECOND, start=MINUTE)))
    # Two increments of 45 seconds reach to the 90th: only what comes after is at the second rate.
    assert costs(charge, 45, 60, 90, 91) == [F("0.75"), F("1.5"), F("1.5"), F("1.6")]


def test_a_rate_that_is_paid_for_already_is_passed_over() -> None:
    minutes, never, then = (
        TimeRate(F(price), MINUTE, SECOND, start=F(start)) for price, start in ((1, 0), (7, 30), (60, 50))
    )
    charge = Duration((TimeRate(minutes.rate, MINUTE, MINUTE), never, then))
    assert costs(charge, 30, 60, 61) == [F(1), F(1), F(2)]


def test_what_took_no_time_costs_nothing_and_what_took_any_connects() -> None:
    charge = Duration((BY_SECOND,), connect_fee=FEE)
    assert costs(charge, 0, -60, "0.000000001", 60) == [F(0), F(0), FEE + F("0.01"), F(1)]


def test_a_call_costs_the_most_at_most_its_connect_fee_included() -> None:
    assert costs(Duration((BY_SECOND,), connect_fee=FEE, most=F("0.9")), 49, 50, 51) == [F("0.89"), F("0.9"), F("0.9")]


def test_the_price_of_an_increment_is_rounded_before_it_is_paid_often() -> None:
    a_third = Duration((TimeRate(F("0.1"), MINUTE, SECOND),), increment_rounding=Rounding(6))
    assert costs(a_third, 180) == [F("0.30006")]


def test_prices_of_both_kinds_by_event_are_rated_side_by_side() -> None:
    prices = price_list(
        [
            Price(charge=Duration((BY_SECOND,)), rounding=Rounding(2)),
            Price(charge=Percentage(F(1)), rounding=Rounding(2)),
        ]
    )
    events = Ragged(np.array([0, 2, 4, 5]), column(60, "0.5", 200, 300, 30))
    of_line = np.array([0, 1, 0])
    usage = Usage(line_sums(events), fees=fees_of(events, event_fees(prices, of_line, events)))
    assert fractions(rate(prices, of_line, usage).amount) == [F("0.61"), F(5), F("0.3")]
