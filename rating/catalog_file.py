"""Read a catalog from YAML, and tell every mistake with its line, what was expected there, and what to do.

The file is read by its schema, not by YAML's guesses: `NO` is a string, 0.05 is the digits 0.05, and quotes around a
number change nothing. A file with a mistake is no catalog at all.
"""

from collections.abc import Callable
from datetime import date
from typing import Literal, TypeVar

import yaml

from ledger.meters import Meter
from rating import agreement_file, price_file, spending_file
from rating import catalog_fields as fields
from rating.agreements import Tax
from rating.catalog import Catalog, Contract, Customer, Plan, Price
from rating.catalog_checks import Item, Unread, faults
from rating.pricing import parts
from rating.yaml_page import Mistake, Page, Place, compose

Value = TypeVar("Value")
ReadItem = TypeVar("ReadItem", bound=Item)

UNREAD = parts.Price(charge=parts.Dynamic())
"""Stands for the terms of a price that has mistakes."""
_SECTIONS = ("meters", "plans", "customers", "contracts", "taxes")


def parse(text: str, stored: Catalog | None = None) -> tuple[Catalog | None, list[Mistake]]:
    """The catalog that `text` adds to `stored`, or None and the mistakes, in the order of the file."""
    file = read(text)
    if isinstance(file, Mistake):
        return None, [file]
    mistakes = file.mistakes(stored or Catalog())
    return (None if mistakes else file.catalog), mistakes


def read(text: str) -> "File | Mistake":
    """What stands in the file `text`, or why it is none."""
    root = compose(text)
    return root if isinstance(root, Mistake) else File(root)


class File:
    """A file that is read, and may be checked on top of any catalog."""

    def __init__(self, root: yaml.Node) -> None:
        self._root, self._page = root, _Page()
        self.catalog = _catalog(self._page, root)
        """What could be read of it."""
        self._own = list(self._page.mistakes)

    def mistakes(self, stored: Catalog) -> list[Mistake]:
        """What is wrong with the file on top of `stored`, in its order."""
        page = self._page
        page.mistakes = list(self._own)
        for fault in faults(self.catalog, stored, page.unread()):
            place = (*page.place_of(fault.item), *fault.inside)
            page.mistake(page.node_at(place, self._root), place, fault.message)
        return sorted(set(page.mistakes))


class _Page(Page):
    """A catalog's page, which also knows where each item stands and which names belong to items that are broken."""

    def __init__(self) -> None:
        super().__init__()
        self._items: dict[int, tuple[Place, Item]] = {}
        self._unread: dict[str, set[str]] = {section: set() for section in _SECTIONS}
        self._halves: list[Price | Contract] = []

    def read(self, place: Place, item: ReadItem) -> ReadItem:
        """Remember where `item` stands: equal items stand in two places, so it is known by being itself."""
        self._items[id(item)] = (place, item)
        return item

    def place_of(self, item: Item) -> Place:
        """Where `item` stands."""
        return self._items[id(item)][0]

    def not_read(self, section: str, name: str | None) -> None:
        """Remember the name of an item that has mistakes, so that nobody is told it is missing."""
        if name is not None:
            self._unread[section].add(name)

    def half_read(self, place: Place, item: Price | Contract) -> None:
        """Remember what can be read of an item that has mistakes, so that what it refers to is checked all the same."""
        self._halves.append(self.read(place, item))

    def unread(self) -> Unread:
        """What stands in the file with mistakes."""
        return Unread(
            frozenset(self._unread["meters"]),
            frozenset(self._unread["plans"]),
            frozenset(self._unread["customers"]),
            tuple(item for item in self._halves if isinstance(item, Price)),
            tuple(item for item in self._halves if isinstance(item, Contract)),
            has_taxes=bool(self._unread["taxes"]),
        )


def _catalog(page: _Page, root: yaml.Node) -> Catalog:
    """What can be read of a catalog: items without mistakes of their own."""
    sections = page.mapping(root, (), _SECTIONS, ())

    def items(section: str, read: Callable[[_Page, yaml.Node, Place], Value | None]) -> tuple[Value, ...]:
        found = [read(page, node, place) for node, place in page.items(sections.get(section), (section,))]
        return tuple(item for item in found if item is not None)

    return Catalog(
        items("meters", _meter),
        items("plans", _plan),
        items("customers", _customer),
        items("contracts", _contract),
        items("taxes", _tax),
    )


_METER = ("name", "event_type", "aggregation", "value", "unit", "dimensions")


def _meter(page: _Page, node: yaml.Node, place: Place) -> Meter | None:
    found = page.mapping(node, place, _METER, _METER[:3])
    name = page.scalar(found.get("name"), (*place, "name"), fields.name)
    event_type = page.scalar(found.get("event_type"), (*place, "event_type"), fields.plain)
    aggregation = page.scalar(found.get("aggregation"), (*place, "aggregation"), _aggregation)
    value = page.scalar(found.get("value"), (*place, "value"), fields.path)
    unit = page.scalar(found.get("unit"), (*place, "unit"), fields.plain)
    dimensions = _dimensions(page, found.get("dimensions"), (*place, "dimensions"))
    if name is None or event_type is None or aggregation is None:
        page.not_read("meters", name)
        return None
    return page.read(place, Meter(name, event_type, aggregation, value, unit, dimensions))


def _aggregation(text: str) -> Literal["sum", "count"]:
    return "sum" if fields.one_of(text, ("sum", "count"), "sum or count") == "sum" else "count"


def _dimensions(page: _Page, node: yaml.Node | None, place: Place) -> dict[str, str]:
    """A mapping of names to paths."""
    if node is None:
        return {}
    found = page.mapping(node, place, (), ())
    for name in found:
        page.scalar(found[name], (*place, name), lambda _, name=name: fields.name(name))  # type: ignore[misc]
    paths = {name: page.scalar(path, (*place, name), fields.path) for name, path in found.items()}
    return {name: path for name, path in paths.items() if path is not None}


_PLAN = ("name", "currency", "prices", "discounts", "pricing_unit")


def _plan(page: _Page, node: yaml.Node, place: Place) -> Plan | None:
    found = page.mapping(node, place, _PLAN, _PLAN[:3])
    name = page.scalar(found.get("name"), (*place, "name"), fields.name)
    currency = page.scalar(found.get("currency"), (*place, "currency"), fields.currency)
    prices = _prices(page, found.get("prices"), (*place, "prices"))
    discounts = agreement_file.discounts(page, found.get("discounts"), (*place, "discounts"))
    unit = agreement_file.pricing_unit(page, found.get("pricing_unit"), (*place, "pricing_unit"))
    if name is None or currency is None:
        page.not_read("plans", name)
        return None
    return page.read(place, Plan(name, currency, prices, discounts, unit))


def _prices(page: _Page, node: yaml.Node | None, place: Place) -> tuple[Price, ...]:
    return tuple(price for item, at in page.items(node, place) for price in _price(page, item, at))


def _price(page: _Page, node: yaml.Node, place: Place) -> list[Price]:
    """A price for each meter that it reads."""
    found = price_file.price(page, node, place)
    if not found.prices:
        for meter in found.meters:
            page.half_read(place, Price("", meter, UNREAD))
    return [page.read(place, price) for price in found.prices]


_CUSTOMER = ("id", "name", "subjects", "tax_place", "tax_exempt", "credit")


def _customer(page: _Page, node: yaml.Node, place: Place) -> Customer | None:
    found = page.mapping(node, place, _CUSTOMER, ("id", "subjects"))
    key = page.scalar(found.get("id"), (*place, "id"), fields.identifier)
    name = page.scalar(found.get("name"), (*place, "name"), fields.plain)
    listed = page.items(found.get("subjects"), (*place, "subjects"))
    subjects = [page.scalar(item, at, fields.subject) for item, at in listed]
    tax_place = page.scalar(found.get("tax_place"), (*place, "tax_place"), fields.name)
    exempt = page.scalar(found.get("tax_exempt"), (*place, "tax_exempt"), fields.plain)
    credit = spending_file.spending(page, found.get("credit"), (*place, "credit"))
    if key is None or None in subjects:
        page.not_read("customers", key)
        return None
    owned = tuple(subject for subject in subjects if subject is not None)
    return page.read(place, Customer(key, name or key, owned, tax_place, exempt, credit))


_OWN = ("prices", "commitment", "discounts")
_CONTRACT = ("id", "customer", "plan", "entity", "start", "end", "timezone", "anchor", *_OWN)


def _contract(page: _Page, node: yaml.Node, place: Place) -> Contract | None:
    found = page.mapping(node, place, _CONTRACT, _CONTRACT[:5])
    key = page.scalar(found.get("id"), (*place, "id"), fields.identifier)
    customer = page.scalar(found.get("customer"), (*place, "customer"), fields.identifier)
    plan = page.scalar(found.get("plan"), (*place, "plan"), fields.name)
    entity = page.scalar(found.get("entity"), (*place, "entity"), fields.name)
    start = page.scalar(found.get("start"), (*place, "start"), fields.day)
    end = page.scalar(found.get("end"), (*place, "end"), fields.day)
    zone = page.scalar(found.get("timezone"), (*place, "timezone"), fields.zone)
    anchor = page.scalar(found.get("anchor"), (*place, "anchor"), fields.anchor)
    prices = _prices(page, found.get("prices"), (*place, "prices"))
    commitment = agreement_file.commitment(page, found.get("commitment"), (*place, "commitment"))
    discounts = agreement_file.discounts(page, found.get("discounts"), (*place, "discounts"))
    optional = (("end", end), ("timezone", zone), ("anchor", anchor))
    broken = any(value is None and name in found for name, value in optional)
    if key is None or customer is None or plan is None or entity is None or start is None or broken:
        page.half_read(place, Contract(key or "", customer or "", plan or "", entity or "", start or date.min))
        return None
    read = Contract(key, customer, plan, entity, start, end, zone or "UTC", prices, commitment, discounts, anchor or 1)
    return page.read(place, read)


def _tax(page: _Page, node: yaml.Node, place: Place) -> Tax | None:
    tax = agreement_file.tax(page, node, place)
    if tax is None:
        page.not_read("taxes", "")
        return None
    return page.read(place, tax)
