"""Any version of any history of catalogs can be read again, and no text makes the reader of files fall over."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from rating import catalog_rows, catalog_store
from rating.catalog import Catalog, difference, merged
from rating.catalog_file import parse
from rating.pricing.parts import Tiers
from rating.pricing.written import number_text
from tests.property.rating_worlds import World, worlds
from tests.unit.rating.world import CATALOG, TENANT, store


@given(st.lists(worlds(), min_size=1, max_size=4))
@settings(max_examples=40)
def test_every_version_reads_as_it_was_applied(history: Sequence[World]) -> None:
    expected = {0: Catalog()}
    with store().begin() as connection:
        for world in history:
            version = catalog_store.newest_version(connection)
            stored = catalog_rows.load(connection, TENANT, version)
            done = catalog_store.apply_catalog(connection, TENANT, stored, world.catalog, "", "tests", 0)
            assert done.version == version + bool(difference(stored, world.catalog))
            expected[done.version] = merged(expected[version], world.catalog)
        for version, catalog in expected.items():
            assert catalog_rows.load(connection, TENANT, version) == catalog


@given(worlds())
@settings(max_examples=40)
def test_a_catalog_written_as_yaml_is_read_back(world: World) -> None:
    catalog, mistakes = parse(written(world.catalog))
    assert mistakes == []
    assert catalog == world.catalog


def written(catalog: Catalog) -> str:
    """The catalog as a person would write it."""
    lines = ["meters:"]
    lines += [
        f"  - {{name: {m.name}, event_type: {m.event_type}, aggregation: {m.aggregation}}}" for m in catalog.meters
    ]
    lines += ["plans:"]
    for plan in catalog.plans:
        lines += [f"  - name: {plan.name}", f"    currency: {plan.currency}", "    prices:"]
        for price in plan.prices:
            lines += [
                f"      - product: {price.product}",
                f"        meter: {price.meter}",
                "        model: graduated",
            ]
            lines += [f"        from: {price.since}"] if price.since else []
            lines += ["        tiers:"]
            assert isinstance(price.terms.charge, Tiers)
            for tier in price.terms.charge.tiers:
                bound = "~" if tier.up_to is None else number_text(tier.up_to)
                assert tier.unit_price is not None
                lines += [f"          - {{up_to: {bound}, unit_price: '{number_text(tier.unit_price)}'}}"]
    lines += ["customers:"]
    lines += [f"  - {{id: {c.id}, name: {c.name}, subjects: [{', '.join(c.subjects)}]}}" for c in catalog.customers]
    lines += ["contracts:", *(f"  - {{{_fields(contract)}}}" for contract in catalog.contracts)]
    return "\n".join(lines)


def _fields(contract: object) -> str:
    names = ("id", "customer", "plan", "entity", "start", "end", "timezone", "anchor")
    return ", ".join(f"{name}: {getattr(contract, name)}" for name in names)


PIECES = [
    "[",
    "]",
    "{",
    "}",
    ":",
    "- ",
    "\n",
    "  ",
    "\t",
    "&a",
    "*a",
    "!!int",
    "'",
    '"',
    "|",
    "?",
    "\x00",
    "é",
    "name",
    "0.1",
]


@given(st.lists(st.tuples(st.integers(0, len(CATALOG)), st.integers(0, 30), st.sampled_from(PIECES)), max_size=5))
@settings(max_examples=300)
def test_a_damaged_file_is_a_catalog_or_mistakes_with_places(edits: list[tuple[int, int, str]]) -> None:
    text = CATALOG
    for at, cut, piece in edits:
        text = text[:at] + piece + text[at + cut :]
    catalog, mistakes = parse(text)
    assert (catalog is None) == bool(mistakes)
    lines = text.split("\n")
    assert all(1 <= mistake.line <= len(lines) + 1 and mistake.column >= 1 for mistake in mistakes)


@given(st.text())
@settings(max_examples=200)
def test_any_text_is_answered(text: str) -> None:
    catalog, mistakes = parse(text)
    assert (catalog is None) == bool(mistakes)
