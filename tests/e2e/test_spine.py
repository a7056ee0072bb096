"""One event's whole way: sent over HTTP, counted, rated, invoiced, journalled, posted, and traced back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import CATALOG, Site, event, meterline


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service that holds October 2026: 5 calls and 2.5 GB of acme, 1 GB of globex, and what nobody pays for."""
    site = Site(tmp_path_factory.mktemp("spine"))
    site.start()
    calls = [event(n, type="api.request", subject="acme-test", data={"region": "eu"}) for n in range(5)]
    egress = [event(10 + n, data={"gb": "0.5"}) for n in range(5)] + [event(20, subject="globex", data={"gb": 1})]
    unpaid = [
        event(30, subject="nobody"),
        event(31, time="2026-09-30T23:59:59.999Z"),
        event(32, time="2026-11-01T00:00:00Z"),
    ]
    assert site.send(calls + egress + unpaid).json["accepted"] == 14
    yield site
    if site.service is not None:
        site.stop()


def test_a_period_from_usage_to_the_erp_and_back(site: Site) -> None:
    dry = site.asked("close", "2026-10", "--dry-run")
    assert dry["state"] == "dry_run"
    closed = site.asked("close", "2026-10")
    # acme: (5 - 2) calls * 0.005 = 0.015, rounded half up to 0.02, and 2.5 GB * 0.05 = 0.125, to 0.13; globex: 0.05.
    assert closed["totals"] == dry["totals"] == {"EUR": "0.20"}
    assert (closed["state"], closed["events"], closed["charges"]) == ("rated", 11, 3)
    assert closed["residual"]["events"] == 0
    assert [(line["reason"], line["events"]) for line in closed["unrated"]] == [("no_customer", 1)]
    invoices = {invoice["customer"]: invoice for invoice in site.asked("invoices", "2026-10")["invoices"]}
    assert [(line["product"], line["quantity"], line["amount"]) for line in invoices["acme"]["lines"]] == [
        ("API", "5", "0.02"),
        ("Egress", "2.5", "0.13"),
    ]
    assert invoices["globex"]["total"] == "0.05"
    assert site.run("post", "2026-10", "--json").status == 2, "not approved yet"
    assert {one["state"] for one in site.asked("approve", "2026-10")["documents"]} == {"approved"}
    posted = site.asked("post", "2026-10")["documents"]
    assert [one["kind"] for one in posted].count("journal") == 1
    assert {one["state"] for one in posted} == {"posted"}
    assert all(Path(one["file"]).exists() for one in posted)
    files = {one["file"]: Path(one["file"]).read_bytes() for one in posted}
    assert site.asked("post", "2026-10")["documents"] == posted, "posting again posts nothing"
    assert {file: Path(file).read_bytes() for file in files} == files

    journal = next(one["id"] for one in posted if one["kind"] == "journal")
    receivable = site.asked("trace", f"{journal}:1")
    assert (receivable["events"], receivable["ok"]) == (11, True)
    line = site.asked("trace", f"{invoices['acme']['id']}:2")
    assert (line["quantity"], line["events"], line["ok"]) == ("2.5", 5, True)
    traced = site.run("trace", f"{invoices['acme']['id']}:2", "--events")
    assert [json.loads(row)["id"] for row in traced.output.splitlines()] == ["e10", "e11", "e12", "e13", "e14"]
    assert site.run("trace", "INV.2026-10.DE01.nobody.EUR", "--json").status == 2
    assert site.asked("verify")["ok"] is True


def test_closing_again_changes_nothing_and_says_so(site: Site) -> None:
    first = site.asked("close", "2026-10")
    site.send([event(99)])
    again = site.asked("close", "2026-10")
    assert (again["run"], again["totals"], again["new"]) == (first["run"], first["totals"], False)
    assert "nothing changed" in again["message"]
    assert "later" in again["message"]


def test_an_approved_close_cannot_be_discarded(site: Site) -> None:
    done = site.run("close", "2026-10", "--discard", "a wrong price")
    assert done.status == 2
    assert "approved" in done.said


def test_a_close_that_is_not_approved_can_be_discarded_and_run_again(site: Site) -> None:
    site.send([event(40, time="2026-09-15T00:00:00Z"), event(41, time="2026-09-16T00:00:00Z", subject="globex")])
    first = site.asked("close", "2026-09")
    assert site.run("close", "2026-09", "--discard", " ").status == 2
    site.asked("close", "2026-09", "--discard", "one event was missing")
    site.send([event(42, time="2026-09-17T00:00:00Z")])
    second = site.asked("close", "2026-09")
    assert second["run"] != first["run"]
    assert second["events"] == first["events"] + 1
    assert site.asked("verify")["ok"] is True


def test_a_catalog_with_mistakes_changes_nothing_and_is_told_line_by_line(site: Site, tmp_path: Path) -> None:
    before = site.asked("apply", str(site.directory / "catalog.yaml"))
    assert before["changes"] == []
    broken = CATALOG.replace("up_to: 2, ", "up_to: many, ").replace("customer: globex", "customer: globecks")
    file = tmp_path / "broken.yaml"
    file.write_text(broken)
    done = site.run("apply", str(file))
    assert done.status == 2
    assert "2 mistakes" in done.said
    assert "line 9," in done.said
    assert "line 16," in done.said
    assert site.asked("apply", str(site.directory / "catalog.yaml"))["version"] == before["version"]


def test_commands_work_without_the_service_too(site: Site) -> None:
    running = site.asked("invoices", "2026-10")
    assert site.stop() == 0
    assert site.asked("invoices", "2026-10") == running
    assert site.asked("verify")["ok"] is True
    site.start()


def test_what_makes_no_sense_ends_with_status_2(site: Site) -> None:
    assert site.run("close", "2026-13").status == 2
    assert site.run("approve", "2020-01").status == 2
    assert site.run("keys", "create", "--scope", "everything").status == 2
    assert meterline("serve", "--config", "/nowhere/meterline.toml").status == 2
