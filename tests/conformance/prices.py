"""Maps cases onto prices of ours: one line is a column of one row."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from rating import ratios
from rating.pricing import durations
from rating.pricing.cells import Keyed, cell_fees
from rating.pricing.details import ONE, Detail, Kind, rounded, total, total_discount
from rating.pricing.entries import Entries, entries, joined, moving_money
from rating.pricing.events import event_fees
from rating.pricing.increments import corrections, in_advance, missing_of_minimum, period_entries, without_minimum
from rating.pricing.measure import measured
from rating.pricing.parts import Charge, Flat, Price, Reading, Tiers
from rating.pricing.rate import amount_of, details_of, rate, rate_bucketed
from rating.pricing.running import fees_of, line_sums
from rating.pricing.shapes import PriceList, price_list, stretches
from rating.pricing.tax import taxed
from rating.pricing.true_up import Commitment, true_up
from rating.pricing.usage import Ragged, Splits, Usage
from rating.ratios import Ratios
from tests.conformance.figures import Calculation, Case, Figures
from tests.conformance.price_parts import Parameters, currency_rounding, parameters, price_of, rounding_of

THE_LINE = np.zeros(1, dtype=np.int64)
ONLY_UNIT = ""


def column(numbers: Sequence[Any]) -> Ratios:
    """Numbers of a case as a column."""
    return ratios.of_fractions([Fraction(one) for one in numbers])


def figure(found: Ratios) -> Fraction:
    """The one row of a column."""
    (numerator,), (denominator,) = found
    return Fraction(int(numerator), int(denominator))


def figures_of(found: Ratios) -> list[Fraction]:
    """All rows of a column."""
    return [figure(ratios.taken(found, slice(row, row + 1))) for row in range(len(found.numerator))]


def quantities_of(case: Case, given: Parameters) -> Ragged:
    """The line's events; a total is one."""
    entries = [case["quantity"]] if "quantity" in case else [one for one in case["usage"] if _in_period(one, given)]
    quantities = [entry["quantity"] if isinstance(entry, dict) else entry for entry in entries]
    return Ragged(np.array([0, len(quantities)]), column(quantities))


def usage_of(given: Parameters, prices: PriceList, events: Ragged) -> Usage:
    """The line's usage: its total, its place in the period, and what its events cost where each has a price."""
    fees = fees_of(events, event_fees(prices, THE_LINE, events))
    return Usage(line_sums(events), splits_of(given), fees)


def splits_of(given: Parameters) -> Splits | None:
    """Where the line stands in its period."""
    if "split_line" not in given and "previously_billed" not in given:
        return None
    split = given.get("split_line", {})
    position = split.get("position", "single")
    return Splits(
        column([split.get("quantity_before", "0")]),
        np.array([position in {"single", "first"}]),
        np.array([position in {"single", "last"}]),
        column([given.get("previously_billed", "0")]),
    )


def rated(case: Case) -> Figures:
    """A price of one quantity or of events."""
    given = parameters(case)
    prices = price_list([price_of(given)])
    usage = usage_of(given, prices, quantities_of(case, given))
    figures = measures(prices, usage)
    if "amount" in case["expected"] or "lines" in case["expected"] or "discount" in case["expected"]:
        figures |= priced(case, given, prices, usage)
    return figures


def measures(prices: PriceList, usage: Usage) -> Figures:
    """What is charged, and what was left out as free."""
    (stretch,) = stretches(prices, THE_LINE)
    units = measured(stretch.terms, usage)
    before = ratios.zeros(1) if units.splits is None else units.splits.before
    free = ratios.zeros(1) if units.free is None else units.free
    return {
        "quantity": figure(units.quantity),
        "quantity_before": figure(before),
        "discounted_quantity": figure(free),
    }


def priced(case: Case, given: Parameters, prices: PriceList, usage: Usage) -> Figures:
    """The line's amount and its details."""
    found = rate(prices, THE_LINE, usage)
    if found.unpriced.any():
        raise ValueError("the price has no tier for the line")
    (stretch,) = stretches(prices, THE_LINE)
    details = details_of(stretch.terms, measured(stretch.terms, usage), usage)
    amount = found.amount
    if "tier_line" in given:
        details = [one for one in details if int(one.tier[0]) == int(given["tier_line"])]
        amount = amount_of(stretch.terms.shape, details, 1).rounded
    present = [one for one in details if one.present[0]]
    figures: Figures = {
        "amount": figure(amount),
        "discount": figure(total_discount(details, 1)),
        "lines": _printed(case, prices, present),
        "packages": figure(details[0].quantity) if details else Fraction(0),
    }
    if "tax_percent" in given:
        tax = taxed(amount, column([given["tax_percent"]]), currency_rounding(case["currency"], given))
        figures |= {"amount": figure(tax.fee), "tax": figure(tax.tax), "total": figure(tax.total)}
    return figures


def matrix(case: Case) -> Figures:
    """Each key's quantity at the price of its cell."""
    given = parameters(case)
    prices = price_list([price_of(given)])
    keys = sorted({entry["key"] for entry in case["usage"]})
    codes = np.array([keys.index(entry["key"]) for entry in case["usage"]], dtype=np.int64)
    parts = quantities_of(case, given)
    fees = cell_fees(prices, THE_LINE, Keyed(parts, codes, [(key,) for key in keys]))
    if fees.unpriced.any():
        raise ValueError("no cell takes the key")
    usage = Usage(line_sums(parts), splits_of(given), fees_of(parts, fees.fee))
    return priced(case, given, prices, usage)


def time_rated(case: Case) -> Figures:
    """A call, and what it costs at each of its rates."""
    given = parameters(case)
    prices, calls = price_list([price_of(given)]), quantities_of(case, given)
    (stretch,) = stretches(prices, THE_LINE)
    used = [figure(one.amount) for one in durations.rate_costs(stretch.terms, calls.quantity) if one.is_used[0]]
    found = rate(prices, THE_LINE, usage_of(given, prices, calls))
    return {"amount": figure(found.amount), "lines": [{"amount": amount} for amount in used]}


def tiered_blocks(case: Case) -> Figures:
    """Blocks of every unit, priced apart and rounded together, less what was billed before."""
    given = parameters(case)
    tiers = given.get("units") or {ONLY_UNIT: given["tiers"]}
    used: dict[str, Fraction] = {}
    for entry in case.get("usage") or [{"unit": ONLY_UNIT, "quantity": case["quantity"]}]:
        used[entry["unit"]] = used.get(entry["unit"], Fraction(0)) + Fraction(entry["quantity"])
    details: list[Detail] = []
    for unit, quantity in used.items():
        (stretch,) = stretches(price_list([price_of({**given, "tiers": tiers[unit]})]), THE_LINE)
        usage = Usage(column([quantity]))
        details += details_of(stretch.terms, measured(stretch.terms, usage), usage)
    amount = rounded(total(details, 1), rounding_of(given))
    billed = [figure(one.amount) for one in details if one.present[0]]
    return {
        "amount": figure(amount) - Fraction(given.get("previously_billed", "0")),
        "lines": [{"amount": each} for each in billed],
    }


def bucketed(case: Case) -> Figures:
    """Each bucket priced alone, then summed."""
    given = parameters(case)
    each, amount = rate_bucketed(price_list([price_of(given)]), THE_LINE, quantities_of(case, given))
    return {"amount": figure(amount), "lines": [{"amount": one} for one in figures_of(each)]}


def _in_period(entry: Any, given: Parameters) -> bool:
    """Instants are ISO 8601 in UTC and compare as text."""
    if "period_start" not in given or not isinstance(entry, dict):
        return True
    return bool(given["period_start"] <= entry["at"] < given["period_end"])


def _printed(case: Case, prices: PriceList, details: Sequence[Detail]) -> list[Figures]:
    """Detail by detail, or tier by tier where that is what the case's lines are named by."""
    charge = prices.shapes[0].example.charge
    asked = {name for line in case["expected"].get("lines", []) if isinstance(line, dict) for name in line}
    if "tier" not in asked:
        return [_fields(charge, one) for one in details]
    tiers = list(dict.fromkeys(int(one.tier[0]) for one in details))
    return [_tier_fields(tier, [one for one in details if int(one.tier[0]) == tier]) for tier in tiers]


def _fields(charge: Charge, one: Detail) -> Figures:
    return {
        "name": _name(charge, one),
        "quantity": figure(one.quantity),
        "unit_amount": figure(one.unit_amount),
        "amount": figure(one.amount),
        "discount": figure(one.discount),
        "total": figure(one.total),
    }


def _tier_fields(tier: int, details: Sequence[Detail]) -> Figures:
    """A tier's units, and what they and its fee cost."""
    quantities = [figure(one.quantity) for one in details if one.kind is Kind.USAGE]
    return {
        "tier": Fraction(tier),
        "quantity": quantities[0] if quantities else Fraction(0),
        "amount": figure(total(details, 1)),
    }


def _name(charge: Charge, one: Detail) -> str:
    if one.kind is Kind.MINIMUM:
        return "feature: minimum spend"
    if isinstance(charge, Flat):
        return "feature"
    if not isinstance(charge, Tiers):
        return "feature: usage in period"
    if one.kind is Kind.FLAT_FEE:
        return f"feature: flat price for tier {one.tier[0]}"
    unit = "usage" if charge.reading is Reading.GRADUATED else "unit"
    return f"feature: {unit} price for tier {one.tier[0]}"


def lifted(case: Case) -> Figures:
    """A minimum over a price, or over an amount that was used."""
    given = parameters(case)
    if not given.get("used_amount"):
        return rated(case)
    rounding, currency = rounding_of(given), currency_rounding(case["currency"], given)
    used = column([case["quantity"]])
    if given.get("round_used_first"):
        used = rounded(used, rounding)
    share = given.get("prorate")
    committed = Commitment(
        column([given.get("minimum") or "0"]),
        ONE if share is None else ratios.over(column([share["numerator"]]), column([share["denominator"]])),
        column([given.get("conversion_rate") or "1"]),
        column([given.get("tax_percent") or "0"]),
    )
    found = true_up(used, committed, rounding, rounding or currency)
    return {
        "true_up": figure(found.due),
        "precise": figure(found.precise),
        "true_up_in_pricing_unit": figure(found.missing),
        "amount": figure(found.amount),
        "tax_usage": figure(found.tax_on_used),
        "tax_true_up": figure(found.tax_on_due),
        "total": figure(found.total),
    }


def incremental(case: Case) -> Figures:
    """Events paid in advance are numbers; phases that re-rate name the cumulative quantity known at their end."""
    given = parameters(case)
    if case["usage"] and isinstance(case["usage"][0], dict):
        return rerated(case, price_of(given))
    above = bool(given.get("high_water"))
    prices, events = price_list([price_of(given)]), quantities_of(case, given)
    return {"increments": figures_of(in_advance(prices, THE_LINE, events, above_highest=above))}


def rerated(case: Case, price: Price) -> Figures:
    """Each phase books, period by period, the difference to what was booked; the last adds the minimum."""
    prices, phases = without_minimum([price]), known_totals(case)
    booked = entries(prices, THE_LINE[:0], Usage(ratios.zeros(0)))
    increments, lines = [], []
    for phase, totals in enumerate(phases, start=1):
        periods = np.arange(len(totals))
        of_line, known = np.zeros_like(periods), column(totals)
        owed = period_entries(prices, of_line, ratios.taken(known, periods - 1), known, periods == 0)
        booking = [moving_money(corrections(booked, owed))]
        booked = owed
        if phase == len(phases):
            billed = line_sums(Ragged(np.array([0, len(owed.line)]), owed.total))
            lift = missing_of_minimum(price_list([price]), THE_LINE, billed)
            booking.append(lift._replace(line=lift.line + phase - 1))
        new = joined(booking)
        increments.append(figure(line_sums(Ragged(np.array([0, len(new.line)]), new.total))))
        lines.append(_entry_fields(new))
    return {"increments": increments, "lines": lines}


def known_totals(case: Case) -> list[list[str]]:
    """The cumulative quantity at the end of every period, as each phase knows them."""
    phases = case["usage"]
    if "cumulative_by_period" in phases[0]:
        return [phase["cumulative_by_period"] for phase in phases]
    totals = [phase["cumulative"] for phase in phases]
    return [totals[:count] for count in range(1, len(totals) + 1)]


def _entry_fields(new: Entries) -> list[Figures]:
    columns = (new.quantity, new.unit_amount, new.amount, new.discount, new.total)
    rows = zip(new.line, *(figures_of(one) for one in columns), strict=True)
    names = ("quantity", "unit_amount", "amount", "discount", "total")
    return [{"period": f"period{line + 1}", **dict(zip(names, row, strict=True))} for line, *row in rows]


def rounding(case: Case) -> Figures:
    """A figure, a product, a quotient, or a sum, rounded."""
    given = parameters(case)
    rule = rounding_of(given)
    if "multiply" in given:
        value = ratios.times(*(column([one]) for one in given["multiply"]))
    elif "divide" in given:
        value = ratios.over(*(column([one]) for one in given["divide"]))
    else:
        parts = quantities_of(case, given)
        each = rounded(parts.quantity, rule) if rule is not None and rule.of_details else parts.quantity
        value = line_sums(Ragged(parts.start, each))
    return {"amount": figure(rounded(value, rule))}


RATED = (
    *("flat", "per_unit", "package", "dynamic", "percentage", "graduated", "graduated_percentage", "volume"),
    *("stairstep", "maximum", "unit_conversion", "usage_discount"),
)

MODELS: dict[str, Calculation] = {
    **dict.fromkeys(RATED, rated),
    "matrix": matrix,
    "bucketed": bucketed,
    "time_rated": time_rated,
    "tiered_blocks": tiered_blocks,
    "minimum": lifted,
    "incremental": incremental,
    "rounding": rounding,
}
