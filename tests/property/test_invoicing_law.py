"""What happens to an invoice is what the reference says, invoice for invoice, whatever else is on the run."""

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rating.invoicing.commitment import Commitments, Ramp, ramped, settled, settled_by_window
from rating.invoicing.discounts import (
    FIXED,
    FIXED_FIRST,
    GIVEN_ORDER,
    PERCENT,
    PERCENT_FIRST,
    Discounts,
    discounted,
    in_order,
)
from rating.invoicing.payments import EVERY_KIND, Credits, only_kinds
from rating.invoicing.pricing_units import Rates, converted
from rating.invoicing.settlement import Bills, CreditsPay, Invoices, Terms, bills
from rating.invoicing.sharing import shared_out
from rating.invoicing.taxes import RateTable, taxes_on
from rating.periods import ALWAYS, NEVER
from tests.property.exact_columns import (
    amounts,
    column,
    decimals,
    flat,
    fractions,
    offset_of,
    percents,
    quantities,
    rounding,
    rules,
    signed,
    split,
    unit_prices,
)
from tests.reference import adjustments, evaluate
from tests.reference.exactness import rounded

Case = dict[str, Any]
KINDS = {"percent": PERCENT, "fixed": FIXED}
ORDERS = {"given": GIVEN_ORDER, ("percent", "fixed"): PERCENT_FIRST, ("fixed", "percent"): FIXED_FIRST}
LINE_KINDS = ["usage", "fixed", "minimum"]

money = signed(amounts)
discounts = st.one_of(
    st.builds(lambda percent: {"kind": "percent", "percent": percent}, percents),
    st.builds(lambda amount: {"kind": "fixed", "amount": amount}, amounts),
)
chains = st.lists(discounts, max_size=3)


def figures(model: str, price: Case, *keys: str, **given_: Any) -> Case:
    """What the reference says of one invoice."""
    return evaluate({"model": model, "currency": "EUR", "price": price, "expected": dict.fromkeys(keys), **given_})


def chains_of(lists: list[list[Case]]) -> Discounts:
    each = flat(lists)
    kinds = np.array([KINDS[discount["kind"]] for discount in each], dtype=np.int64)
    return Discounts(
        offset_of(lists), kinds, column([discount.get("percent", discount.get("amount")) for discount in each])
    )


@given(st.lists(st.tuples(money, chains, rules), min_size=1, max_size=5), st.sampled_from(list(ORDERS)))
def test_discounts_follow_each_other(rows: list[tuple[Fraction, list[Case], Case]], order: Any) -> None:
    amount, chain, rule = (list(side) for side in zip(*rows, strict=True))
    found = discounted(column(amount), in_order(chains_of(chain), ORDERS[order]), rounding(rule))
    expected = [
        figures("discount", {"discounts": own, "order": order, "rounding": how}, "discount", "total", quantity=base)
        for base, own, how in rows
    ]
    assert fractions(found[0]) == [bill["discount"] for bill in expected]
    assert fractions(found[1]) == [bill["total"] for bill in expected]


@given(st.lists(st.tuples(amounts, st.lists(money, max_size=4), rules), min_size=1, max_size=5))
def test_what_is_shared_out_adds_up_and_the_last_line_takes_the_rest(
    rows: list[tuple[Fraction, list[Fraction], Case]],
) -> None:
    shared, lines, rule = (list(side) for side in zip(*rows, strict=True))
    found = shared_out(column(shared), column(flat(lines)), offset_of(lines), rounding(rule))
    expected = [adjustments.shared_out(*row) if row[1] else [] for row in rows]
    assert split(fractions(found), offset_of(lines)) == expected
    whole = [sum(parts) for parts, own in zip(expected, lines, strict=True) if sum(own)]
    assert whole == [discount for discount, own in zip(shared, lines, strict=True) if sum(own)]


@given(st.lists(st.tuples(money, st.lists(percents, max_size=3), rules), min_size=1, max_size=5))
def test_every_rate_is_on_the_same_base(rows: list[tuple[Fraction, list[Fraction], Case]]) -> None:
    base, rates, rule = (list(side) for side in zip(*rows, strict=True))
    found = taxes_on(column(base), offset_of(rates), column(flat(rates)), rounding(rule))
    expected = [
        figures("tax", {"rates_percent": own, "rounding": how}, "taxes", quantity=amount)["taxes"]
        for amount, own, how in rows
    ]
    assert split(fractions(found), offset_of(rates)) == expected


commitments = st.fixed_dictionaries(
    {
        "commitment_amount": amounts,
        "overage_factor": decimals(10, 2),
        "true_up": st.booleans(),
        "cumulative_prior": amounts,
        "rounding": rules,
    }
)
windows = st.lists(amounts, max_size=4)


@given(st.lists(st.tuples(commitments, windows), min_size=1, max_size=5), st.booleans())
def test_commitments_are_settled(rows: list[tuple[Case, list[Fraction]]], windowed: bool) -> None:
    terms, costs = (list(side) for side in zip(*rows, strict=True))
    amount, factor, used = (
        column([own[name] for own in terms]) for name in ("commitment_amount", "overage_factor", "cumulative_prior")
    )
    committed = Commitments(amount, factor, used, np.array([own["true_up"] for own in terms]))
    settle = settled_by_window if windowed else settled
    found = settle(column(flat(costs)), offset_of(costs), committed, rounding([own["rounding"] for own in terms]))
    expected = [
        figures("commitment", {**own, "windowed": windowed}, "amount", "windows", "true_up", usage=entries)
        for own, entries in ((own, [{"amount": cost} for cost in group]) for own, group in rows)
    ]
    assert fractions(found.amount) == [bill["amount"] for bill in expected]
    assert fractions(found.missing) == [bill["true_up"] for bill in expected]
    assert split(fractions(found.windows), found.offset) == [bill["windows"] for bill in expected]


dated = st.dictionaries(st.integers(0, 30), amounts, max_size=4)


@given(st.lists(st.tuples(dated, st.integers(-5, 40)), min_size=1, max_size=5))
def test_a_ramp_commits_to_its_last_step(rows: list[tuple[dict[int, Fraction], int]]) -> None:
    steps = [sorted(own.items()) for own, _ in rows]
    since = np.array([day for day, _ in flat(steps)], dtype=np.int64)
    ramp = Ramp(offset_of(steps), since, column([amount for _, amount in flat(steps)]))
    found = ramped(ramp, np.arange(len(rows)), np.array([day for _, day in rows], dtype=np.int64))
    assert fractions(found) == [own[max(b)] if (b := [d for d in own if d <= day]) else 0 for own, day in rows]


@given(st.lists(st.tuples(signed(quantities), unit_prices, rules), min_size=1, max_size=5))
def test_pricing_units_become_money_once(rows: list[tuple[Fraction, Fraction, Case]]) -> None:
    amount, rate, rule = zip(*rows, strict=True)
    count = np.arange(len(rows) + 1)
    rates = Rates(count, np.full(len(rows), 10), column(rate))
    found = converted(column(amount), count[:-1], np.full(len(rows), 10), rates, rounding(rule))
    assert fractions(found.amount) == [rounded(amount * rate, rule) for amount, rate, rule in rows]
    assert not converted(column(amount), count[:-1], np.full(len(rows), 9), rates, None).has_rate.any()
    no_rates = Rates(np.zeros_like(count), count[:0], column([]))
    assert not converted(column(amount), count[:-1], np.full(len(rows), 10), no_rates, None).has_rate.any()


credits_ = st.lists(
    st.fixed_dictionaries({"amount": amounts}, optional={"pays": st.lists(st.sampled_from(LINE_KINDS), unique=True)}),
    max_size=3,
)


@st.composite
def invoices(draw: st.DrawFn) -> tuple[Case, list[Case]]:
    """An invoice in the form of a case, and the credits it is paid with."""
    lines = draw(
        st.lists(st.fixed_dictionaries({"amount": money, "kind": st.sampled_from(LINE_KINDS)}), min_size=1, max_size=4)
    )
    on_line = st.tuples(st.integers(0, len(lines) - 1), discounts).map(lambda pair: {"line": pair[0], **pair[1]})
    price = {
        "lines": lines,
        "line_discounts": draw(st.lists(on_line, max_size=3)),
        "discounts": draw(chains),
        "rates_percent": draw(st.lists(percents, max_size=2)),
        "rounding": draw(rules),
    }
    return price, draw(credits_)


def billed(batch: list[tuple[Case, list[Case]]], terms: Terms) -> Bills:
    """The engine's bills; each invoice is taxed at a place of its own."""
    prices = [price for price, _ in batch]
    lines = [price["lines"] for price in prices]
    on_lines = [
        [own for own in price["line_discounts"] if own["line"] == line]
        for price in prices
        for line in range(len(price["lines"]))
    ]
    own_credits = [held for _, held in batch]
    pays = [
        only_kinds(map(LINE_KINDS.index, credit["pays"])) if "pays" in credit else EVERY_KIND
        for credit in flat(own_credits)
    ]
    rates = [price["rates_percent"] for price in prices]
    place = np.repeat(np.arange(len(batch)), [len(own) for own in rates])
    table = RateTable(
        place,
        np.zeros_like(place),
        np.arange(len(place)),
        column(flat(rates) or [0]),
        np.full(len(place), ALWAYS),
        np.full(len(place), NEVER),
    )
    return bills(
        Invoices(
            offset_of(lines),
            column([line["amount"] for line in flat(lines)]),
            np.array([LINE_KINDS.index(line["kind"]) for line in flat(lines)], dtype=np.int64),
            np.zeros(len(flat(lines)), dtype=np.int64),
            chains_of(on_lines),
            chains_of([price["discounts"] for price in prices]),
            Credits(
                offset_of(own_credits),
                column([credit["amount"] for credit in flat(own_credits)]),
                np.array(pays, dtype=np.int64),
            ),
            np.arange(len(batch)),
            np.zeros(len(batch), dtype=np.int64),
            rounding([price["rounding"] for price in prices]),
        ),
        terms,
        table,
    )


batches = st.lists(invoices(), min_size=1, max_size=4)


@given(batches, st.sampled_from(list(ORDERS)))
def test_invoices_come_to_what_the_reference_says(batch: list[tuple[Case, list[Case]]], order: Any) -> None:
    found = billed(batch, Terms(ORDERS[order]))
    keys = ("amount", "subtotal", "discount", "credits_applied", "taxes", "lines")
    expected = [figures("invoice", {**price, "order": order}, *keys, credits=held) for price, held in batch]
    for name, figure in (
        ("amount", found.due),
        ("subtotal", found.subtotal),
        ("discount", found.discount),
        ("credits_applied", found.credits_applied),
    ):
        assert fractions(figure) == [bill[name] for bill in expected], name
    assert fractions(found.taxed.taxes.amount) == [tax for bill in expected for tax in bill["taxes"]]
    lines = [line for bill in expected for line in bill["lines"]]
    assert fractions(found.line_credits) == [line["credits"] for line in lines]
    left = [net - paid for net, paid in zip(fractions(found.line_net), fractions(found.line_credits), strict=True)]
    assert left == [line["total"] for line in lines]


@given(batches, st.sampled_from(CreditsPay))
def test_payments_say_who_paid_what(batch: list[tuple[Case, list[Case]]], credits_pay: CreditsPay) -> None:
    found = billed(batch, Terms(credits_pay=credits_pay))
    lines = [(invoice, line) for invoice, (price, _) in enumerate(batch) for line in price["lines"]]
    own = [(invoice, credit) for invoice, (_, held) in enumerate(batch) for credit in held]
    spent = [Fraction(0)] * len(own)
    paid = [Fraction(0)] * len(lines)
    for credit, line, amount in zip(
        found.payments.credit, found.payments.line, fractions(found.payments.amount), strict=True
    ):
        assert amount > 0
        assert own[credit][0] == lines[line][0]
        assert lines[line][1]["kind"] in own[credit][1].get("pays", LINE_KINDS)
        spent[credit] += amount
        paid[line] += amount
    assert all(used <= credit["amount"] for used, (_, credit) in zip(spent, own, strict=True))
    assert paid == fractions(found.line_credits)


@given(batches)
def test_credits_stand_where_the_contract_puts_them(batch: list[tuple[Case, list[Case]]]) -> None:
    """Before taxes they lower what is taxed; after taxes they pay those too."""
    lowering = billed(batch, Terms(credits_pay=CreditsPay.TAX_BASE))
    paying = billed(batch, Terms(credits_pay=CreditsPay.GROSS))
    outside = billed(batch, Terms())
    for nth, (price, _) in enumerate(batch):
        rule, rates = price["rounding"], price["rates_percent"]
        net = fractions(outside.subtotal)[nth] - fractions(outside.discount)[nth]
        taxed = net - fractions(lowering.credits_applied)[nth]
        taxes = [rounded(taxed * rate / 100, rule) for rate in rates]
        assert fractions(lowering.taxed.amount)[nth] == sum(taxes)
        assert fractions(lowering.due)[nth] == rounded(taxed + sum(taxes), rule)
        gross = net + fractions(outside.taxed.amount)[nth]
        assert fractions(paying.due)[nth] == rounded(gross - fractions(paying.credits_applied)[nth], rule)
        assert fractions(paying.taxed.amount)[nth] == fractions(outside.taxed.amount)[nth]
