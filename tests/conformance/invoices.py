"""Maps cases about what happens to priced lines onto the engine's columns of one invoice."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rating.groups import offsets, totals
from rating.invoicing.commitment import Commitments, settled, settled_by_window
from rating.invoicing.discounts import FIXED, PERCENT, Discounts, discounted, in_order
from rating.invoicing.payments import EVERY_KIND, Credits, only_kinds
from rating.invoicing.settlement import Invoices, Terms, bills
from rating.invoicing.sharing import shared_out
from rating.invoicing.taxes import RateTable, taxes_on
from rating.periods import ALWAYS, NEVER
from rating.ratios import Ratios, minus, plus, times
from tests.conformance.columns import (
    column,
    currency_rule,
    fraction,
    fractions,
    integers,
    one,
    one_group,
    optional,
    rule,
)
from tests.conformance.figures import Calculation, Case, Figures
from tests.conformance.prices import rated

KINDS = {"percent": PERCENT, "fixed": FIXED}


def _commitment(case: Case) -> Figures:
    price, entries = case["price"], case["usage"]
    if "commitment_amount" in price:
        committed = one(price["commitment_amount"])
    else:
        committed = times(one(price["commitment_quantity"]), one(price["unit_price"]))
    commitments = Commitments(
        committed,
        optional(price, "overage_factor", "1"),
        optional(price, "cumulative_prior"),
        np.array([bool(price.get("true_up"))]),
    )
    settle = settled_by_window if price.get("windowed") else settled
    found = settle(
        _costs(price, entries), one_group(len(entries)), commitments, rule(price.get("rounding"), None, "total")
    )
    return {
        "amount": fraction(found.amount),
        "windows": fractions(found.windows),
        "true_up": fraction(found.missing),
    }


def _costs(price: Case, entries: Sequence[Any]) -> Ratios:
    """Amounts as they are, quantities at the price's unit price."""
    if all(isinstance(entry, dict) for entry in entries):
        return column([entry["amount"] for entry in entries])
    return times(column(entries), one(price["unit_price"]))


def _discount(case: Case) -> Figures:
    price = case["price"]
    chain = in_order(_discounts(price["discounts"]), _order(price))
    discount, total = discounted(one(case["quantity"]), chain, rule(price.get("rounding")))
    return {"discount": fraction(discount), "total": fraction(total)}


def _order(price: Case) -> tuple[int, ...]:
    order = price.get("order", "given")
    return () if order == "given" else tuple(KINDS[kind] for kind in order)


def _discounts(discounts: Sequence[Case], offset: Any = None) -> Discounts:
    """One chain, or as many as `offset` says."""
    return Discounts(
        one_group(len(discounts)) if offset is None else offset,
        integers(*(KINDS[discount["kind"]] for discount in discounts)),
        column([discount["percent" if discount["kind"] == "percent" else "amount"] for discount in discounts]),
    )


def _distribution(case: Case) -> Figures:
    amounts = column(case["usage"])
    shares = shared_out(one(case["price"]["discount"]), amounts, one_group(len(case["usage"])), currency_rule(case))
    return {"lines": fractions(minus(amounts, shares))}


def _tax(case: Case) -> Figures:
    price = case["price"]
    base = one(rated(case)["amount"] if "base" in price else case["quantity"])
    offset = one_group(len(price["rates_percent"]))
    taxes = taxes_on(base, offset, column(price["rates_percent"]), rule(price.get("rounding")))
    tax = totals(taxes, offset)
    figures = {"amount": tax, "subtotal": base, "total": plus(base, tax)}
    return {"taxes": fractions(taxes), **{name: fraction(figure) for name, figure in figures.items()}}


def _invoice(case: Case) -> Figures:
    price: Case = case["price"] if "lines" in case["price"] else {"lines": _rated_lines(case)}
    rates = price.get("rates_percent", [])
    found = bills(_invoices(price, case.get("credits", [])), Terms(_order(price)), _rate_table(rates))
    amounts = fractions(column([line["amount"] for line in price["lines"]]))
    rests, paid = fractions(minus(found.line_net, found.line_credits)), fractions(found.line_credits)
    lines = zip(amounts, rests, paid, strict=True)
    return {
        "amount": fraction(found.due),
        "subtotal": fraction(found.subtotal),
        "discount": fraction(found.discount),
        "credits_applied": fraction(found.credits_applied),
        "taxes": fractions(found.taxed.taxes.amount),
        "lines": [{"amount": amount, "total": left, "credits": credit} for amount, left, credit in lines],
    }


def _rated_lines(case: Case) -> list[Case]:
    """The lines of a rated price that cost something."""
    lines = [{"kind": "usage", "amount": line["total"]} for line in rated(case)["lines"]]
    return [line for line in lines if line["amount"]]


def _invoices(price: Case, credits_: Sequence[Case]) -> Invoices:
    """One invoice."""
    lines = price["lines"]
    kinds = {kind: code for code, kind in enumerate(sorted({line["kind"] for line in lines}))}
    by_line = sorted(price.get("line_discounts", []), key=lambda discount: int(discount["line"]))
    per_line = np.bincount(integers(*(int(discount["line"]) for discount in by_line)), minlength=len(lines))
    pays = [
        only_kinds(kinds[kind] for kind in credit["pays"] if kind in kinds) if "pays" in credit else EVERY_KIND
        for credit in credits_
    ]
    return Invoices(
        one_group(len(lines)),
        column([line["amount"] for line in lines]),
        integers(*(kinds[line["kind"]] for line in lines)),
        integers(*(0 for _ in lines)),
        _discounts(by_line, offsets(per_line)),
        _discounts(price.get("discounts", [])),
        Credits(one_group(len(credits_)), column([credit["amount"] for credit in credits_]), integers(*pays)),
        integers(0),
        integers(0),
        rule(price.get("rounding")),
    )


def _rate_table(rates: Sequence[str]) -> RateTable:
    """Rates of one place and category, always."""
    nowhere = np.zeros(len(rates), dtype=np.int64)
    always, never = np.full(len(rates), ALWAYS), np.full(len(rates), NEVER)
    return RateTable(nowhere, nowhere, np.arange(len(rates)), column(rates), always, never)


MODELS: dict[str, Calculation] = {
    "commitment": _commitment,
    "discount": _discount,
    "distribution": _distribution,
    "tax": _tax,
    "invoice": _invoice,
}
