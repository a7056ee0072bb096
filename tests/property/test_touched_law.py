"""A file is judged and applied on the part of a catalog that it can touch as it is on all of it."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.meters import meters
from rating import catalog_store
from rating.catalog import Catalog, Customer, Plan, Price, difference
from rating.catalog_checks import faults
from rating.catalog_reading import touched
from rating.catalog_rows import ROWS, load
from rating.pricing import parts
from tests.property import settling_worlds as settling
from tests.property.close_worlds import close_worlds
from tests.property.rating_worlds import METERS, worlds
from tests.unit.rating.world import TENANT, store

catalogs = st.one_of(worlds(), settling.settling_worlds(), settling.settling_worlds()).map(lambda world: world.catalog)
with_own_prices = close_worlds().map(lambda world: world.catalog)


@dataclass
class Kept:
    """A catalog in a store of its own."""

    catalog: Catalog

    def __post_init__(self) -> None:
        self.connection = store().connect()
        catalog_store.apply_catalog(self.connection, TENANT, Catalog(), self.catalog, "", "tests", 0)

    def part(self, new: Catalog) -> Catalog:
        return load(self.connection, TENANT, 1, touched(self.connection, TENANT, 1, new))

    def rows_with(self, stored: Catalog, new: Catalog) -> list[Any]:
        catalog_store.apply_catalog(self.connection, TENANT, stored, new, "", "tests", 0)
        tables = [self.connection.execute(sa.select(table)).all() for table in (meters, *ROWS)]
        return [sorted(rows, key=repr) for rows in tables]


SUBJECTS = ["ada", "ada-0", "Bob", "Bob-1", "new"]


@st.composite
def together(draw: st.DrawFn, plan: Plan) -> Catalog:
    """Meters that a plan has under one product are priced together, from a day of one of them or from any."""
    by_product: dict[str, set[str]] = {}
    for price in plan.prices:
        by_product.setdefault(price.product, set()).add(price.meter)
    sold = sorted((product, sorted(of)) for product, of in by_product.items() if len(of) > 1)
    product, names = draw(st.sampled_from(sold or [("More", METERS)]))
    first, *others = draw(st.permutations(names))
    since = draw(st.none() | settling.days | st.sampled_from([price.since for price in plan.prices] or [None]))
    charge = parts.Capacity((first, *others), (parts.CapacityTier(draw(settling.fine), (None,) * len(names)),))
    with_it = parts.Price(charge=parts.PricedWith(first))
    prices = [Price(product, first, parts.Price(charge=charge), since)]
    prices += [Price(product, other, with_it, since) for other in others]
    return Catalog(plans=(Plan(plan.name, plan.currency, tuple(prices[: draw(st.integers(1, len(prices)))])),))


@st.composite
def files(draw: st.DrawFn, stored: Catalog) -> Catalog:
    """Everything of another catalog, or little of one kind, so that its one mistake is often what it meets there."""
    terms = parts.Price(charge=parts.PerUnit(draw(settling.fine)))
    more = Price("More", draw(st.sampled_from(METERS)), terms, draw(st.none() | settling.days))
    plan = draw(st.sampled_from(stored.plans))
    owner = st.builds(
        lambda name, subjects: Customer(name, "Owner", tuple(sorted(subjects))),
        st.sampled_from(["ada", "Bob", "new"]),
        st.sets(st.sampled_from(SUBJECTS), max_size=2),
    )
    kinds = [
        st.just(Catalog(plans=(Plan(plan.name, plan.currency, (more,)),))),
        st.lists(owner, min_size=1, max_size=2, unique_by=lambda one: one.id).map(
            lambda owners: Catalog(customers=tuple(owners))
        ),
        catalogs,
        together(plan),
    ]
    if stored.contracts:
        one = draw(st.sampled_from(stored.contracts))
        moved = replace(
            one,
            id=draw(st.sampled_from([one.id, "new"])),
            customer=draw(st.sampled_from(["ada", "Bob"])),
            plan=plan.name,
            discounts=None,
        )
        kinds.append(st.just(Catalog(contracts=(moved,))))
    return draw(st.one_of(kinds))


@given(st.data())
@settings(max_examples=50)
def test_the_part_that_a_file_can_touch_says_what_the_whole_catalog_says(data: st.DataObject) -> None:
    catalog = data.draw(st.one_of(catalogs, with_own_prices))
    new = data.draw(files(catalog))
    kept = Kept(catalog)
    part, whole = kept.part(new), load(kept.connection, TENANT, 1)
    if list(faults(new, whole)):
        assert list(faults(new, part))
        return
    assert list(faults(new, part)) == []
    assert difference(part, new) == difference(whole, new)
    assert catalog_store.difference_digest(part, new) == catalog_store.difference_digest(whole, new)
    assert kept.rows_with(part, new) == Kept(catalog).rows_with(whole, new)


@given(catalogs)
@settings(max_examples=20)
def test_what_no_file_names_is_not_loaded(catalog: Catalog) -> None:
    kept = Kept(catalog)
    whole = load(kept.connection, TENANT, 1)
    assert kept.part(Catalog(plans=catalog.plans)) == Catalog(whole.meters, whole.plans, (), (), whole.taxes)
