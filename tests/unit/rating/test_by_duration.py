"""A price by duration is told call by call, at each rate, and the calls past the twentieth as increments."""

from fractions import Fraction

from rating.derivation.derive import derivation
from rating.derivation.steps import Derivation, Unit
from rating.derivation.used import Events
from rating.pricing.parts import Duration, Price, Rounding, TimeRate

F = Fraction
MINUTE = F(60)
CALLS = Duration(
    (TimeRate(F("0.2"), MINUTE, MINUTE), TimeRate(F("0.1"), MINUTE, F(1), start=MINUTE)),
    connect_fee=F("0.4"),
    increment_rounding=Rounding(5),
)


def derived(charge: Duration, *durations: int | str) -> Derivation:
    price = Price(charge=charge, rounding=Rounding(2))
    return derivation(price, Events([F(one) for one in durations]), Unit("s"), Unit("EUR", 2))


def texts(found: Derivation) -> list[str]:
    return [f"{step.what}: {step.text}" for step in found.steps]


def test_a_call_is_told_rate_by_rate() -> None:
    found = derived(CALLS, 130)
    assert texts(found) == [
        "measured in 1 events: 130 = 130 s",
        "rounded: 0.2 to the nearest 0.00001 = 0.20 EUR",
        "an increment from 60: 0.1 x 1 = 0.10 EUR",
        "an increment from 60: 0.1 / 60 = 1/600 (about 0.0017) EUR",
        "rounded: 1/600 to the nearest 0.00001 = 0.00167 EUR",
        "event 1 from 0: 60 s",
        "event 1 from 0, increments: 60 in started 60 = 1",
        "event 1 from 0 costs: 1 x 0.2 = 0.20 EUR",
        "event 1 from 60: 130 - 60 = 70 s",
        "event 1 from 60, increments: 70 in started 1 = 70",
        "event 1 from 60 costs: 70 x 0.00167 = 0.1169 EUR",
        "event 1: 0.4 + 0.2 + 0.1169 = 0.7169 EUR",
        "rounded: 0.7169 to the nearest 0.01 = 0.72 EUR",
    ]
    assert found.summary == "1 events of 130 s -> rounding +0.0031 = 0.72 EUR"


def test_a_rate_that_begins_late_is_told_with_why() -> None:
    late = Duration((TimeRate(F(1), MINUTE, F(45)), TimeRate(F(6), MINUTE, F(6), start=MINUTE)))
    assert texts(derived(late, 91))[5:12] == [
        "event 1 from 0: 60 s",
        "event 1 from 0, increments: 60 in started 45 = 2",
        "event 1 from 0 costs: 2 x 0.75 = 1.50 EUR",
        "event 1 from 0, paid whole: 2 x 45 = 90 s",
        "event 1 from 0, paid until: 0 + 90 = 90 s",
        "event 1 from 90: 91 - 90 = 1 s",
        "event 1 from 90, increments: 1 in started 6 = 1",
    ]


def test_calls_that_cost_nothing_or_the_most_say_so() -> None:
    found = texts(derived(Duration((TimeRate(F(1), MINUTE, MINUTE),), most=F(3)), 0, -5, 600))
    assert found[1:3] == ["event 1 took no time: 0 x 0 = 0.00 EUR", "event 2 took no time: -5 x 0 = 0.00 EUR"]
    assert found[6] == "event 3 costs at most: 10, at most 3 = 3.00 EUR"


def test_calls_past_the_twentieth_are_told_as_increments() -> None:
    charge = Duration(CALLS.rates, CALLS.connect_fee, F(1), CALLS.increment_rounding)
    found = derived(charge, *[60] * 20, 61, 0, 70, 70, 3600, 60)
    assert texts(found)[-6:-1] == [
        "1 more event at the most: 1 x 1 = 1.00 EUR",
        "4 more events to connect: 4 x 0.4 = 1.60 EUR",
        "4 more events, increments from 0: 4 x 0.2 = 0.80 EUR",
        "4 more events, increments from 60: 21 x 0.00167 = 0.03507 EUR",
        "all calls: 0.6 + 0.6 + 0.6 + 0.6 + 0.6 + 0.6 + 18 more = 15.43507 EUR",
    ]
    assert (found.unlisted, found.exact) == (6, F("15.43507"))
