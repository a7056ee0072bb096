"""A grant is read as it is written, added once, never changed, and voided with a reason."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.errors import Refused
from rating import credit_grants
from rating.credit_grants import Grant
from rating.credit_request import read_bonus, read_grant
from tests.unit.rating.crediting import grant_of, granted, voided
from tests.unit.rating.world import CATALOG, NOW_MS, TENANT, applied, store

WRITTEN: dict[str, Any] = {
    "id": "topup",
    "customer": "acme",
    "amount": "12.50",
    "currency": "EUR",
    "kind": "prepaid",
    "name": None,
    "effective": None,
    "expires": None,
    "products": [],
    "priority": "0",
    "cost_basis": None,
    "every": None,
    "rollover_min": None,
    "rollover_max": None,
}


@pytest.fixture
def relational() -> sa.Engine:
    engine = store()
    applied(engine, CATALOG)
    return engine


def test_a_grant_begins_today_and_is_called_by_its_id_unless_it_says_otherwise() -> None:
    found = read_grant(WRITTEN, NOW_MS)
    assert found == Grant(
        "topup", "acme", "EUR", 1250, "prepaid", name="topup", effective=date(2026, 11, 21), cost_basis="1"
    )


def test_amounts_are_minor_units_of_their_currency() -> None:
    assert read_grant(WRITTEN | {"currency": "JPY", "amount": "12"}, NOW_MS).amount == 12
    assert read_grant(WRITTEN | {"currency": "KWD", "amount": "12.005"}, NOW_MS).amount == 12_005


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"amount": "1.005"}, "amount: expected at most 2 decimals"),
        ({"amount": "0"}, "amount: expected more than 0"),
        ({"amount": "-1"}, "amount: .*not negative"),
        ({"amount": "999999999999999.99", "currency": "CLF"}, "amount: expected less than"),
        ({"currency": "EURO"}, "currency: .*ISO 4217"),
        ({"kind": "gift"}, "kind: expected prepaid or promotional or recurring"),
        ({"kind": "recurring"}, "every: expected with a recurring grant"),
        ({"every": "P1M"}, "every: expected with a recurring grant"),
        ({"kind": "recurring", "every": "monthly"}, "every: .*not an interval"),
        ({"kind": "recurring", "every": "P0D"}, "every: expected an interval that passes"),
        ({"expires": "2026-11-21"}, "expires: expected a day after 2026-11-21"),
        ({"effective": "yesterday"}, "from: expected a date"),
        ({"priority": "-1"}, "priority: expected 0 to 1000"),
        ({"rollover_max": "1"}, "rollover-max: expected with a recurring grant"),
        ({"rollover_min": "1"}, "rollover-min: expected with a recurring grant"),
        (
            {"kind": "recurring", "every": "P1M", "rollover_min": "2", "rollover_max": "1"},
            "rollover-min: expected no more than --rollover-max",
        ),
        ({"cost_basis": "half"}, "cost-basis: expected an amount"),
    ],
)
def test_what_can_be_no_grant_is_refused_with_what_was_expected(changed: dict[str, Any], expected: str) -> None:
    with pytest.raises(Refused, match=expected):
        read_grant(WRITTEN | changed, NOW_MS)


def test_what_stays_at_most_is_what_stays_at_least_unless_more_is_said() -> None:
    recurring = WRITTEN | {"kind": "recurring", "every": "P1M", "rollover_min": "2"}
    assert (read_grant(recurring, NOW_MS).rollover_min, read_grant(recurring, NOW_MS).rollover_max) == (200, 200)
    assert read_grant(recurring | {"rollover_max": "3"}, NOW_MS).rollover_max == 300


SLABS = ["10", "12.50:5%", "100:60"]


@pytest.mark.parametrize(
    ("amount", "bonus"),
    [("12.49", 1000), ("12.50", 63), ("99.99", 500), ("100", 6000)],  # halves go up: 0.625 is 0.63
)
def test_a_bonus_is_of_the_highest_threshold_that_the_top_up_reaches(amount: str, bonus: int) -> None:
    found = read_bonus(SLABS, None, read_grant(WRITTEN | {"amount": amount}, NOW_MS))
    assert found is not None
    assert found.amount == bonus


def test_a_bonus_is_promotional_credit_under_the_terms_of_its_top_up() -> None:
    top_up = read_grant(WRITTEN | {"products": ["API"], "priority": "3", "expires": "2027-01-01"}, NOW_MS)
    found = read_bonus(["10%"], None, top_up)
    assert found == Grant(
        id="topup.bonus",
        customer="acme",
        currency="EUR",
        amount=125,
        kind="promotional",
        name="topup bonus",
        effective=date(2026, 11, 21),
        expires=date(2027, 1, 1),
        products=("API",),
        priority=3,
    )
    sooner = read_bonus(["10%"], "2026-12-01", top_up)
    assert sooner is not None
    assert sooner.expires == date(2026, 12, 1)


def test_below_every_threshold_there_is_no_bonus() -> None:
    assert read_bonus(["12.51:5%"], "2027-01-01", read_grant(WRITTEN, NOW_MS)) is None
    assert read_bonus([], None, read_grant(WRITTEN, NOW_MS)) is None


@pytest.mark.parametrize(
    ("said", "expires", "changed", "expected"),
    [
        (["5%"], None, {"kind": "promotional"}, "bonus: expected with a prepaid grant alone"),
        ([], "2027-01-01", {}, "bonus-expires: expected with --bonus alone"),
        (["5%"], "2026-11-21", {}, "bonus-expires: expected a day after 2026-11-21"),
        (["5%", "10"], None, {}, "bonus: expected a threshold for each of several"),
        (["ten"], None, {}, "bonus: expected an amount"),
        (["x:10"], None, {}, "bonus: expected an amount"),
        (["-5%"], None, {}, "bonus: .*not negative"),
        (["5%"], None, {"id": "a" * 60}, "bonus: expected 1 to 64"),
    ],
)
def test_a_bonus_that_can_not_be_meant_is_refused(
    said: list[str], expires: str | None, changed: dict[str, Any], expected: str
) -> None:
    with pytest.raises(Refused, match=expected):
        read_bonus(said, expires, read_grant(WRITTEN | changed, NOW_MS))


def test_the_same_grant_again_adds_nothing_and_another_one_under_its_id_is_refused(relational: sa.Engine) -> None:
    one = grant_of("welcome", 300, products=("Egress", "API"))
    granted(relational, one)
    with relational.begin() as connection:
        assert not credit_grants.grant(connection, TENANT, one, "tests", NOW_MS + 1)
        with pytest.raises(Refused, match="other terms"):
            credit_grants.grant(connection, TENANT, grant_of("welcome", 301), "tests", NOW_MS)
        assert credit_grants.newest_version(connection) == 1


def test_a_grant_for_a_name_that_nothing_has_is_refused(relational: sa.Engine) -> None:
    with relational.begin() as connection:
        with pytest.raises(Refused, match="did you mean acme"):
            credit_grants.grant(connection, TENANT, grant_of("one", 1, customer="acmee"), "tests", NOW_MS)
        with pytest.raises(Refused, match="did you mean Egress"):
            credit_grants.grant(connection, TENANT, grant_of("one", 1, products=("Egres",)), "tests", NOW_MS)


def test_what_was_known_is_one_number(relational: sa.Engine) -> None:
    granted(relational, grant_of("first", 1), grant_of("second", 2))
    voided(relational, "first")
    granted(relational, grant_of("third", 3))

    def known(version: int) -> list[tuple[str, bool]]:
        with relational.connect() as connection:
            rows = connection.execute(credit_grants.rows_known(TENANT, version)).all()
        return sorted((row.id, row.voided is not None) for row in rows)

    assert known(2) == [("first", False), ("second", False)]
    assert known(3) == [("first", True), ("second", False)]
    assert known(4) == [("first", True), ("second", False), ("third", False)]


def test_a_grant_is_voided_once_and_with_a_reason(relational: sa.Engine) -> None:
    granted(relational, grant_of("welcome", 300))
    with relational.begin() as connection:
        with pytest.raises(Refused, match="say why"):
            credit_grants.void(connection, TENANT, "welcome", " ", "tests", NOW_MS)
        with pytest.raises(Refused, match="no grant nothing"):
            credit_grants.void(connection, TENANT, "nothing", "because", "tests", NOW_MS)
    voided(relational, "welcome")
    with pytest.raises(Refused, match="voided already: a mistake"):
        voided(relational, "welcome")
