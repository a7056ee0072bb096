"""Every price costs what the reference says, line for line and detail for detail, in any company and in any order."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rating import ratios
from rating.exact import Int64s
from rating.pricing import shapes
from rating.pricing.entries import entries
from rating.pricing.events import event_fees
from rating.pricing.rate import Rated, rate
from rating.pricing.running import fees_of, line_sums
from rating.pricing.shapes import PriceList, price_list
from rating.pricing.usage import Ragged, Splits, Usage
from rating.ratios import Ratios
from tests.conformance.price_parts import price_of
from tests.property.pricing_worlds import Line, Parameters, batches
from tests.reference import evaluate

Batch = tuple[list[Parameters], list[Line]]


def column(texts: list[str]) -> Ratios:
    return ratios.of_fractions([Fraction(text) for text in texts])


def fractions(found: Ratios) -> list[Fraction]:
    pairs = np.broadcast(found.numerator, found.denominator)
    if not pairs.size:
        return []
    return [Fraction(int(numerator), int(denominator)) for numerator, denominator in pairs]


def usage_of(prices: list[Parameters], lines: list[Line]) -> tuple[PriceList, Int64s, Usage]:
    """All lines as columns."""
    listed = price_list([price_of(price) for price in prices])
    of_line = np.array([line.price for line in lines], dtype=np.int64)
    starts = np.cumsum([0, *(len(line.quantities) for line in lines)])
    events = Ragged(starts, column([text for line in lines for text in line.quantities]))
    positions = [(line.split or {}).get("position", "single") for line in lines]
    splits = Splits(
        column([(line.split or {}).get("quantity_before", "0") for line in lines]),
        np.array([position in {"single", "first"} for position in positions]),
        np.array([position in {"single", "last"} for position in positions]),
        column([line.billed or "0" for line in lines]),
    )
    alone = all(line.split is None and line.billed is None for line in lines)
    fees = fees_of(events, event_fees(listed, of_line, events))
    return listed, of_line, Usage(line_sums(events), None if alone else splits, fees)


def rated(prices: list[Parameters], lines: list[Line]) -> Rated:
    return rate(*usage_of(prices, lines))


def expected(price: Parameters, line: Line) -> Fraction | None:
    """The reference's amount, or None where it has no tier for the line."""
    figures = reference(price, line)
    return None if figures is None else figures["amount"]


def reference(price: Parameters, line: Line) -> Parameters | None:
    own: dict[str, Any] = {name: value for name, value in price.items() if name != "model"}
    if line.split is not None:
        own["split_line"] = line.split
    if line.billed is not None:
        own["previously_billed"] = line.billed
    case = {"model": price["model"], "currency": "EUR", "price": own, "usage": line.quantities}
    try:
        return evaluate({**case, "expected": {"amount": None, "lines": []}})
    except ValueError:
        return None


def found_amounts(found: Rated) -> list[Fraction | None]:
    return [
        None if refused else amount
        for amount, refused in zip(fractions(found.amount), found.unpriced.tolist(), strict=True)
    ]


@settings(max_examples=600)
@given(batches())
def test_a_line_costs_what_the_reference_says(batch: Batch) -> None:
    prices, lines = batch
    assert found_amounts(rated(prices, lines)) == [expected(prices[line.price], line) for line in lines]


@settings(max_examples=600)
@given(batches())
def test_a_line_alone_in_its_period_costs_what_the_reference_says(batch: Batch) -> None:
    prices, lines = batch
    lines = [line._replace(split=None, billed=None) for line in lines]
    assert found_amounts(rated(prices, lines)) == [expected(prices[line.price], line) for line in lines]


@settings(max_examples=300)
@given(batches())
def test_the_entries_of_a_line_are_those_of_the_reference(batch: Batch) -> None:
    prices, lines = batch
    known = [(line, figures) for line in lines if (figures := reference(prices[line.price], line)) is not None]
    found = entries(*usage_of(prices, [line for line, _ in known]))
    columns = (found.quantity, found.unit_amount, found.amount, found.discount)
    rows = list(zip(found.line.tolist(), found.tier.tolist(), *(fractions(one) for one in columns), strict=True))
    assert rows == [
        (place, line["tier"] or 0, line["quantity"], line["unit_amount"], line["amount"], line["discount"])
        for place, (_, figures) in enumerate(known)
        for line in figures["lines"]
    ]


@given(batches(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_amounts_do_not_depend_on_order_or_stretches(batch: Batch, shuffled: Any, stretch: int) -> None:
    prices, lines = batch
    amounts = found_amounts(rated(prices, lines))
    order = shuffled.sample(range(len(lines)), len(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "STRETCH_LINES", stretch)
        again = found_amounts(rated(prices, [lines[place] for place in order]))
    assert again == [amounts[place] for place in order]
