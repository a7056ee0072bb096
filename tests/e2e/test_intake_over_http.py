"""Events over HTTP, as a product service sees it: what is counted, what is told, and what is refused."""

import gzip
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.e2e.site import Site, event

USAGE = "/v1/usage?from=2026-10-01T00:00:00Z&to=2026-11-01T00:00:00Z"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One service for all of these; each test uses a source of its own."""
    site = Site(tmp_path_factory.mktemp("http"))
    site.start()
    yield site
    assert site.stop() == 0


def counts(said: dict[str, Any]) -> tuple[int, int, int, int, int]:
    return (said["accepted"], said["duplicates"], said["conflicts"], said["quarantined"], len(said["rejected"]))


def test_a_retry_counts_once_and_another_body_is_a_conflict(site: Site) -> None:
    first = site.send([event(1, source="/retry"), event(2, source="/retry")])
    again = site.send([event(1, source="/retry"), event(2, source="/retry", data={"gb": 7})])
    assert (first.status, counts(first.json)) == (200, (2, 0, 0, 0, 0))
    assert (again.status, counts(again.json)) == (200, (0, 1, 1, 0, 0))
    copies = site.read("/v1/events?source=/retry&id=e2").json["events"]
    assert [copy["outcome"] for copy in copies] == ["accepted", "conflict"]
    assert json.loads(copies[1]["data"]) == {"gb": 7}


def test_a_tenth_ten_times_is_exactly_one_as_number_and_as_string(site: Site) -> None:
    values = ["0.1", 0.1] * 5
    sent = [event(n, source="/tenth", subject="tenth", data={"gb": value}) for n, value in enumerate(values)]
    assert site.send(sent).json["accepted"] == 10
    answer = site.read(f"{USAGE}&meter=gb_out&group_by=subject&subject=tenth").json
    assert answer["rows"] == [{"subject": "tenth", "quantity": "1", "events": 10}]


def test_the_other_events_of_a_bad_batch_are_counted(site: Site) -> None:
    batch = [
        event(1, source="/bad"),
        {"source": "/bad"},
        event(3, source="/bad", time="yesterday"),
        event(4, source="/bad", data={"gb": "much"}),
        event(5, source="/bad", type="nobody.knows"),
        event(6, source="/bad", time="2019-01-01T00:00:00Z"),
        "text",
        event(7, source="/bad", id="x" * 257),
        event(8, source="/bad"),
    ]
    answer = site.send(batch)
    assert (answer.status, counts(answer.json)) == (200, (2, 0, 0, 3, 4))
    rejected = [(one["index"], one["code"]) for one in answer.json["rejected"]]
    assert rejected == [(1, "missing"), (2, "time_unreadable"), (6, "not_an_object"), (7, "too_long")]
    assert all(len(one["reason"]) > 20 for one in answer.json["rejected"])


def test_cloudevents_single_batch_and_binary_are_one_and_the_same_event(site: Site) -> None:
    one = event(1, source="/cloud") | {"specversion": "1.0"}
    single = site.send(json.dumps(one).encode(), Content_Type="application/cloudevents+json; charset=utf-8")
    batch = site.send([one], Content_Type="application/cloudevents-batch+json")
    headers = {f"ce_{name}": str(one[name]) for name in ("specversion", "id", "source", "type", "subject", "time")}
    binary = site.send(b'{ "gb" : "0.1" }', Content_Type="application/json", **headers)
    assert [answer.json["accepted"] for answer in (single, batch, binary)] == [1, 0, 0]
    assert [answer.json["duplicates"] for answer in (single, batch, binary)] == [0, 1, 1]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_ndjson_may_be_compressed(site: Site, compress: Any) -> None:
    encoding = "gzip" if compress is gzip.compress else "zstd"
    lines = b"\n".join(json.dumps(event(n, source=f"/{encoding}")).encode() for n in range(50)) + b"\n"
    answer = site.send(compress(lines), Content_Type="application/x-ndjson", Content_Encoding=encoding)
    assert (answer.status, answer.json["accepted"]) == (200, 50)


@pytest.mark.parametrize(
    ("body", "headers", "status", "says"),
    [
        (b"[{]", {}, 400, "expected a JSON array"),
        (b"", {}, 400, "empty"),
        (b"[1,2", {}, 400, "truncated"),
        (b'[{"id":"\xff"}]', {}, 400, "UTF-8"),
        (b'[{"id":"\\ud800"}]', {}, 400, "surrogate"),
        (b"[" * 100_000, {}, 400, "nested"),
        (b"[]", {"Content_Type": "text/plain"}, 415, "application/json"),
        (b"[]", {"Content_Type": "application/json; charset=latin-1"}, 415, "UTF-8"),
        (b"[]", {"Content_Encoding": "br"}, 415, "gzip or zstd"),
        (b"[]", {"Content_Encoding": "gzip"}, 400, "not gzip"),
        (gzip.compress(b" " * 40_000_000), {"Content_Encoding": "gzip"}, 413, "body_bytes_max"),
        (zstandard.compress(b" " * 40_000_000), {"Content_Encoding": "zstd"}, 413, "body_bytes_max"),
        (b'{"id":"a"}', {"Content_Type": "application/cloudevents+json"}, 422, "source"),
        (b"[]", {"Authorization": "Bearer mtl_0_wrong"}, 401, "Bearer"),
        (b"[]", {"Authorization": "Basic eA=="}, 401, "Bearer"),
    ],
)
def test_a_refusal_says_what_was_expected(
    site: Site, body: bytes, headers: dict[str, str], status: int, says: str
) -> None:
    answer = site.send(body, **headers)
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json) == {"type", "title", "status", "detail"}
    assert says in answer.json["detail"]


def test_a_body_over_the_limit_is_refused_before_it_is_read(site: Site) -> None:
    assert site.service is not None
    connection = http.client.HTTPConnection(site.service.url.removeprefix("http://"), timeout=30)
    connection.putrequest("POST", "/v1/events")
    connection.putheader("Authorization", f"Bearer {site.ingest_key}")
    connection.putheader("Content-Length", str(33 * 2**20))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert "body_bytes_max" in json.loads(answer.read())["detail"]
    connection.close()


def test_a_key_opens_only_what_its_scopes_say(site: Site) -> None:
    assert site.send([], Authorization=f"Bearer {site.read_key}").status == 403
    assert site.request("/v1/usage", None, {"Authorization": f"Bearer {site.ingest_key}"}).status == 403
    assert site.request("/v1/usage", None, {}).status == 401


def test_a_revoked_key_stops_opening(site: Site) -> None:
    made = site.asked("keys", "create", "--scope", "ingest")
    assert site.send([], Authorization=f"Bearer {made['key']}").status in (200, 401)
    site.asked("keys", "revoke", made["id"])
    for _ in range(50):
        if site.send([], Authorization=f"Bearer {made['key']}").status == 401:
            return
        time.sleep(0.1)
    pytest.fail("the key still opens after 5 s")


def test_tenants_do_not_meet(site: Site) -> None:
    other = site.asked("keys", "create", "--tenant", "other", "--scope", "ingest", "--scope", "read")["key"]
    site.send([event(1, source="/tenants")])
    answer = site.send([event(1, source="/tenants")], Authorization=f"Bearer {other}")
    assert counts(answer.json) == (0, 0, 0, 1, 0), "the other tenant has no meters; it is no duplicate either"
    seen = site.request("/v1/events?source=/tenants&id=e1", None, {"Authorization": f"Bearer {other}"}).json["events"]
    assert [copy["outcome"] for copy in seen] == ["quarantined"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("meter=nope&from=2026-10-01T00:00:00Z&to=2026-11-01T00:00:00Z", "api_calls, gb_out"),
        ("meter=gb_out&from=2026-10-01&to=2026-11-01T00:00:00Z", "RFC 3339"),
        ("meter=gb_out&from=2026-11-01T00:00:00Z&to=2026-10-01T00:00:00Z", "before"),
        ("meter=gb_out&from=2026-10-01T00:00:00Z&to=2026-11-01T00:00:00Z&group_by=region", "groups by subject"),
        ("meter=gb_out&from=2026-10-01T00:00:00Z&to=2026-11-01T00:00:00Z&cutoff=999999", "newest"),
        ("meter=gb_out&from=2026-10-01T00:00:00Z&to=2026-11-01T00:00:00Z&order=up", "unknown parameter"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_why(site: Site, query: str, says: str) -> None:
    answer = site.read(f"/v1/usage?{query}")
    assert answer.status == 400
    assert says in answer.json["detail"]


def test_usage_is_known_as_it_was_at_a_cutoff(site: Site) -> None:
    site.send([event(1, source="/cut", subject="cut", type="api.request", data={"region": "eu"})])
    asked = f"{USAGE}&meter=api_calls&group_by=subject,region&subject=cut"
    then = site.read(asked).json
    site.send([event(2, source="/cut", subject="cut", type="api.request", data={"region": "us"})])
    now = site.read(asked).json
    assert then["rows"] == [{"subject": "cut", "region": "eu", "quantity": "1", "events": 1}]
    assert [row["region"] for row in now["rows"]] == ["eu", "us"]
    assert site.read(f"{asked}&cutoff={then['cutoff']}").json == then


def test_health_and_metrics_are_there(site: Site) -> None:
    assert site.request("/livez", None, {}).status == 200
    ready = site.request("/readyz", None, {})
    assert (ready.status, ready.body) == (200, b"ready\n")
    text = site.request("/metrics", None, {}).body.decode()
    assert "meterline_upkeep_put_off 0.0" in text
    for name in ("meterline_events_total", "meterline_identities", "meterline_parts", "meterline_block_seconds"):
        assert name in text
    assert site.request("/nothing", None, {}).status == 404


def test_quarantine_is_replayed_once_a_meter_takes_it(site: Site, tmp_path: Path) -> None:
    site.send([event(n, source="/later", type="seat.used", data={"seats": n}) for n in range(3)])
    before = site.asked("quarantine")
    waiting = [one for one in before["quarantined"] if one["source"] == "/later"]
    assert [one["reason"].split(":")[0] for one in waiting] == ["no_meter"] * 3
    catalog = tmp_path / "seats.yaml"
    catalog.write_text("meters:\n  - {name: seats, event_type: seat.used, aggregation: sum, value: seats}\n")
    site.asked("apply", str(catalog))
    replayed = site.asked("replay", "--source", "/later")
    assert (replayed["replayed"], replayed["accepted"], replayed["left"]) == (3, 3, 0)
    assert not [one for one in site.asked("quarantine")["quarantined"] if one["source"] == "/later"]
    assert site.asked("replay", "--source", "/later")["replayed"] == 0
    assert site.read(f"{USAGE}&meter=seats").json["rows"] == [{"quantity": "3", "events": 3}]


def test_conflicts_are_listed_with_both_bodies(site: Site) -> None:
    site.send([event(1, source="/both")])
    site.send([event(1, source="/both", data={"gb": "0.2"})])
    pairs = [pair for pair in site.asked("conflicts")["conflicts"] if pair["first"]["source"] == "/both"]
    assert [(pair["first"]["data"], pair["second"]["data"]) for pair in pairs] == [('{"gb": "0.1"}', '{"gb": "0.2"}')]


def test_a_second_service_is_told_who_holds_the_directory(site: Site) -> None:
    assert site.service is not None
    done = site.run("serve", "--port", "0")
    assert done.status == 2
    assert str(site.service.process.pid) in done.said
    assert "stop it first" in done.said
