"""A period at other prices is what a close under them would charge, whatever is agreed, from charges or from usage."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rating import catalog_store
from rating.calculation import calculate
from rating.catalog import Catalog
from rating.catalog_reading import Reading
from rating.catalog_trial import apart, tried
from rating.close import Closed, close
from rating.runs import live_runs
from rating.what_if import Repricing
from tests.property.rating_worlds import World, worlds
from tests.property.settling_worlds import settling_worlds
from tests.unit.rating.test_what_if import totals, totals_of
from tests.unit.rating.world import NOVEMBER, NOW_MS, TENANT, MemoryLedger, store


@st.composite
def drafts(draw: st.DrawFn, catalog: Catalog) -> Catalog:
    """The catalog's plans, some at each other's prices, and some discounts gone."""
    terms = [price.terms for plan in catalog.plans for price in plan.prices if price.meter]
    plans = [
        replace(
            plan,
            prices=tuple(
                replace(price, terms=draw(st.sampled_from(terms))) if price.meter else price for price in plan.prices
            ),
            discounts=draw(st.sampled_from([(), plan.discounts])),
        )
        for plan in catalog.plans
    ]
    return Catalog(plans=tuple(plans))


@given(worlds() | settling_worlds(), st.data())
@settings(max_examples=15)
def test_what_if_comes_to_what_a_close_would_charge(world: World, data: st.DataObject) -> None:
    relational, ledger = store(), MemoryLedger(world.usage)
    with relational.begin() as connection:
        catalog_store.apply_catalog(connection, TENANT, Catalog(), world.catalog, "", "tests", 0)
    closed = close(ledger, relational, TENANT, str(NOVEMBER), NOW_MS)
    assert isinstance(closed, Closed)
    assert closed.charges is not None
    new = data.draw(drafts(world.catalog))
    with relational.connect() as connection, apart(relational) as own:
        draft = tried(own, TENANT, Reading(world.catalog, new))
        (run,) = live_runs(connection, TENANT)
        (found,) = Repricing(ledger, connection, TENANT, draft).charged_again([run])
        cutoff = run.manifest.cutoff
        charges = calculate(ledger, own, TENANT, draft.version, NOVEMBER, cutoff, NOW_MS).charges
    assert found.from_charges
    assert (totals(found.after), found.charges) == (totals_of(charges), len(charges))
    assert totals(found.before) == totals_of(closed.charges)
