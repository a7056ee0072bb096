"""A period as it was known then, at the prices of then; and one run, rated again."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.site import CATALOG, Site, event

MONTH = "2026-10"
DAY_MS = 86_400_000
FIRST_APPLIED = datetime.now(UTC).date() - timedelta(days=10)


def first_version_applied_on(site: Site, day: date) -> None:
    """Move the first catalog back to the last millisecond of a day."""
    end_ms = (day - date(1970, 1, 1)).days * DAY_MS + DAY_MS - 1
    relational = sqlite3.connect(site.data / "relational.sqlite")
    relational.execute("UPDATE catalog_versions SET applied_at = ? WHERE version = 1", (end_ms,))
    relational.commit()
    relational.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """October, closed as run 1; then a late event, and a price that was changed today."""
    site = Site(tmp_path_factory.mktemp("time"))
    first_version_applied_on(site, FIRST_APPLIED)
    site.start()
    site.send([event(1, data={"gb": "10"})])
    assert site.asked("close", MONTH)["run"] == 1
    site.send([event(2, data={"gb": "2"})])
    dearer = site.directory / "dearer.yaml"
    dearer.write_text(CATALOG.replace('unit_price: "0.05"', 'unit_price: "0.10"'))
    assert site.asked("apply", str(dearer))["version"] == 2
    yield site
    if site.service is not None:
        site.stop()


def back(site: Site, *how: str) -> Any:
    return site.asked("close", MONTH, "--dry-run", *how)


def test_a_late_event_and_a_new_price_make_three_answers_for_a_closed_month(site: Site) -> None:
    closed = site.asked("close", MONTH)
    assert (closed["totals"], closed["cutoff"]) == ({"EUR": "0.50"}, "1")
    then = str(FIRST_APPLIED)
    first = back(site, "--cutoff", "1", "--prices-as-of", then)
    late = back(site, "--prices-as-of", then)
    both = back(site, "--cutoff", "2")
    assert [one["totals"]["EUR"] for one in (first, late, both)] == ["0.50", "0.60", "1.20"]
    assert first["manifest"] == closed["manifest"]
    assert [(one["cutoff"], one["catalog"]["version"]) for one in (first, late, both)] == [("1", 1), ("2", 1), ("2", 2)]
    assert first["catalog"]["applied_at"] == f"{then}T23:59:59.999Z"
    assert both == back(site, "--prices-as-of", both["catalog"]["applied_at"][: len("2026-11-21")])
    assert [one["total"] for one in both["documents"] if one["kind"] == "invoice"] == ["1.20"]
    assert {one["state"] for one in (first, late, both)} == {"dry_run"}
    assert site.asked("close", MONTH) == closed, "looking back changes nothing"
    said = site.run("close", MONTH, "--dry-run", "--cutoff", "1", "--prices-as-of", then).output
    assert "block 1" in said
    assert f"version 1, applied {then}T23:59:59.999Z" in said


def test_a_month_that_is_not_closed_is_looked_back_at_too(site: Site) -> None:
    found = site.asked("close", "2026-09", "--dry-run", "--cutoff", "1")
    assert (found["state"], found["charges"], found["cutoff"]) == ("dry_run", 0, "1")


def test_a_time_there_is_not_is_told_and_nothing_is_done(site: Site) -> None:
    for how, says in (
        (("--dry-run", "--cutoff", "3"), "cutoff 3 is none of this ledger: they go from 1 to 2"),
        (("--dry-run", "--prices-as-of", str(FIRST_APPLIED - timedelta(days=1))), "had no catalog on"),
        (("--discard", "why", "--cutoff", "1"), "add --dry-run"),
    ):
        done = site.run("close", MONTH, *how)
        assert (done.status, says in done.said, done.output) == (2, True, ""), done.said
    assert site.asked("close", MONTH)["run"] == 1


def test_one_run_is_rated_again_and_what_differs_is_said(site: Site) -> None:
    held = site.asked("verify", "--run", "1")
    assert (held["ok"], held["problems"], held["state"], held["charges"]) == (True, [], "rated", 1)
    site.asked("close", MONTH, "--discard", "a late event")
    assert site.asked("verify", "--run", "1")["state"] == "discarded"
    second = str(site.asked("close", MONTH)["run"])
    unknown = site.run("verify", "--run", "77")
    assert (unknown.status, "there is no run 77" in unknown.said) == (2, True)

    assert site.stop() == 0
    relational = sqlite3.connect(site.data / "relational.sqlite")
    relational.execute("UPDATE prices SET terms = replace(terms, '0.05', '0.06') WHERE version = 1")
    relational.commit()
    relational.close()
    differs = site.run("verify", "--run", "1")
    assert (differs.status, "rating it again gives other charges" in differs.output) == (1, True)
    same = site.run("verify", "--run", second)
    assert (same.status, "holds" in same.output) == (0, True), "another version's prices are as they were"
