"""The intake on the real engine: every event counted once and answered for, whoever sends what at the same time."""

import json
from typing import Any

import pytest

from ledger.errors import Unavailable
from ledger.meters import Meter
from metering.columns import Bounds
from metering.instants import instant
from metering.intake import IntakeSettings
from metering.requests import Answer
from tests.faults import Unreadable
from tests.place import ANSWER_S, NOON_MS, Place, body, counts, event, problems, received, told, usage


def test_each_event_of_a_batch_is_answered_for(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        first = told(intake, event("a"), event("b"), event("a"), event("a", data={"gb": 2}), event("c", data={}), 7)
        assert counts(first) == (2, 1, 1, 1, 1)
        assert [(one.index, one.code) for one in first.rejected] == [(5, "not_an_object")]
        second = told(intake, event("a"), event("c"), event("c"), event("b", subject="x"), {"source": "/t"}, event("d"))
        assert counts(second) == (2, 2, 1, 0, 1)
        assert received(ledger) == {"accepted": 4, "duplicates": 3, "conflict": 2, "quarantined": 1, "rejected": 2}
        assert usage(ledger) == {"gb_out": (4, 4 * 10**8)}
        assert problems(ledger) == []


def test_a_tenth_sent_ten_times_is_one(place: Place) -> None:
    spellings = ['"0.1"', "0.1", "1e-1", '"1e-1"', "0.10", '"0.100000000"', "10E-2", "0.1", "1.0e-1", '"0.1"']
    with place.ledger() as ledger, place.intake(ledger) as intake:
        for index, spelling in enumerate(spellings):
            sent = json.dumps([event(str(index))]).replace('"0.1"', spelling).encode()
            assert counts(intake.submit("default", sent).result(ANSWER_S)) == (1, 0, 0, 0, 0)
        assert usage(ledger) == {"gb_out": (10, 10**9)}


def test_the_largest_quantities_add_up_exactly(place: Place) -> None:
    largest = ["1000000000000000", "999999999999999.999999999", "0.000000001", "-1000000000000000"] * 3
    with place.ledger() as ledger, place.intake(ledger) as intake:
        told(intake, *(event(str(index), data={"gb": value}) for index, value in enumerate(largest)))
        assert usage(ledger) == {"gb_out": (12, 3 * 10**24)}


def test_duplicates_and_rejections_are_counted_where_they_came_from(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        told(intake, event("a"), event("a", source="/t"), event("a"), event("a", source="/t"), event("a", source="/t"))
        told(intake, {"source": "/u"}, {"source": 5}, "x", event("", source="/u"))
        assert ledger.outcomes("default", ledger.head.block) == {
            "": {"rejected": 2},
            "/s": {"accepted": 1, "duplicates": 1},
            "/t": {"accepted": 1, "duplicates": 2},
            "/u": {"rejected": 2},
        }


def test_the_same_ids_of_two_tenants_never_meet(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        answers = [
            intake.submit(tenant, body(*(event(str(number), data={"gb": gb}) for number in range(50))))
            for tenant, gb in (("default", "1"), ("other", "2"), ("default", "1"), ("other", "3"), ("unknown", "1"))
        ]
        assert [counts(answer.result(ANSWER_S)) for answer in answers] == [
            (50, 0, 0, 0, 0),
            (50, 0, 0, 0, 0),
            (0, 50, 0, 0, 0),
            (0, 0, 50, 0, 0),
            (0, 0, 0, 50, 0),
        ]
        assert usage(ledger) == {"gb_out": (50, 50 * 10**9)}
        assert usage(ledger, "other") == {"gb_out": (50, 100 * 10**9)}
        assert usage(ledger, "unknown") == {}
        assert problems(ledger) == []


def test_names_that_run_together_alike_are_different_events(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        names = ["a:bc", "ab:c", "a/b:c", "a:b/c", "a\0:c", "a:\0c", "é:e", "e:é", "e:e\u0301", "A:bc"]
        sent = [event(name.split(":")[1], source=name.split(":")[0]) for name in names]
        assert counts(told(intake, *sent)) == (10, 0, 0, 0, 0)


def test_what_was_quarantined_can_be_sent_again_corrected(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        assert counts(told(intake, event("a", data={"gb": "much"}))) == (0, 0, 0, 1, 0)
        assert counts(told(intake, event("a", data={"gb": "much"}), event("a"))) == (1, 0, 0, 1, 0)
        assert counts(told(intake, event("a", data={"gb": "much"}), event("a"))) == (0, 1, 1, 0, 0)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"type": "nobody.asked"}, "no_meter"),
        ({"data": {}}, "value_missing"),
        ({"data": None}, "value_missing"),
        ({"data": {"gb": None}}, "value_missing"),
        ({"data": {"gb": "NaN"}}, "value_unreadable"),
        ({"data": {"gb": True}}, "value_unreadable"),
        ({"data": {"gb": [1]}}, "value_unreadable"),
        ({"data": {"gb": "1e-10"}}, "value_out_of_bounds"),
        ({"data": {"gb": 10**15 + 1}}, "value_out_of_bounds"),
        ({"data": [1]}, "data_unreadable"),
        ({"data": "text"}, "data_unreadable"),
        ({"type": "api.request", "data": {"region": ["eu"]}}, "dimension_unreadable"),
        ({"time": "2025-09-27T11:59:59.999Z"}, "time_too_old"),
        ({"time": "2026-11-01T12:05:00.001Z"}, "time_ahead"),
        ({"time": "0001-01-01T00:00:00Z"}, "time_too_old"),
        ({"time": "9999-12-31T23:59:59.999Z"}, "time_ahead"),
    ],
)
def test_what_cant_be_counted_is_kept_with_its_reason(place: Place, fields: dict[str, Any], reason: str) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        assert counts(told(intake, event("a", **fields), event("b"))) == (1, 0, 0, 1, 0)
        (kept,) = ledger.kept_events("default", "quarantined", (0, 0), 10)
        assert kept["id"] == "a"
        assert kept["reason"].startswith(reason)
        assert usage(ledger) == {"gb_out": (1, 10**8)}


@pytest.mark.parametrize("time", ["2025-09-27T12:00:00Z", "2026-11-01T12:05:00Z", "2026-11-01T17:35:00.000999+05:30"])
def test_a_time_just_within_bounds_counts(place: Place, time: str) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        assert counts(told(intake, event("a", time=time))) == (1, 0, 0, 0, 0)


def test_usage_of_very_many_months_is_derived_and_no_time_is_moved(place: Place) -> None:
    wide = IntakeSettings(linger_ms=1, bounds=Bounds(late_days_max=1_000_000, ahead_s_max=10**12))
    months = [f"{year}-{month:02}" for year in range(2000, 2012) for month in range(1, 13)]
    edges = ["1900-01-01T00:00:00Z", "2299-12-31T23:59:59.999Z"]
    beyond = ["1899-12-31T23:59:59.999Z", "2300-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
    with place.ledger() as ledger, place.intake(ledger, wide) as intake:
        sent = [*(f"{month}-01T00:00:00Z" for month in months), *edges, *beyond]
        answer = told(intake, *(event(time, time=time) for time in sent))
        assert counts(answer) == (len(months) + 2, 0, 0, 4, 0)
        cutoff = ledger.head.block
        for edge in edges:
            start = instant(edge)
            assert start is not None
            assert ledger.counts("default", start, start + 1, cutoff) == {"gb_out": (1, 10**8)}
        assert ledger.sums("default", cutoff) == {"gb_out": (len(months) + 2, (len(months) + 2) * 10**8)}
        assert problems(ledger) == []


def test_dimensions_are_read_as_text_and_absent_ones_are_none(place: Place) -> None:
    written = ['"eu"', '"e\\u0075"', "1", "1.50", "true", "null", '""', '"\\ud83d\\ude00"', '"a\\u0000b"']
    with place.ledger() as ledger, place.intake(ledger) as intake:
        for index, region in enumerate(written):
            sent = json.dumps([event(str(index), type="api.request", data={"region": "?"})]).replace('"?"', region)
            assert counts(intake.submit("default", sent.encode()).result(ANSWER_S))[0] == 1
        found = ledger.usage_report("default", "api_calls", 0, NOON_MS + 1, ledger.head.block, ["region"], [], 99)
        assert {key[0]: events for key, _, events in found} == {
            "eu": 2,
            "1": 1,
            "1.50": 1,
            "true": 1,
            "": 2,
            "😀": 1,
            "a\0b": 1,
        }


def test_null_above_a_dimension_is_an_absent_one_and_above_a_value_a_missing_one(place: Place) -> None:
    nested = [
        Meter("calls", "call", "count", dimensions={"region": "geo.region"}),
        Meter("bytes", "flow", "sum", value="net.bytes", dimensions={"region": "geo.region"}),
    ]
    with place.ledger() as ledger, place.intake(ledger) as intake:
        intake.admission = place.catalog(2, {"default": nested})
        answer = told(
            intake,
            event("a", type="call", data={"geo": None}),
            event("b", type="call", data={"geo": {"region": "eu"}}),
            event("c", type="flow", data={"geo": None, "net": {"bytes": 1}}),
            event("d", type="flow", data={"geo": None, "net": None}),
        )
        assert counts(answer) == (3, 0, 0, 1, 0)
        (kept,) = ledger.kept_events("default", "quarantined", (0, 0), 10)
        assert kept["reason"].startswith("value_missing")
        calls = ledger.usage_report("default", "calls", 0, NOON_MS + 1, ledger.head.block, ["region"], [], 9)
        assert sorted((key, events) for key, _, events in calls) == [([""], 1), (["eu"], 1)]


def test_other_spellings_of_many_events_are_duplicates_and_other_values_conflicts(place: Place) -> None:
    """So many that what is compared by value does not fit one small question to the engine."""
    many = 30_000
    sent = [event(str(number), data={"gb": 1, "n": number}) for number in range(many)]
    again = [event(str(number), data={"n": number, "gb": 1 if number % 2 else 2}) for number in range(many)]
    with place.ledger() as ledger, place.intake(ledger) as intake:
        assert counts(told(intake, *sent)) == (many, 0, 0, 0, 0)
        assert counts(told(intake, *again)) == (0, many // 2, many // 2, 0, 0)
        assert counts(told(intake, *sent)) == (0, many, 0, 0, 0)
        assert usage(ledger) == {"gb_out": (many, many * 10**9)}


def test_a_copy_that_cant_be_compared_refuses_its_block_and_stops_nothing(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        told(intake, event("a", data={"gb": 1, "n": 2}))
        ledger._write = Unreadable(ledger._write, "originals", times=1)
        spelled_otherwise = event("a", data={"n": 2, "gb": 1})
        with pytest.raises(Unavailable, match=r"earlier copies can't be read .*: nothing was stored; send the events"):
            told(intake, spelled_otherwise, event("b"))
        assert (intake.failure, ledger.head.block) == (None, 1)
        assert counts(told(intake, spelled_otherwise, event("b"))) == (1, 1, 0, 0, 0)


def test_copies_are_compared_while_a_long_report_is_read(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        told(intake, event("a", data={"gb": 1, "n": 2}))
        with ledger.reading._turn:
            assert counts(told(intake, event("a", data={"n": 2, "gb": 1}))) == (0, 1, 0, 0, 0)


def test_numbers_beyond_every_bound_are_compared_and_stop_nothing(place: Place) -> None:
    template = json.dumps([event("a", data={"gb": 1, "x": "?"})])
    huge = [
        "1e99999999999999999999",
        "10e99999999999999999998",
        "1e-9999999999999999999",
        "1" * 5_000,
        "1e" + "9" * 5_000,
    ]
    with place.ledger() as ledger, place.intake(ledger) as intake:
        outcomes = [
            counts(intake.submit("default", template.replace('"?"', each).encode()).result(ANSWER_S))
            for each in ["1", *huge, " 1.0 "]
        ]
        assert outcomes == [(1, 0, 0, 0, 0), *[(0, 0, 1, 0, 0)] * 5, (0, 1, 0, 0, 0)]
        assert intake.failure is None


def test_an_empty_batch_makes_no_block(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        assert told(intake) == Answer()
        assert ledger.head.block == 0
        assert counts(told(intake, 1, 2)) == (0, 0, 0, 0, 2)
        assert (ledger.head.block, ledger.head.rejected) == (1, 2)
