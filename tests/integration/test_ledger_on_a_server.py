"""A ledger on a server holds what it holds on the embedded engine, over connections that are cut."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.binding import VALUE_BYTES_MAX, bound
from ledger.block import mark
from ledger.engine import EngineSettings, open_handle
from ledger.errors import LedgerError, Unavailable, UnknownOutcome
from ledger.ledger import Ledger
from ledger.meters import Meter
from ledger.writer import _with_place
from tests.clickhouse_over_http import (
    HALF_ANSWERED,
    NOT_STORED,
    PASSWORD,
    STORED,
    UNDER_WAY,
    USERNAME,
    ClickHouseOverHttp,
)
from tests.place import NOON_MS, Place, append, rows

BOUNDARIES = [NOON_MS, NOON_MS + 5 * 3_600_000, NOON_MS + 400 * 3_600_000]
INTO_EVENTS = "INSERT INTO `events`"
INTO_BLOCKS = "INSERT INTO `blocks`"
INTO_STEPS = "INSERT INTO `usage_steps`"
INTO_USAGE = "INSERT INTO usage "
LOOK = "uniqExact(_part) AS parts FROM events WHERE block = "
HOSTILE = [
    "",
    "'",
    "\\",
    "\\'",
    "a'b\\",
    "{cutoff:UInt8}",
    "{more:Array(String)}",
    "%(cutoff)s",
    "), (",
    "\n\t\r\b\0",
    "`",
    "ü€😀",
    "--",
    "/*",
]
NOT_READING = [
    "INSERT INTO schema_migrations VALUES ('x', 'y')",
    "INSERT INTO FUNCTION file('x.csv', 'CSV', 'a UInt8') VALUES (1)",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT 1 SETTINGS readonly = 0",
    "SET readonly = 0",
    "CREATE TABLE x (a UInt8) ENGINE = Memory",
    "DROP TABLE events",
]


class RemotePlace(Place):
    """A place whose engine is a server."""

    def __init__(self, server: ClickHouseOverHttp, directory: Path) -> None:
        super().__init__(Path(), directory)
        self.server = server
        self.settings = EngineSettings(
            port=server.port, username=USERNAME, password=PASSWORD, database=f"t{uuid.uuid4().hex}"
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseOverHttp]:
    with ClickHouseOverHttp(tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture
def remote(server: ClickHouseOverHttp, tmp_path: Path) -> Iterator[RemotePlace]:
    (tmp_path / "remote").mkdir()
    fresh = RemotePlace(server, tmp_path / "remote")
    yield fresh
    fresh.close()


def problems(ledger: Ledger) -> list[tuple[str, str]]:
    return [(problem.where, problem.what) for problem in ledger.problems(lambda _rows: iter(()))]


def usage(ledger: Ledger) -> dict[str, tuple[int, int]]:
    return ledger.sums("default", ledger.head.block)


def blocks(place: Place) -> list[tuple[Any, ...]]:
    """(block, rows, parts)."""
    return place.raw.rows("blocks_after", block=0)


def everything(ledger: Ledger) -> list[Any]:
    """What a ledger answers to every reading question there is."""
    head = ledger.head.block
    totals = [ledger.totals("default", spans, head) for spans in (BOUNDARIES, BOUNDARIES[::2])]
    span = ("default", "api_calls", NOON_MS, BOUNDARIES[-1], head)
    low_high, content, block = ledger.identities(1, head)
    slots = [(BOUNDARIES[0], "early"), (NOON_MS + 3_600_000, "late")]
    keyed = ledger.keyed("default", "api_calls", ["region"], slots, BOUNDARIES, head)
    hours = ledger.stretched("default", "api_calls", range(BOUNDARIES[0], BOUNDARIES[-1] + 1, 3_600_000), head)
    return [
        sorted(zip(*(column.tolist() for column in keyed[1:4]), [keyed.keys[key] for key in keyed.key], strict=True)),
        sorted(zip(*(column.tolist() for column in hours), strict=True)),
        [sorted(zip(*(column.tolist() for column in total), strict=True)) for total in totals],
        ledger.counts("default", NOON_MS, NOON_MS + 7 * 3_600_000, head),
        ledger.counts("default", NOON_MS, BOUNDARIES[-1], 1),
        usage(ledger),
        ledger.outcomes("default", head),
        ledger.usage_report(*span, ["subject", "region"], [], 2),
        ledger.usage_report(*span, [], ["customer-2", "customer-4"], 100),
        ledger.accepted_copies("default", [2, 3], [1]),
        ledger.evidence_copies("default", 3, head),
        ledger.kept_events("default", "accepted", (1, 2), 3),
        ledger.originals([1, 2], [2, 3, 7]),
        sorted(zip(low_high.tolist(), content.tolist(), block.tolist(), strict=True)),
        ledger.accepted,
        msgspec.structs.replace(ledger.head, chain=b""),
        [(table, many) for table, _, many, _ in ledger.parts()],
        problems(ledger),
    ]


def test_a_server_gives_what_the_embedded_engine_gives(place: Place, remote: RemotePlace) -> None:
    with place.ledger() as embedded, remote.ledger() as ledger:
        for one in (embedded, ledger):
            append(one, 3, 7)
        said = everything(ledger)
        assert said == everything(embedded)
        assert said[-1] == []
        assert usage(ledger) == {"api_calls": (11, 11 * 10**9), "gb_out": (10, 10**9)}


def test_a_restart_finds_everything_as_it_was(remote: RemotePlace) -> None:
    with remote.ledger() as ledger:
        append(ledger, 3)
        before, head = everything(ledger), ledger.head
    with remote.ledger() as again:
        assert again.head == head
        assert everything(again) == before


def test_a_block_without_its_marker_is_adopted(remote: RemotePlace) -> None:
    with remote.ledger() as ledger:
        append(ledger, 1)
        whole = mark(ledger.head, rows(4, 3), 1, NOON_MS + 123)
        ledger._write.insert("events", _with_place(rows(4, 3), whole))
    with remote.ledger() as again:
        assert again.head == whole
        assert again.accepted == 7
        assert problems(again) == []


@pytest.mark.parametrize("into", [INTO_EVENTS, INTO_BLOCKS])
def test_an_answer_lost_after_the_insert_is_looked_up_and_nothing_is_sent_twice(remote: RemotePlace, into: str) -> None:
    with remote.ledger() as ledger:
        before = remote.server.arrived(into)
        remote.server.cut(into, STORED)
        append(ledger, 2)
        assert remote.server.arrived(into) == before + 2
        assert blocks(remote) == [(1, 4, 1), (2, 4, 1)]
        assert problems(ledger) == []


def test_a_block_cut_off_before_it_is_stored_can_be_sent_again(remote: RemotePlace) -> None:
    with remote.ledger() as ledger:
        before = remote.server.arrived(INTO_EVENTS)
        remote.server.cut(INTO_EVENTS, NOT_STORED)
        with pytest.raises(Unavailable, match="block 1 was not stored; send its events again"):
            append(ledger, 1)
        assert remote.server.arrived(INTO_EVENTS) == before + 1
        append(ledger, 1)
        assert blocks(remote) == [(1, 4, 1)]
        assert problems(ledger) == []


def test_a_block_cut_off_under_way_is_waited_for(remote: RemotePlace) -> None:
    with remote.ledger() as ledger, ThreadPoolExecutor(1) as writing:
        before = remote.server.arrived(LOOK)
        remote.server.cut(INTO_EVENTS, UNDER_WAY)
        appended = writing.submit(append, ledger, 1)
        while remote.server.arrived(LOOK) == before:
            assert not appended.done()
        remote.server.go_on()
        assert appended.result()[0].block == 1
        assert blocks(remote) == [(1, 4, 1)]


def test_a_block_cut_off_under_way_for_too_long_is_waited_for_by_the_restart(remote: RemotePlace) -> None:
    remote.settings = msgspec.structs.replace(remote.settings, session_wait_s=0.1)
    ledger = remote.ledger()
    remote.server.cut(INTO_EVENTS, UNDER_WAY)
    with pytest.raises(UnknownOutcome, match="whether block 1 is stored can't be told: restart"):
        append(ledger, 1)
    ledger.close()
    with pytest.raises(LedgerError, match="SESSION_IS_LOCKED"):
        remote.ledger()
    remote.server.go_on()
    with remote.ledger() as again:
        assert again.head.block == 1
        append(again, 1)
        assert blocks(remote) == [(1, 4, 1), (2, 4, 1)]
        assert problems(again) == []


def test_a_step_of_usage_that_is_cut_off_is_counted_once(remote: RemotePlace) -> None:
    with remote.ledger() as ledger:
        for into in (INTO_USAGE, INTO_STEPS):
            for when in (STORED, NOT_STORED):
                append(ledger, 1)
                remote.server.cut(into, when)
                with pytest.raises(LedgerError):
                    ledger.derive()
        once = {"api_calls": (8, 8 * 10**9), "gb_out": (8, 8 * 10**8)}
        assert usage(ledger) == once
        assert problems(ledger) == []
    with remote.ledger() as again:
        assert usage(again) == once


def test_an_answer_cut_short_is_an_error_or_asked_for_again(remote: RemotePlace) -> None:
    with remote.ledger() as ledger:
        append(ledger, 2)
        for text in ("FROM blocks WHERE block BETWEEN", "FROM usage\n", "FROM events WHERE block BETWEEN"):
            for when in (NOT_STORED, STORED, HALF_ANSWERED):
                before = remote.server.arrived(text)
                remote.server.cut(text, when)
                try:
                    found = [*problems(ledger), usage(ledger)]
                except LedgerError:
                    found = [*problems(ledger), usage(ledger)]
                assert found == [{"api_calls": (4, 4 * 10**9), "gb_out": (4, 4 * 10**8)}]
                assert remote.server.arrived(text) > before + 1


def test_the_reading_handle_reads_and_does_nothing_else(remote: RemotePlace) -> None:
    with remote.ledger() as ledger:
        for text in NOT_READING:
            with pytest.raises(LedgerError, match="READONLY"):
                ledger.reading.execute(text)
        assert ledger.reading.rows("migrations_applied") == remote.raw.rows("migrations_applied")


def test_a_handle_takes_statements_from_many_threads(remote: RemotePlace) -> None:
    with remote.ledger() as ledger, ThreadPoolExecutor(8) as threads:
        append(ledger, 2)
        found = list(threads.map(lambda _: ledger.writing.rows("is_marked", block=2), range(40)))
        assert found == [[(1,)]] * 40


def test_values_longer_than_a_field_of_a_request_are_bound_like_any_other(place: Place, remote: RemotePlace) -> None:
    nobody = [f"nobody-{number:06}-{HOSTILE[number % len(HOSTILE)]}" for number in range(5_000)]
    many = [Meter(f"m{number}", "egress", "count", dimensions={"a{b:UInt8}": "x'y"}) for number in range(1_000)]
    span = ("default", "gb_out", NOON_MS, BOUNDARIES[-1], 1)
    for one in (place, remote):
        one.catalog(2, {"default": many})
        with one.ledger() as ledger:
            ledger.append(rows(0, 4), 2, NOON_MS)
            assert len(usage(ledger)) == 1_002  # with the place's own
            assert ledger.usage_report(*span[:1], "m7", *span[2:], [], [*nobody, "customer-1"], 100) == [([], 10**9, 1)]
            assert len(ledger.originals([1], [2**127 + number for number in range(5_000)] + [1, 2])) == 2


@pytest.mark.parametrize("times", [1, VALUE_BYTES_MAX // 20])
def test_a_value_arrives_as_it_is_whichever_way_it_travels(place: Place, remote: RemotePlace, times: int) -> None:
    values = list(enumerate(HOSTILE * times))
    text = (
        "SELECT {values:Array(Tuple(UInt32, String))} AS found, {more:Array(String)} AS more, {cutoff:UInt8} AS cutoff"
    )
    text, beside = bound(text, {"values": values, "more": HOSTILE * times, "cutoff": 7})
    assert ("values" in beside) == ("more" in beside) == (times == 1)
    for handle in (place.raw, remote.raw):
        assert handle._client.query(text, parameters=beside).result_rows == [(values, HOSTILE * times, 7)]


def test_a_wrong_password_is_said_when_the_ledger_is_opened(remote: RemotePlace) -> None:
    with pytest.raises(LedgerError, match=r"open the engine at 127\.0\.0\.1:\d+: .*AUTHENTICATION_FAILED"):
        open_handle(msgspec.structs.replace(remote.settings, password="guessed"))


def test_events_can_be_sent_again_when_a_server_that_was_away_is_back(tmp_path: Path) -> None:
    with ClickHouseOverHttp(tmp_path / "server") as first:
        place = RemotePlace(first, tmp_path)
        ledger = place.ledger()
        append(ledger, 1)
    for _ in range(2):
        with pytest.raises(Unavailable):
            append(ledger, 1)
    with ClickHouseOverHttp(tmp_path / "server", first.port):
        assert append(ledger, 1)[0].block == 2
        assert problems(ledger) == []
        ledger.close()
        place.close()
