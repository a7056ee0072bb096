"""A derivation ends where the engine does, at every price, and the evaluator that shares nothing with it agrees."""

from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rating.derivation.derive import Worth, derivation
from rating.derivation.steps import Derivation, Unit
from rating.derivation.used import Buckets, Cells, Events, Highest, Quantity, Share, Summed, Used
from rating.derivation_check import problems
from rating.pricing import rate as pricing
from rating.pricing.buckets import bucket_fees
from rating.pricing.cells import Keyed, cell_fees
from rating.pricing.parts import Bucketed, ByEvent, Cell, Every, Matrix, Minimum, PercentOff, Price, Rounding, Weighted
from rating.pricing.peaks import Peaks, tier_prices
from rating.pricing.running import fees_of, line_sums
from rating.pricing.shapes import price_list
from rating.pricing.usage import Fees, Ragged, Usage
from rating.pricing.written import number_text
from rating.ratios import Ratios
from tests.conformance.price_parts import price_of
from tests.property.close_worlds import capacities, capacity_of
from tests.property.pricing_worlds import (
    Line,
    Parameters,
    any_charge,
    around,
    batches,
    calls,
    charges,
    decimals,
    joined,
    percentages,
    prices,
)
from tests.property.test_pricing_laws import column, fractions, usage_of
from tests.reference.exactness import round_to

Said = dict[str, Any]
ADDING = {"given", "sum", "minus"}
OF_SUMS = {"per_unit", "package", "graduated", "volume", "stairstep", "tiered_blocks"}


def derived(price: Price, used: Used) -> Derivation:
    return derivation(price, used, Unit("GB"), Unit("EUR", 2))


def said(found: Derivation) -> Said:
    """What somebody else gets of it: plain JSON."""
    steps = msgspec.json.decode(msgspec.json.encode(found.steps))
    ends = {"exact_step": found.exact_step, "amount_step": found.amount_step}
    return {"steps": steps, "exact": number_text(found.exact), "amount": number_text(found.amount), **ends}


def used_of(price: Price, line: Line) -> Used:
    amounts = [Fraction(text) for text in line.quantities]
    return Events(amounts) if isinstance(price.charge, ByEvent) else Quantity(sum(amounts, Fraction(0)))


@settings(max_examples=400)
@given(batches())
def test_a_derivation_ends_at_the_amounts_of_the_engine_and_holds_when_evaluated_again(
    batch: tuple[list[Parameters], list[Line]],
) -> None:
    given_prices, lines = batch
    lines = [line._replace(split=None, billed=None) for line in lines]
    rated = pricing.rate(*usage_of(given_prices, lines))
    exact, amount, refused = fractions(rated.exact), fractions(rated.amount), rated.unpriced.tolist()
    for place, line in enumerate(lines):
        price = price_of(given_prices[line.price])
        if not refused[place]:  # by a price that no catalog takes
            found = derived(price, used_of(price, line))
            assert (found.exact, found.amount) == (exact[place], amount[place])
            assert problems(said(found)) == []


@settings(max_examples=100)
@given(batches(), st.sampled_from(["0.1", "0.3333", "7"]))
def test_a_derivation_in_a_unit_of_its_own_ends_in_money(batch: tuple[list[Parameters], list[Line]], rate: str) -> None:
    given_prices, lines = batch
    for line in lines:
        price = msgspec.structs.replace(price_of(given_prices[line.price]), rounding=Rounding(2))
        plain = derived(price, used_of(price, line))
        worth = Worth("credits", Fraction(rate))
        found = derivation(price, used_of(price, line), Unit("GB"), Unit("EUR", 2), worth)
        assert found.exact == plain.exact * Fraction(rate)
        assert found.amount == round_to(found.exact, 2, "half_up")
        assert [step.unit for step in found.steps][-2:] == ["EUR", "EUR"]
        assert "EUR" not in {step.unit for step in found.steps[:-2]}
        assert problems(said(found)) == []


many_events = st.lists(decimals(50, 3), min_size=15, max_size=60)


@given(joined(percentages | calls, around), many_events)
def test_events_in_sums_cost_what_they_cost_one_by_one(given_price: Parameters, amounts: list[str]) -> None:
    price = price_of(given_price)
    rated = pricing.rate(*usage_of([given_price], [Line(0, amounts, None, None)]))
    found = derived(price, Events([Fraction(text) for text in amounts]))
    assert ([found.exact], [found.amount]) == (fractions(rated.exact), fractions(rated.amount))
    assert problems(said(found)) == []
    assert len([step for step in found.steps if step.operation == "event_fee"]) <= 20
    assert found.unlisted == max(len(amounts) - 20, 0)


keys = st.tuples(st.sampled_from(["eu", "us", ""]), st.sampled_from(["s", "l"]))
patterns = st.tuples(st.sampled_from(["eu", "us", None]), st.sampled_from(["s", "l", None]))


@given(
    st.lists(st.tuples(patterns, prices), max_size=4),
    prices,
    st.dictionaries(keys, st.integers(-(10**12), 10**15), max_size=6),
    st.sampled_from([(), (PercentOff(Fraction(10)),)]),
)
def test_cells_cost_what_they_cost_in_the_engine(
    cells: list[tuple[tuple[str | None, ...], str]], default: str, scaled: dict[tuple[str, ...], int], off: Any
) -> None:
    priced = [*(Cell(key, Fraction(text)) for key, text in cells), Cell((None, None), Fraction(default))]
    price = Price(charge=Matrix(tuple(priced)), adjustments=off, rounding=Rounding(2))
    quantities = [(key, Fraction(quantity, 10**9)) for key, quantity in scaled.items()]
    parts = Ragged(np.array([0, len(quantities)]), column([str(quantity) for _, quantity in quantities]))
    listed, line = price_list([price]), np.zeros(1, dtype=np.int64)
    fees = cell_fees(listed, line, Keyed(parts, np.arange(len(quantities)), [key for key, _ in quantities])).fee
    rated = pricing.rate(listed, line, Usage(line_sums(parts), fees=fees_of(parts, fees)))
    found = derived(price, Cells(quantities))
    assert ([found.exact], [found.amount]) == (fractions(rated.exact), fractions(rated.amount))
    assert problems(said(found)) == []


many_buckets = st.lists(decimals(50, 3) | decimals(50, 3).map(lambda text: f"-{text}"), max_size=60)


@given(joined(any_charge.filter(lambda one: one["model"] in OF_SUMS), around), many_buckets, st.booleans())
def test_buckets_cost_what_they_cost_in_the_engine(
    given_price: Parameters, quantities: list[str], is_discounted: bool
) -> None:
    inside = msgspec.structs.replace(price_of(given_price), is_mirrored=True)
    off = (PercentOff(Fraction(10)),) if is_discounted else ()
    price = Price(charge=Bucketed(Every.HOUR, inside), adjustments=off, rounding=Rounding(2))
    parts = Ragged(np.array([0, len(quantities)]), column(quantities))
    listed, line = price_list([price]), np.zeros(1, dtype=np.int64)
    alone = pricing.rate(*usage_of([given_price], [Line(0, [text.lstrip("-")], None, None) for text in quantities]))
    assume(not alone.unpriced.any())  # by a price that no catalog takes
    fees = bucket_fees(listed, line, parts)
    rated = pricing.rate(listed, line, Usage(line_sums(parts), fees=fees_of(parts, fees)))
    found = derived(price, Buckets([(f"hour {nth}", Fraction(text)) for nth, text in enumerate(quantities)]))
    assert ([found.exact], [found.amount]) == (fractions(rated.exact), fractions(rated.amount))
    assert problems(said(found)) == []
    assert len({step.what.partition(":")[0] for step in found.steps if ":" in step.what}) <= 31


UNITS = ("seats", "stored")


@given(
    capacities(UNITS),
    st.dictionaries(st.sampled_from(UNITS), st.integers(0, 125 * 10**9)),
    st.integers(1, 31),
    st.sampled_from([(), (PercentOff(Fraction(10)),), (Minimum(Fraction(5)),)]),
)
def test_a_capacity_costs_what_it_costs_in_the_engine(
    given_price: Parameters, scaled: dict[str, int], days: int, off: Any
) -> None:
    price = Price(charge=capacity_of(given_price), adjustments=off, rounding=Rounding(2))
    values = {unit: Fraction(value, 10**9) for unit, value in scaled.items()}
    parts = Ragged(np.array([0, len(values)]), column([str(value) for value in values.values()]))
    peaks = Peaks(parts, np.array([UNITS.index(unit) for unit in values], dtype=np.int64), UNITS)
    listed, line = price_list([price]), np.zeros(1, dtype=np.int64)
    share = Ratios(np.array([days]), np.array([31]))
    fees = Fees(tier_prices(listed, line, peaks), line)
    rated = pricing.rate(listed, line, Usage(share, fees=fees))
    found = derived(price, Highest(list(values.items()), Share(Fraction(days), Fraction(31), "days")))
    assert ([found.exact], [found.amount]) == (fractions(rated.exact), fractions(rated.amount))
    assert problems(said(found)) == []
    for step in (one for one in said(found)["steps"] if one["operation"] in {"within", "first_held"}):
        lied = said(found)
        lied["steps"][step["number"] - 1]["result"] = number_text(Fraction(step["result"]) + 1)
        assert problems(lied) != []


@given(
    joined(charges, around).filter(lambda given_price: given_price["model"] not in {"percentage", "flat"}),
    st.lists(st.tuples(decimals(50, 3), decimals(5, 3)), min_size=1, max_size=3),
)
def test_a_sum_by_weight_costs_what_its_quantity_costs(
    given_price: Parameters, measured: list[tuple[str, str]]
) -> None:
    price = price_of(given_price)
    names = [f"m{nth}" for nth in range(len(measured))]
    numbers = [(Fraction(units), Fraction(weight)) for units, weight in measured]
    summed = tuple(Weighted(name, weight) for name, (_, weight) in zip(names, numbers, strict=True))
    used = Summed([(name, units) for name, (units, _) in zip(names, numbers, strict=True)])
    found = derived(msgspec.structs.replace(price, summed=summed), used)
    alone = derived(price, Quantity(sum((units * weight for units, weight in numbers), Fraction(0))))
    assert (found.exact, found.amount) == (alone.exact, alone.amount)
    assert problems(said(found)) == []


some_usage = st.lists(decimals(50, 3), min_size=1, max_size=30)
some_derivation = st.tuples(joined(any_charge, around).map(price_of), some_usage).map(
    lambda drawn: derived(drawn[0], used_of(drawn[0], Line(0, drawn[1], None, None)))
)
differences = st.sampled_from(["1", "-1", "0.000000001", "1/3"]).map(Fraction)


@given(some_derivation, st.data(), differences)
def test_a_changed_result_is_caught(found: Derivation, data: st.DataObject, difference: Fraction) -> None:
    changed = said(found)
    step = data.draw(st.sampled_from(changed["steps"]))
    step["result"] = number_text(Fraction(step["result"]) + difference)
    assert any(f"step {step['number']} gives" in problem for problem in problems(changed))


@given(some_derivation, st.data(), differences)
def test_a_changed_operand_is_caught_where_it_came_from_a_step_or_adds_up(
    found: Derivation, data: st.DataObject, difference: Fraction
) -> None:
    """A bound that is not reached changes nothing when it is another; what a step made is held to it."""
    changed = said(found)
    operands = [
        operand
        for step in changed["steps"]
        for operand in step["operands"]
        if "step" in operand or step["operation"] in ADDING
    ]
    operand = data.draw(st.sampled_from(operands))
    operand["value"] = number_text(Fraction(operand["value"]) + difference)
    assert problems(changed) != []


ENDS = {"exact": "amount before rounding", "amount": "amount"}


@given(some_derivation, st.sampled_from(sorted(ENDS)), differences)
def test_another_end_than_the_steps_have_is_caught(found: Derivation, end: str, difference: Fraction) -> None:
    changed = said(found)
    changed[end] = number_text(Fraction(changed[end]) + difference)
    assert problems(changed) == [f"step {changed[f'{end}_step']} is not the {ENDS[end]}, {changed[end]}"]


@given(some_derivation, st.data())
def test_a_step_that_is_gone_is_missed(found: Derivation, data: st.DataObject) -> None:
    changed = said(found)
    assume(len(changed["steps"]) > 1)
    taken_from = {operand["step"] for step in changed["steps"] for operand in step["operands"] if "step" in operand}
    needed = taken_from | {changed["exact_step"], changed["amount_step"]}
    gone = data.draw(st.sampled_from([step for step in changed["steps"] if step["number"] in needed]))
    changed["steps"].remove(gone)
    assert problems(changed) != []
