"""Read what a catalog file agrees beside prices: commitments, discounts, pricing units, and the rates of taxes."""

from datetime import date
from typing import Final

import yaml

from rating import catalog_fields as read
from rating.agreements import STANDARD, Commitment, Discount, PricingUnit, Step, Tax, UnitRate
from rating.catalog_fields import ONE
from rating.yaml_page import Fields, Page, Place

COMMITMENT: Final = ("product", "amount", "steps", "true_up", "overage_factor", "tax_category", "months")
PRICING_UNIT: Final = ("name", "rate", "rates")
DISCOUNT: Final = ("name", "percent", "amount", "products")
TAX: Final = ("name", "rate", "place", "category", "from")


def commitment(page: Page, node: yaml.Node | None, place: Place) -> Commitment | None:
    """The commitment at `node`, or None after a mistake or without a node."""
    if node is None:
        return None
    before = len(page.mistakes)
    found = Fields(page, node, place, COMMITMENT, ("product", "true_up"))
    product, steps = found.scalar("product", read.product), _steps(found)
    true_up, factor = found.scalar("true_up", read.yes_or_no), found.scalar("overage_factor", read.factor)
    category = found.scalar("tax_category", read.name) or STANDARD
    months = found.scalar("months", read.months) or 1
    if len(page.mistakes) > before or product is None or true_up is None:
        return None
    return Commitment(product, steps, true_up, ONE if factor is None else factor, category, months)


def _steps(found: Fields) -> tuple[Step, ...]:
    """One amount for always, or amounts with the days from which they hold."""
    if ("amount" in found) == ("steps" in found):
        found.mistake("amount", "expected either an amount, or steps: [{from: 2026-01-01, amount: 100}]")
    amount = found.scalar("amount", read.amount)
    steps = [
        (one, one.scalar("amount", read.amount), one.scalar("from", read.day))
        for one in found.mappings("steps", ("amount", "from"), ("amount",))
    ]
    for nth, (one, _, since) in enumerate(steps):
        if since in {day for _, _, day in steps[:nth]}:
            one.mistake("from", "two steps begin on the same day: keep one, or give one another day")
    if "steps" in found and not steps:
        found.mistake("steps", "expected at least one step: {from: 2026-01-01, amount: 100}")
    known = [Step(said, since) for _, said, since in steps if said is not None]
    return tuple(known) if amount is None else (Step(amount),)


def pricing_unit(page: Page, node: yaml.Node | None, place: Place) -> PricingUnit | None:
    """The pricing unit at `node`, or None after a mistake or without a node."""
    if node is None:
        return None
    before = len(page.mistakes)
    found = Fields(page, node, place, PRICING_UNIT, ("name",))
    name, rate = found.scalar("name", read.name), found.scalar("rate", read.factor)
    if ("rate" in found) == ("rates" in found):
        found.mistake("rate", "expected either a rate, or rates: [{rate: 0.10}, {from: 2027-01-01, rate: 0.12}]")
    listed = [
        (one, one.scalar("rate", read.factor), one.scalar("from", read.day))
        for one in found.mappings("rates", ("rate", "from"), ("rate",))
    ]
    for nth, (one, _, since) in enumerate(listed):
        if since in {day for _, _, day in listed[:nth]}:
            one.mistake("from", "two rates begin on the same day: keep one, or give one another day")
    if "rates" in found and None not in {since for _, _, since in listed}:
        found.mistake("rates", "expected one rate without `from`, which holds until the first day of another")
    if len(page.mistakes) > before or name is None:
        return None
    rates = [UnitRate(said, since) for _, said, since in listed if said is not None]
    ordered = sorted(rates, key=lambda one: one.since or date.min)
    return PricingUnit(name, tuple(ordered) if rate is None else (UnitRate(rate),))


def discounts(page: Page, node: yaml.Node | None, place: Place) -> tuple[Discount, ...] | None:
    """The discounts at `node`, without those that are wrong, or None without a node."""
    if node is None:
        return None
    listed = [_discount(page, item, at) for item, at in page.items(node, place)]
    names = [None if one is None else one.name for one in listed]
    for (item, at), nth in zip(page.items(node, place), range(len(names)), strict=True):
        if names[nth] is not None and names[nth] in names[:nth]:
            page.mistake(item, (*at, "name"), f"{names[nth]} is in the list twice: give one another name")
    return tuple(one for one in listed if one is not None)


def _discount(page: Page, node: yaml.Node, place: Place) -> Discount | None:
    before = len(page.mistakes)
    found = Fields(page, node, place, DISCOUNT, ("name",))
    name, products = found.scalar("name", read.product), found.scalars("products", read.product)
    percent, amount = found.scalar("percent", read.part), found.scalar("amount", read.amount)
    if ("percent" in found) == ("amount" in found):
        found.mistake("percent", "expected either a percent or an amount that is taken off")
    if "products" in found and not products:
        found.mistake("products", "expected at least one product, or no `products` for all that the contract charges")
    if "products" in found and "amount" in found:
        message = (
            "an amount is taken off once a period, and a product may have several lines: give products a percent, "
            "or their prices `adjustments: [{amount_off: ...}]`"
        )
        found.mistake("amount", message)
    if len(page.mistakes) > before or name is None:
        return None
    return Discount(name, percent, amount, products)


def tax(page: Page, node: yaml.Node, place: Place) -> Tax | None:
    """The rate of a tax at `node`, or None after a mistake."""
    before = len(page.mistakes)
    found = Fields(page, node, place, TAX, TAX[:3])
    name, rate = found.scalar("name", read.product), found.scalar("rate", read.percent)
    where, category = found.scalar("place", read.name), found.scalar("category", read.name) or STANDARD
    since = found.scalar("from", read.day)
    if len(page.mistakes) > before or name is None or rate is None or where is None:
        return None
    return Tax(name, rate, where, category, since)
