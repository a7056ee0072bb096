"""The copies of an event are found wherever they are, and each conflict stands beside the event it contradicts."""

from types import SimpleNamespace
from typing import Any

import pytest

from ledger.ledger import Ledger
from metering.intake import Intake, load_index
from meterline.copies import copies
from meterline.operations import evidence
from meterline.outcome import Output
from tests.place import NOON_MS, Place, event, rows, told


def found(ledger: Ledger, intake: Intake, tenant: str, event_id: str, cutoff: int) -> list[tuple[int, str, str]]:
    identity = intake.hasher.identity(tenant, "/s", event_id)
    return [
        (row["block"], row["outcome"], row["data"]) for row in copies(ledger, intake.index, tenant, identity, cutoff)
    ]


def test_every_copy_up_to_the_cutoff_is_found_in_order(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        told(intake, event("a", data={"gb": "much"}), event("other"))
        told(intake, event("a", data={"gb": 1}), event("a", data={"gb": 2}), event("more", data={"gb": 2}))
        told(intake, event("a", data={"gb": 1}), event("b", data={"gb": 4}))
        told(intake, event("a", data={"gb": 3}))
        told(intake, event("a", data={"gb": 5}), tenant="other")
        every = [
            (1, "quarantined", '{"gb":"much"}'),
            (2, "accepted", '{"gb":1}'),
            (2, "conflict", '{"gb":2}'),
            (4, "conflict", '{"gb":3}'),
        ]
        for cutoff in range(1, 6):
            assert found(ledger, intake, "default", "a", cutoff) == [one for one in every if one[0] <= cutoff]
        assert found(ledger, intake, "other", "a", 5) == [(5, "accepted", '{"gb":5}')]
        assert found(ledger, intake, "default", "never sent", 5) == []


def test_what_the_head_holds_is_found_before_the_index_has_learnt_of_it(place: Place) -> None:
    with place.ledger() as ledger:
        for many in (3, 2):
            index = load_index(ledger)
            ledger.append(rows(ledger.accepted, many), 1, NOON_MS)
            last = ledger.accepted  # rows() counts identities from 1
            assert [row["block"] for row in copies(ledger, index, "default", last, ledger.head.block)] == [
                ledger.head.block
            ]


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_conflicts_are_listed_beside_the_events_that_stand(
    place: Place, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(evidence, "PAGE", page)
    with place.ledger() as ledger, place.intake(ledger) as intake:
        told(intake, *(event(str(number), data={"gb": number}) for number in range(4)))
        for second in (10, 20):
            told(intake, *(event(str(number), data={"gb": second + number}) for number in range(3)))
        installation: Any = SimpleNamespace(ledger=ledger, intake=intake)
        output = Output(lambda _: None, lambda _: None)
        listed = evidence.conflicts(installation, evidence.Kept(), output).result["conflicts"]
        assert [(pair["first"]["data"], pair["second"]["data"]) for pair in listed] == [
            (f'{{"gb":{number}}}', f'{{"gb":{second + number}}}') for second in (10, 20) for number in range(3)
        ]
        assert evidence.conflicts(installation, evidence.Kept(limit=4), output).result["conflicts"] == listed[:4]
