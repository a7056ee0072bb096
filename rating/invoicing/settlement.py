"""Say what an invoice comes to: its lines less their own discounts, less the invoice's, then credits and taxes.

Discounts of the invoice are shared out over its lines, so that each line's rest is known to credits and to taxes.
Where credits stand is the contract's choice; by default they lower what is due and not what is taxed.
"""

from enum import Enum, auto
from typing import NamedTuple

import numpy as np

from rating.exact import Int64s
from rating.groups import group_of, offsets, totals
from rating.invoicing.discounts import GIVEN_ORDER, Discounts, in_order, taken_off
from rating.invoicing.payments import Credits, Payments, paid_by_row, payments
from rating.invoicing.sharing import shared_out
from rating.invoicing.taxes import Taxable, Taxes, TaxService
from rating.ratios import Ratios, minus, plus, taken
from rating.rounding import Rounding, rounded, rule_of


class CreditsPay(Enum):
    """What credits pay."""

    NET = auto()
    """What discounts left; taxes are on all of it (Flexprice)."""
    TAX_BASE = auto()
    """The same, and taxes are on what they did not pay (Orb's prepaid credits)."""
    GROSS = auto()
    """Taxes too, as if each line were charged its part of them (Lago's wallets)."""


class Terms(NamedTuple):
    """What the contracts of a batch of invoices have in common."""

    discount_order: tuple[int, ...] = GIVEN_ORDER
    credits_pay: CreditsPay = CreditsPay.NET


class Invoices(NamedTuple):
    """Priced lines and what changes them."""

    offset: Int64s
    """Of the lines."""
    amount: Ratios
    kind: Int64s
    """What a line is to credits: see `Credits.pays`."""
    category: Int64s
    """What a line is to the tax office."""
    line_discounts: Discounts
    """Line by line."""
    discounts: Discounts
    """Invoice by invoice."""
    credits: Credits
    place: Int64s
    """Per invoice: where it is taxed."""
    day: Int64s
    """Per invoice: its tax date."""
    rule: Rounding | None
    """Per invoice: how discounts, taxes and what is due are rounded."""


class OfInvoice(NamedTuple):
    """What taxes are asked for beside amounts, invoice by invoice."""

    place: Int64s
    day: Int64s
    rule: Rounding | None


class Net(NamedTuple):
    """What discounts take off, row by row of them, and what they leave of each line."""

    off_lines: Ratios
    left: Ratios
    """Of each line by its own discounts."""
    off: Ratios
    lines: Ratios


class Taxed(NamedTuple):
    """What taxes invoices carry."""

    invoice: Int64s
    """Of which invoice each taxable amount is."""
    taxable: Taxable
    taxes: Taxes
    amount: Ratios
    """Per invoice."""


class Bills(NamedTuple):
    """What invoices come to."""

    subtotal: Ratios
    discount: Ratios
    taxed: Taxed
    credits_applied: Ratios
    due: Ratios
    line_net: Ratios
    """Per line: less all discounts."""
    line_credits: Ratios
    payments: Payments


def bills(invoices: Invoices, terms: Terms, tax_service: TaxService) -> Bills:
    """What each invoice comes to."""
    chain = in_order(invoices.discounts, terms.discount_order)
    net = after_discounts(invoices.amount, invoices.offset, invoices.line_discounts, chain, invoices.rule).lines
    match terms.credits_pay:
        case CreditsPay.NET:
            taxed, paid = _taxed(invoices, net, tax_service), _paid(invoices, net)
        case CreditsPay.TAX_BASE:
            paid = _paid(invoices, net)
            taxed = _taxed(invoices, minus(net, _by_line(invoices, paid)), tax_service)
        case CreditsPay.GROSS:
            taxed = _taxed(invoices, net, tax_service)
            paid = _paid(invoices, plus(net, shared_out(taxed.amount, net, invoices.offset, invoices.rule)))
    line_credits = _by_line(invoices, paid)
    subtotal, base = totals(invoices.amount, invoices.offset), totals(net, invoices.offset)
    applied = totals(line_credits, invoices.offset)
    due = rounded(plus(minus(base, applied), taxed.amount), invoices.rule)
    return Bills(subtotal, minus(subtotal, base), taxed, applied, due, net, line_credits, paid)


def after_discounts(
    amounts: Ratios, offset: Int64s, line_discounts: Discounts, discounts: Discounts, rule: Rounding | None
) -> Net:
    """What discounts of lines, and then those of their groups, leave of each line; the rule's rows are the groups."""
    off_lines = taken_off(amounts, line_discounts, rule_of(rule, group_of(offset)))
    left = minus(amounts, totals(off_lines, line_discounts.offset))
    off = taken_off(totals(left, offset), discounts, rule)
    shares = shared_out(totals(off, discounts.offset), left, offset, rule)
    return Net(off_lines, left, off, minus(left, shares))


def _paid(invoices: Invoices, owed: Ratios) -> Payments:
    return payments(owed, invoices.kind, invoices.offset, invoices.credits)


def _by_line(invoices: Invoices, paid: Payments) -> Ratios:
    return paid_by_row(paid, paid.line, len(invoices.kind))


def _taxed(invoices: Invoices, owed: Ratios, tax_service: TaxService) -> Taxed:
    """The taxes on what is owed, invoice by invoice."""
    of_invoice = OfInvoice(invoices.place, invoices.day, invoices.rule)
    return taxed(owed, group_of(invoices.offset), invoices.category, of_invoice, tax_service)


def taxed(owed: Ratios, own: Int64s, category: Int64s, of_invoice: OfInvoice, tax_service: TaxService) -> Taxed:
    """The taxes on what is owed, category by category of the invoices `own`, exact without a rule."""
    order = np.lexsort((category, own))
    own, category = own[order], category[order]
    starts = np.flatnonzero((np.diff(own, prepend=-1) != 0) | (np.diff(category, prepend=0) != 0))
    base = totals(taken(owed, order), np.append(starts, len(order)))
    invoice = own[starts]
    place, day, rule = of_invoice
    taxable = Taxable(base, place[invoice], category[starts], day[invoice], rule_of(rule, invoice))
    taxes = tax_service.taxes(taxable)
    by_invoice = offsets(np.bincount(invoice[taxes.row], minlength=len(place)))
    return Taxed(invoice, taxable, taxes, totals(taxes.amount, by_invoice))
