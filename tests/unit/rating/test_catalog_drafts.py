"""A draft changes nothing until a second person approves the difference that it makes by then; all of it or none."""

from typing import Any

import pytest
import sqlalchemy as sa

from ledger.errors import Refused
from rating import catalog_drafts, catalog_rows, catalog_store, catalog_tables
from rating.catalog import Catalog
from rating.catalog_drafts import Approval, Draft, Reading
from rating.price_words import price_in_words
from tests.unit.rating.world import CATALOG, NOW_MS, TENANT, applied, store

DEARER = """\
plans:
  - name: standard
    currency: EUR
    prices: [{product: Egress, meter: gb_out, model: per_unit, unit_price: "0.07"}]
"""
OTHER_CUSTOMER = "customers: [{id: beta, subjects: [beta-prod]}]"


class CutOffError(Exception):
    """The process ended here."""


@pytest.fixture
def relational() -> sa.Engine:
    engine = store()
    applied(engine, CATALOG)
    return engine


def drafted(relational: sa.Engine, text: str = DEARER, by: str = "ann", tenant: str = TENANT) -> int:
    with relational.begin() as connection:
        return catalog_drafts.keep(connection, tenant, text, reading(connection, text, tenant), by, NOW_MS)


def reading(connection: sa.Connection, text: str, tenant: str = TENANT) -> Reading:
    found = catalog_drafts.read(connection, tenant, text)
    assert isinstance(found, Reading), [str(mistake) for mistake in found]
    return found


def draft_of(relational: sa.Engine, number: int) -> Draft:
    with relational.connect() as connection:
        draft = catalog_drafts.find(connection, TENANT, number)
    assert draft is not None
    return draft


def digest_now(relational: sa.Engine, number: int) -> str:
    with relational.connect() as connection:
        found = catalog_drafts.read_again(connection, draft_of(relational, number))
    assert isinstance(found, Reading)
    return found.digest


def approved(relational: sa.Engine, number: int, shown: str, by: str = "bob") -> Any:
    draft = draft_of(relational, number)
    with relational.begin() as connection:
        return catalog_drafts.approve(connection, draft, shown, by, NOW_MS + 1)


def rejected(relational: sa.Engine, number: int, reason: str, by: str = "bob") -> bool:
    draft = draft_of(relational, number)
    with relational.begin() as connection:
        return catalog_drafts.reject(connection, draft, reason, by, NOW_MS + 1)


def catalog(relational: sa.Engine) -> tuple[int, Catalog]:
    with relational.connect() as connection:
        version = catalog_store.newest_version(connection)
        return version, catalog_rows.load(connection, TENANT, version)


def gb_price(relational: sa.Engine) -> str:
    (plan,) = catalog(relational)[1].plans
    return price_in_words(plan.prices[-1].terms)


def test_a_draft_changes_nothing_else_and_is_listed_with_what_it_would(relational: sa.Engine) -> None:
    before = catalog(relational)
    number = drafted(relational)
    assert catalog(relational) == before
    with relational.connect() as connection:
        (draft,) = catalog_drafts.listed(connection, TENANT)
        assert catalog_drafts.listed(connection, "other") == []
        assert catalog_drafts.find(connection, "other", number) is None
        assert [change.after for change in catalog_drafts.recorded(connection, draft)] == ["Egress: 0.07 a unit"]
    assert (draft.number, draft.drafted_by, draft.drafted_at, draft.base_version, draft.changes, draft.state) == (
        number,
        "ann",
        NOW_MS,
        1,
        1,
        "draft",
    )


def test_the_same_file_of_the_same_person_is_one_draft_until_it_is_decided(relational: sa.Engine) -> None:
    number = drafted(relational)
    assert drafted(relational) == number
    others = {drafted(relational, by="bob"), drafted(relational, OTHER_CUSTOMER)}
    others |= {drafted(relational, CATALOG, tenant=tenant) for tenant in ("one", "other")}
    assert len(others | {number}) == 5
    rejected(relational, number, "too dear")
    assert drafted(relational) > max(others)


def test_an_approved_draft_is_the_next_version_and_says_who_drafted_and_who_applied(relational: sa.Engine) -> None:
    number = drafted(relational)
    assert approved(relational, number, digest_now(relational, number)) == Approval(2, new=True)
    assert gb_price(relational) == "0.07 a unit"
    with relational.connect() as connection:
        versions = catalog_tables.catalog_versions
        row = connection.execute(sa.select(versions).where(versions.c.version == 2)).one()
    assert (row.drafted_by, row.actor, row.source, row.applied_at) == ("ann", "bob", DEARER, NOW_MS + 1)
    draft = draft_of(relational, number)
    assert (draft.state, draft.decided_by, draft.decided_at, draft.version) == ("approved", "bob", NOW_MS + 1, 2)


@pytest.mark.parametrize("name", ["ann", "Ann", "ANN"])
def test_nobody_approves_their_own_draft_however_they_type_their_name(relational: sa.Engine, name: str) -> None:
    number = drafted(relational)
    with pytest.raises(Refused, match="ann's own: another person approves it"):
        approved(relational, number, digest_now(relational, number), name)
    assert (draft_of(relational, number).state, gb_price(relational)) == ("draft", "0.05 a unit")


def test_approving_again_changes_nothing_and_names_the_same_version(relational: sa.Engine) -> None:
    number = drafted(relational)
    shown = digest_now(relational, number)
    approved(relational, number, shown)
    after = draft_of(relational, number)
    applied(relational, CATALOG)  # back to the old price: approving again must not bring the new one
    assert approved(relational, number, shown, "carl") == Approval(2, new=False)
    assert draft_of(relational, number) == after
    assert gb_price(relational) == "0.05 a unit"
    with pytest.raises(Refused, match=f"approved by bob and is catalog version 2, with difference {shown}"):
        approved(relational, number, "another")


def test_another_difference_than_the_one_shown_is_not_approved(relational: sa.Engine) -> None:
    number = drafted(relational)
    shown = digest_now(relational, number)
    applied(relational, DEARER.replace("0.07", "0.09"))
    found = approved(relational, number, shown)
    assert isinstance(found, Reading)
    assert [(change.before, change.after) for change in found.changes] == [
        ("Egress: 0.09 a unit", "Egress: 0.07 a unit")
    ]
    assert (draft_of(relational, number).state, catalog(relational)[0], gb_price(relational)) == (
        "draft",
        2,
        "0.09 a unit",
    )
    assert approved(relational, number, found.digest) == Approval(3, new=True)
    with relational.connect() as connection:
        kept = catalog_drafts.recorded(connection, draft_of(relational, number))
    assert kept == found.changes, "what is kept of a draft is what was approved"


def test_a_change_elsewhere_in_the_catalog_leaves_the_difference_as_it_was_shown(relational: sa.Engine) -> None:
    number = drafted(relational)
    shown = digest_now(relational, number)
    applied(relational, OTHER_CUSTOMER)
    applied(relational, CATALOG.replace("0.0004", "0.0005"))  # another price of the same plan
    assert approved(relational, number, shown) == Approval(4, new=True)
    assert price_in_words(catalog(relational)[1].plans[0].prices[0].terms) == "0 up to 1000, then 0.0005"


def test_two_differences_that_read_alike_have_two_digests(relational: sa.Engine) -> None:
    shown_of_eight = "customers: [{{id: acme, subjects: [a1, a2, a3, a4, a5, a6, a7, {}]}}]"
    with relational.connect() as connection:
        one, other = (reading(connection, shown_of_eight.format(last)) for last in ("a8", "a9"))
    assert one.changes == other.changes, "three subjects are only counted"
    assert one.digest != other.digest


def test_how_a_file_is_written_is_no_difference(relational: sa.Engine) -> None:
    with relational.connect() as connection:
        digests = {reading(connection, text).digest for text in (DEARER, DEARER.replace('"0.07"', "0.0700"))}
        again = "{name: api_calls, event_type: api.request, aggregation: count, dimensions: {zone: z, region: region}}"
        turned = again.replace("zone: z, region: region", "region: region, zone: z")
        meters = {reading(connection, f"meters: [{text}]").digest for text in (again, turned)}
    assert (len(digests), len(meters)) == (1, 1)


def test_a_draft_that_has_mistakes_by_now_is_told_line_by_line_and_stays_a_draft(relational: sa.Engine) -> None:
    taken = "customers: [{id: beta, subjects: [shared]}]\n"
    number = drafted(relational, taken)
    shown = digest_now(relational, number)
    applied(relational, "customers: [{id: gamma, subjects: [shared]}]")
    found = approved(relational, number, shown)
    assert isinstance(found, list)
    assert [mistake.line for mistake in found] == [1]
    assert (draft_of(relational, number).state, catalog(relational)[0]) == ("draft", 2)


def test_a_draft_that_changes_nothing_any_more_can_only_be_rejected(relational: sa.Engine) -> None:
    number = drafted(relational)
    shown = digest_now(relational, number)
    applied(relational, DEARER)
    empty = approved(relational, number, shown)
    assert isinstance(empty, Reading)
    assert empty.changes == []
    with pytest.raises(Refused, match="changes nothing any more"):
        approved(relational, number, empty.digest)
    assert rejected(relational, number, "done already") is True


def test_a_rejected_draft_keeps_its_first_reason_and_is_not_approved(relational: sa.Engine) -> None:
    number = drafted(relational)
    shown = digest_now(relational, number)
    with pytest.raises(Refused, match="say why"):
        rejected(relational, number, " ")
    assert rejected(relational, number, "too dear", "ann") is True
    assert rejected(relational, number, "another reason") is False
    draft = draft_of(relational, number)
    assert (draft.state, draft.decided_by, draft.reason, draft.version) == ("rejected", "ann", "too dear", None)
    with pytest.raises(Refused, match="rejected by ann: too dear"):
        approved(relational, number, shown)
    assert catalog(relational)[0] == 1


def test_an_approved_draft_is_not_rejected(relational: sa.Engine) -> None:
    number = drafted(relational)
    approved(relational, number, digest_now(relational, number))
    with pytest.raises(Refused, match="was approved by bob"):
        rejected(relational, number, "too late")
    assert gb_price(relational) == "0.07 a unit"


def test_a_decision_in_between_takes_the_whole_approval_back(relational: sa.Engine) -> None:
    number = drafted(relational)
    seen, shown = draft_of(relational, number), digest_now(relational, number)
    rejected(relational, number, "too dear")
    with pytest.raises(Refused, match="decided by somebody else"), relational.begin() as connection:
        catalog_drafts.approve(connection, seen, shown, "bob", NOW_MS)
    assert (draft_of(relational, number).state, catalog(relational)[0], gb_price(relational)) == (
        "rejected",
        1,
        "0.05 a unit",
    )


def test_an_approval_cut_off_before_any_of_its_writes_leaves_a_draft_that_can_be_approved(
    relational: sa.Engine,
) -> None:
    number = drafted(relational, DEARER + OTHER_CUSTOMER)
    shown, before = digest_now(relational, number), catalog(relational)
    writes = 0
    left = 0

    def cut_off(_: object, __: object, statement: str, *___: object) -> None:
        nonlocal left
        if statement.startswith(("INSERT", "UPDATE")):
            left -= 1
            if left < 0:
                raise CutOffError

    sa.event.listen(relational, "before_cursor_execute", cut_off)
    while True:
        left = writes
        try:
            done = approved(relational, number, shown)
        except CutOffError:
            assert (draft_of(relational, number).state, catalog(relational)) == ("draft", before)
            writes += 1
        else:
            break
    assert (done, writes) == (Approval(2, new=True), 6)
