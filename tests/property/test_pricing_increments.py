"""What a growing usage adds is what the reference says: in advance, re-rated, by key, by bucket, or missing."""

from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.__main__ import failure
from tests.property.pricing_worlds import (
    Parameters,
    around,
    charges,
    decimals,
    joined,
    optional,
    prices,
    quantities,
    roundings,
)
from tests.reference import evaluate

BOOKED = ("period", "quantity", "unit_amount", "amount", "total")

signed = st.tuples(st.sampled_from(["", "", "-"]), quantities).map(
    lambda pair: pair[1] if Fraction(pair[1]) == 0 else "".join(pair)
)
bases = st.one_of(charges, joined(charges, around))


def check(case: Parameters, *keys: str) -> None:
    """The engine's figures under these keys are the reference's."""
    asked = {**case, "currency": case.get("currency", "EUR"), "expected": dict.fromkeys(keys)}
    try:
        figures = evaluate(asked)
    except ValueError:
        return
    if case["model"] == "incremental" and "lines" in figures:
        figures["lines"] = [[{name: line[name] for name in BOOKED} for line in phase] for phase in figures["lines"]]
    assert failure({**asked, "expected": figures}) is None


def wrapped(base: Parameters) -> Parameters:
    return {"base": base}


@settings(max_examples=200)
@given(bases, st.lists(signed, max_size=5), st.booleans())
def test_events_paid_in_advance_cost_what_the_reference_says(
    base: Parameters, events: list[str], high_water: bool
) -> None:
    price = {**wrapped(base), "high_water": high_water}
    check({"model": "incremental", "price": price, "usage": events}, "increments")


totals = st.lists(st.one_of(quantities, st.integers(0, 60).map(str)), min_size=1, max_size=4)


@settings(max_examples=200)
@given(bases.filter(lambda base: base["model"] != "percentage"), totals)
def test_re_rated_phases_book_what_the_reference_says(base: Parameters, known: list[str]) -> None:
    usage = [{"cumulative": total} for total in known]
    check({"model": "incremental", "price": wrapped(base), "usage": usage}, "increments", "lines")


@settings(max_examples=100)
@given(
    bases.filter(lambda base: base["model"] not in {"percentage", "flat"}),
    st.lists(st.lists(quantities, min_size=3, max_size=3), min_size=1, max_size=3),
)
def test_late_usage_corrects_the_period_it_belongs_to(base: Parameters, phases: list[list[str]]) -> None:
    usage = [
        {"cumulative_by_period": sorted(known[:count], key=Fraction)} for count, known in enumerate(phases, start=1)
    ]
    check({"model": "incremental", "price": wrapped(base), "usage": usage}, "increments", "lines")


@given(st.lists(st.tuples(st.sampled_from("abc"), signed), max_size=6), st.lists(prices, min_size=3, max_size=3))
def test_a_matrix_prices_each_key_at_its_cell(entries: list[tuple[str, str]], cells: list[str]) -> None:
    price = {"matrix": [{"key": key, "unit_price": cell} for key, cell in zip("abc", cells, strict=True)]}
    usage = [{"key": key, "quantity": quantity} for key, quantity in entries]
    check({"model": "matrix", "price": price, "usage": usage}, "amount")


@given(bases.filter(lambda base: base["model"] != "percentage"), st.lists(signed, max_size=5))
def test_buckets_are_priced_alone_and_summed(base: Parameters, buckets: list[str]) -> None:
    check({"model": "bucketed", "price": wrapped(base), "usage": buckets}, "amount", "lines")


true_ups = joined(
    st.fixed_dictionaries({"minimum": prices, "used_amount": st.just(True)}),
    optional(
        round_used_first=st.just(True),
        rounding=roundings,
        conversion_rate=prices,
        tax_percent=decimals(30, 1),
        prorate=st.fixed_dictionaries({"numerator": st.integers(0, 31).map(str), "denominator": st.just("31")}),
    ),
)


@given(true_ups, quantities, st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_a_true_up_is_what_the_used_amount_is_short_of(price: Parameters, used: str, currency: str) -> None:
    keys = ("true_up", "precise", "true_up_in_pricing_unit", "amount", "tax_usage", "tax_true_up", "total")
    check({"model": "minimum", "price": price, "quantity": used, "currency": currency}, *keys)


taxed = joined(bases, st.fixed_dictionaries({"tax_percent": decimals(30, 2)}))


@given(taxed, signed, st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_a_tax_is_on_the_rounded_fee(price: Parameters, quantity: str, currency: str) -> None:
    own: dict[str, Any] = {name: value for name, value in price.items() if name != "model"}
    check({"model": price["model"], "price": own, "quantity": quantity, "currency": currency}, "amount", "total")
