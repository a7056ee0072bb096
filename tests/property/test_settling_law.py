"""What is made of priced lines is what a clerk with a pencil makes of them, and comes to what the engine's bills say.

The clerk takes the lines for usage and fees as they are and reads the catalog itself: no columns, no positions.
"""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.charges import COMMITMENT, DISCOUNT, FEE, KINDS, TAX, USAGE
from ledger.charges import digest as charges_digest
from rating import book as books
from rating import catalog_store
from rating.agreements import Discount
from rating.book import Book
from rating.catalog import Catalog, Contract, Customer
from rating.catalog_checks import faults
from rating.close import Closed, close
from rating.groups import offsets
from rating.invoicing.discounts import FIXED, PERCENT, Discounts
from rating.invoicing.payments import Credits
from rating.invoicing.settlement import Invoices, Terms, bills
from rating.ratios import HALF_UP, of_fractions
from rating.rounding import Rounding
from tests.property.exact_columns import fractions
from tests.property.rating_worlds import World
from tests.property.settling_worlds import settling_worlds
from tests.reference.adjustments import commitment, discount_value, shared_out
from tests.unit.rating.world import NOVEMBER, NOW_MS, TENANT, MemoryLedger, exact_amount, store

DIGITS = {"EUR": 2, "JPY": 0}
FIRST, LAST = date(2026, 11, 1), date(2026, 12, 1)
PARTY = ("entity", "customer", "currency")
Row = dict[str, Any]
Line = tuple[str, str, Fraction]
"""A product, its tax category and an amount."""


def closed(world: World) -> tuple[Closed, Book]:
    relational = store()
    with relational.begin() as connection:
        assert list(faults(world.catalog, Catalog())) == []
        done = catalog_store.apply_catalog(connection, TENANT, Catalog(), world.catalog, "", "tests", 0)
        book = books.load(connection, TENANT, done.version)
    found = close(MemoryLedger(world.usage), relational, TENANT, "2026-11", NOW_MS, dry_run=True)
    assert isinstance(found, Closed)
    return found, book


def rows_of(found: Closed) -> list[Row]:
    assert found.charges is not None
    rows: list[Row] = found.charges.to_pylist()
    return rows


def half_up(currency: str) -> Row:
    return {"scale": DIGITS[currency], "mode": "half_up"}


def rounded(amount: Fraction, currency: str) -> Fraction:
    unit = 10 ** DIGITS[currency]
    whole = int(abs(amount) * unit + Fraction(1, 2))
    return Fraction(whole if amount >= 0 else -whole, unit)


class Clerk:
    """Makes the further lines of one invoice after the other."""

    def __init__(self, catalog: Catalog) -> None:
        self.plans = {plan.name: plan for plan in catalog.plans}
        self.customers = {customer.id: customer for customer in catalog.customers}
        self.contracts = catalog.contracts
        self.taxes = catalog.taxes

    def currency(self, contract: Contract) -> str:
        return self.plans[contract.plan].currency

    def parties(self) -> Iterator[tuple[tuple[str, str, str], list[Contract]]]:
        """Invoices, and the contracts on them."""
        named = [((one.entity, one.customer, self.currency(one)), one) for one in self.contracts]
        for party, group in groupby(sorted(named, key=lambda one: (one[0], one[1].id)), key=lambda one: one[0]):
            yield party, [contract for _, contract in group]

    def made(self, rows: list[Row]) -> Iterator[tuple[str, ...]]:
        """Everything that follows from `rows`, as text."""
        for party, on_invoice in self.parties():
            nets: list[Line] = []
            committed, discounted = [], []
            for contract in on_invoice:
                lines = [self.line(contract, row) for row in rows if row["contract"] == contract.id]
                for exact, amount in self.committed(contract, sum((line[2] for line in lines), Fraction(0))):
                    assert contract.commitment
                    committed.append((COMMITMENT, contract.id, contract.commitment.product, exact, amount))
                    lines.append((contract.commitment.product, contract.commitment.tax_category, amount))
                named, net = self.discounted(contract, lines)
                discounted += [(DISCOUNT, contract.id, name, *off) for name, off in sorted(named.items())]
                nets += net
            taxed = [(TAX, "", *tax) for tax in self.taxed(self.customers[party[1]], party[2], nets)]
            for kind, contract_id, name, exact, amount in (*committed, *discounted, *taxed):
                yield (*party, kind, contract_id, name, str(exact), str(amount))

    def line(self, contract: Contract, row: Row) -> Line:
        (category,) = {one.tax_category for one in self.plans[contract.plan].prices if one.product == row["product"]}
        return row["product"], category, Fraction(row["amount"], 10 ** DIGITS[row["currency"]])

    def committed(self, contract: Contract, cost: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
        first, last = max(contract.start, FIRST), min(contract.end or LAST, LAST)
        said = contract.commitment
        steps = [step for step in said.steps if (step.since or date.min) <= first] if said else []
        if said is None or first >= last or not steps or not steps[-1].amount:
            return
        price = {
            "commitment_amount": str(steps[-1].amount * (last - first).days / 30),
            "overage_factor": str(said.overage_factor),
            "true_up": said.true_up,
        }
        (settled,) = commitment(price, [{"amount": str(cost)}])["windows"]
        if settled != cost:
            yield settled - cost, rounded(settled, self.currency(contract)) - cost

    def discounted(
        self, contract: Contract, lines: list[Line]
    ) -> tuple[dict[str, tuple[Fraction, Fraction]], list[Line]]:
        """What each discount takes off, by name, and what is left of the lines."""
        currency = self.currency(contract)
        chain = {one.name: one for one in self.plans[contract.plan].discounts or ()}
        chain.update({one.name: one for one in contract.discounts or ()})
        left = [amount for _, _, amount in lines]
        off: dict[str, list[tuple[Fraction, Fraction]]] = {name: [] for name in chain}
        for one in chain.values():
            for nth, (product, _, _) in enumerate(lines):
                if product in one.products:
                    off[one.name].append(self.off(one, left[nth], currency))
                    left[nth] -= off[one.name][-1][1]
        rest = sum(left, Fraction(0))
        for one in chain.values():
            if not one.products:
                off[one.name].append(self.off(one, rest, currency))
                rest -= off[one.name][-1][1]
        if lines:
            shares = shared_out(sum(left, Fraction(0)) - rest, left, half_up(currency))
            left = [amount - share for amount, share in zip(left, shares, strict=True)]
        sums = {name: (-sum(e for e, _ in each), -sum(a for _, a in each)) for name, each in off.items()}
        nets = [(product, category, net) for (product, category, _), net in zip(lines, left, strict=True)]
        return {name: (Fraction(e), Fraction(a)) for name, (e, a) in sums.items() if e}, nets

    def off(self, one: Discount, base: Fraction, currency: str) -> tuple[Fraction, Fraction]:
        if one.percent is not None:
            said: Row = {"kind": "percent", "percent": str(one.percent)}
        else:
            said = {"kind": "fixed", "amount": str(one.amount)}
        return discount_value(said, base, None), discount_value(said, base, half_up(currency))

    def taxed(self, customer: Customer, currency: str, nets: list[Line]) -> Iterator[tuple[str, Fraction, Fraction]]:
        if customer.tax_place is None or customer.tax_exempt is not None:
            return
        sums: dict[str, Fraction] = {}
        for _, category, net in nets:
            for name, rate in self.rates(customer.tax_place, category).items():
                if net:
                    sums[name] = sums.get(name, Fraction(0)) + net * rate / 100
        yield from ((name, exact, rounded(exact, currency)) for name, exact in sorted(sums.items()))

    def rates(self, place: str, category: str) -> dict[str, Fraction]:
        """By name, as of the last day of the month."""
        mine = [tax for tax in self.taxes if (tax.place, tax.category) == (place, category)]
        begun = [tax for tax in mine if (tax.since or date.min) < LAST]
        return {tax.name: tax.rate for tax in sorted(begun, key=lambda tax: tax.since or date.min)}


def as_text(row: Row) -> tuple[str, ...]:
    amount = Fraction(row["amount"], 10 ** DIGITS[row["currency"]])
    party = (row["entity"], row["customer"], row["currency"])
    return (*party, row["kind"], row["contract"], row["product"], str(exact_amount(row)), str(amount))


@given(settling_worlds())
@settings(max_examples=40)
def test_invoices_come_to_what_a_clerk_makes_of_their_lines(world: World) -> None:
    found, _ = closed(world)
    rows = rows_of(found)
    priced = [row for row in rows if row["kind"] in (USAGE, FEE)]
    made = [row for row in rows if row["kind"] not in (USAGE, FEE)]
    assert [as_text(row) for row in made] == list(Clerk(world.catalog).made(priced))
    assert {(row["meter"], row["events"], row["quantity"], row["digest"]) for row in made} <= {("", 0, 0, bytes(16))}
    sums = {currency: Fraction(0) for currency in found.manifest.totals}
    residue = dict(sums)
    for row in rows:
        amount = Fraction(row["amount"], 10 ** DIGITS[row["currency"]])
        sums[row["currency"]] += amount
        residue[row["currency"]] += amount - exact_amount(row)
    assert {currency: Fraction(total) for currency, total in found.manifest.totals.items()} == sums
    assert {currency: Fraction(total) for currency, total in found.manifest.rounding.items()} == residue


@given(settling_worlds())
@settings(max_examples=20)
def test_lines_stand_in_one_order(world: World) -> None:
    rows = rows_of(closed(world)[0])
    assert [row["line"] for row in rows] == list(range(len(rows)))

    def place(row: Row) -> Any:
        rank = max(KINDS.index(row["kind"]), KINDS.index(FEE))
        rest = [row[name] for name in ("contract", "product", "meter", "window_start")]
        return [row[name] for name in PARTY], rank, rest

    assert rows == sorted(rows, key=place)


@given(settling_worlds(), st.randoms(use_true_random=False))
@settings(max_examples=12)
def test_neither_the_order_of_usage_nor_other_invoices_make_a_difference(world: World, random: Any) -> None:
    found, _ = closed(world)
    assert found.charges is not None
    shuffled = list(world.usage)
    random.shuffle(shuffled)
    again, _ = closed(World(world.catalog, shuffled))
    assert charges_digest(again.charges) == charges_digest(found.charges)
    for customer in ("ada", "Bob"):
        alone, _ = closed(
            World(_only(world.catalog, customer), [use for use in world.usage if use.subject == customer])
        )
        mine = [as_text(row) for row in rows_of(found) if row["customer"] == customer]
        assert [as_text(row) for row in rows_of(alone)] == mine


def _only(catalog: Catalog, customer: str) -> Catalog:
    mine = tuple(one for one in catalog.contracts if one.customer == customer)
    return Catalog(catalog.meters, catalog.plans, catalog.customers, mine, catalog.taxes)


@given(settling_worlds(shared=False))
@settings(max_examples=30)
def test_an_invoice_of_one_contract_comes_to_what_its_bill_says(world: World) -> None:
    found, book = closed(world)
    clerk = Clerk(world.catalog)
    by_party: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows_of(found):
        by_party.setdefault((row["entity"], row["customer"], row["currency"]), []).append(row)
    contracts = dict(clerk.parties())
    for party, rows in by_party.items():
        if len(contracts[party]) == 1:
            total = sum(Fraction(row["amount"], 10 ** DIGITS[row["currency"]]) for row in rows)
            assert [total] == fractions(_bill(book, clerk, contracts[party][0], rows))


def _bill(book: Book, clerk: Clerk, contract: Contract, rows: list[Row]) -> Any:
    """What the engine says is due for the lines of one contract."""
    said = contract.commitment
    lines = [
        (said.product, said.tax_category, Fraction(row["amount"], 10 ** DIGITS[row["currency"]]))
        if row["kind"] == COMMITMENT and said
        else clerk.line(contract, row)
        for row in rows
        if KINDS.index(row["kind"]) < KINDS.index(DISCOUNT)
    ]
    chain = {one.name: one for one in clerk.plans[contract.plan].discounts or ()}
    chain.update({one.name: one for one in contract.discounts or ()})
    of_lines = [[one for one in chain.values() if product in one.products] for product, _, _ in lines]
    rates = book.agreed.rates
    customer = book.customers.to_pylist().index(contract.customer)
    invoice = Invoices(
        np.array([0, len(lines)]),
        of_fractions([amount for _, _, amount in lines]),
        np.zeros(len(lines), dtype=np.int64),
        np.array([rates.categories.index(category) for _, category, _ in lines], dtype=np.int64),
        _chains(of_lines),
        _chains([[one for one in chain.values() if not one.products]]),
        Credits(np.zeros(2, dtype=np.int64), of_fractions([]), np.zeros(0, dtype=np.int64)),
        rates.place_of[[customer]],
        np.array([NOVEMBER.end_day() - 1]),
        Rounding(DIGITS[clerk.currency(contract)], HALF_UP),
    )
    return bills(invoice, Terms(), rates.table).due


def _chains(lists: list[list[Discount]]) -> Discounts:
    each = [one for said in lists for one in said]
    kinds = [FIXED if one.percent is None else PERCENT for one in each]
    values = [one.amount if one.percent is None else one.percent for one in each]
    return Discounts(
        offsets(np.array([len(said) for said in lists], dtype=np.int64)),
        np.array(kinds, dtype=np.int64),
        of_fractions([value for value in values if value is not None]),
    )
