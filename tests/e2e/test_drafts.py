"""Where catalogs need review, a file is drafted by one person, looked at and approved by another, and then in force."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.site import Site, event

DEARER = """\
plans:
  - name: standard
    currency: EUR
    prices: [{product: Egress, meter: gb_out, model: per_unit, unit_price: "0.50"}]
"""
SEATS = "meters: [{name: seats, event_type: seat, aggregation: sum, value: seats}]"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose first catalog was applied at once, and whose service wants every later one reviewed."""
    site = Site(tmp_path_factory.mktemp("drafts"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("METERLINE_CATALOG_NEEDS_REVIEW", "true")
        site.start()
    yield site
    if site.service is not None:
        site.stop()


def draft(site: Site, text: str, by: str, tenant: str = "default") -> Any:
    file = site.directory / "draft.yaml"
    file.write_text(text)
    return site.asked("apply", str(file), "--actor", by, "--tenant", tenant)


def approve(site: Site, number: int, shown: str, by: str, tenant: str = "default") -> Any:
    of = ("--shown", shown, "--actor", by, "--tenant", tenant)
    return site.run("drafts", "approve", str(number), *of, "--json")


def test_a_file_is_drafted_shown_and_approved_by_two_people_and_only_then_in_force(site: Site) -> None:
    seat = event(2, type="seat", data={"seats": 3})
    answer = site.send([event(1, data={"gb": "10"}), seat]).json
    assert (answer["accepted"], answer["quarantined"]) == (1, 1)
    drafted = draft(site, DEARER + SEATS, "ann")
    number = drafted["draft"]
    assert (drafted["version"], len(drafted["changes"])) == (1, 2)
    assert draft(site, DEARER + SEATS, "ann") == drafted, "the same file again is the same draft"
    assert site.asked("close", "2026-10", "--dry-run")["totals"] == {"EUR": "0.50"}
    (listed,) = site.asked("drafts")["drafts"]
    assert (listed["draft"], listed["by"], listed["state"], listed["changes"]) == (number, "ann", "draft", 2)

    seen = site.asked("drafts", "show", str(number))
    assert (seen["against"], seen["changes"]) == (1, drafted["changes"])
    own = approve(site, number, seen["shown"], "Ann")
    assert (own.status, "another person approves it" in own.said) == (2, True)
    assert site.run("drafts", "approve", str(number), "--actor", "bob").status == 2, "nobody looked at the difference"
    assert site.send([seat]).json["quarantined"] == 1
    done = approve(site, number, seen["shown"], "bob").json
    assert (done["state"], done["version"], done["new"]) == ("approved", 2, True)
    assert site.send([seat]).json["accepted"] == 1
    assert site.asked("close", "2026-10", "--dry-run")["totals"] == {"EUR": "5.00"}
    assert approve(site, number, seen["shown"], "bob").json == done | {"new": False}
    assert site.asked("drafts", "show", str(number))["changes"] == drafted["changes"]
    in_force = draft(site, DEARER, "carl")
    assert (in_force["draft"], in_force["changes"], in_force["version"]) == (None, [], 2)
    relational = sqlite3.connect(site.data / "relational.sqlite")
    rows = relational.execute("SELECT actor, drafted_by FROM catalog_versions WHERE version = 2").fetchall()
    relational.close()
    assert rows == [("bob", "ann")]


def test_a_draft_is_checked_against_the_catalog_of_the_moment_of_approval(site: Site) -> None:
    shop, others = "customers:\n  - {id: shop, name: Shop, subjects: [a]}\n", "customers: [{id: other, subjects: [a]}]"
    first, second, third = (
        draft(site, text, by, "T")["draft"]
        for text, by in ((shop, "ann"), (shop.replace("[a]", "[b]"), "zoe"), (others, "ann"))
    )
    seen = {number: site.asked("drafts", "show", str(number), "--tenant", "T") for number in (first, second, third)}
    assert approve(site, second, seen[second]["shown"], "bob", "T").status == 0
    moved = approve(site, first, seen[first]["shown"], "bob", "T")
    assert (moved.status, moved.json["state"], moved.json["changes"][0]["before"]) == (1, "draft", "Shop: b")
    again = approve(site, first, moved.json["shown"], "bob", "T")
    assert (again.status, again.json["state"]) == (0, "approved")
    broken = approve(site, third, seen[third]["shown"], "bob", "T")
    assert (broken.status, f"draft {third}: line 1, column" in broken.said) == (2, True)
    states = {one["draft"]: one["state"] for one in site.asked("drafts", "--tenant", "T")["drafts"]}
    assert states == {first: "approved", second: "approved", third: "draft"}


def test_a_rejected_draft_is_not_approved_and_a_difference_is_shown_whole_as_it_is_written(site: Site) -> None:
    many = "".join(f"  - {{id: c{number}, name: 'Shop [eu] {number}', subjects: []}}\n" for number in range(50))
    number = str(draft(site, f"customers:\n{many}", "ann [ops]", "many")["draft"])
    shown = site.run("drafts", "show", number, "--tenant", "many").output
    assert all(f"c{nth} " in shown for nth in range(50))
    assert "Shop [eu] 7" in shown
    digest = shown.split("--shown ")[1].split()[0]
    assert site.run("drafts", "reject", number, "--reason", " ", "--tenant", "many").status == 2
    site.asked("drafts", "reject", number, "--reason", "no [really]", "--actor", "bob", "--tenant", "many")
    listed = site.run("drafts", "--tenant", "many").output
    assert all(words in listed for words in ("ann [ops]", "rejected by bob", "[really]"))
    late = approve(site, int(number), digest, "bob", "many")
    assert (late.status, "rejected by bob: no [really]" in late.said) == (2, True)


def test_what_is_not_a_draft_or_a_name_is_told_and_options_may_stand_before_the_action(site: Site) -> None:
    file = site.directory / "draft.yaml"
    file.write_text("customers: [{id: new, subjects: []}]")
    dry = site.asked("apply", str(file), "--dry-run", "--tenant", "odd")
    assert (dry["draft"], len(dry["changes"]), site.asked("drafts", "--tenant", "odd")["drafts"]) == (None, 1, [])
    number = str(site.asked("apply", str(file), "--tenant", "odd")["draft"])
    assert site.asked("drafts", "--tenant", "odd", "show", number)["tenant"] == "odd"
    for wrong in (
        ("drafts", "show", number),
        ("drafts", "show", "99999999999999999999"),
        ("apply", str(file), "--actor", ""),
        ("apply", str(file), "--actor", "a\nb"),
    ):
        assert site.run(*wrong).status == 2, wrong
    file.write_text("customers: [{id: new}]")
    assert site.run("apply", str(file), "--tenant", "odd").status == 2
    assert len(site.asked("drafts", "--tenant", "odd")["drafts"]) == 1
