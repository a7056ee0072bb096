"""Ids and times of events that bring none."""

import threading
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from metering.emitter.stamps import Stamps, written_time

NOON_MS = 1_793_534_400_000


def test_an_id_is_a_version_7_uuid_of_its_millisecond() -> None:
    text, _ = Stamps(lambda: NOON_MS + 123).next()
    identity = uuid.UUID(text)
    assert str(identity) == text
    assert (identity.version, identity.variant) == (7, uuid.RFC_4122)
    assert identity.int >> 80 == NOON_MS + 123


def test_the_time_is_utc_in_milliseconds() -> None:
    assert Stamps(lambda: NOON_MS + 7).next()[1] == "2026-11-01T12:00:00.007Z"


def test_ids_of_one_process_sort_as_they_were_made() -> None:
    clock = iter(range(NOON_MS, NOON_MS + 100_000))
    stamps = Stamps(lambda: next(clock) // 10 * 10)
    made = [stamps.next()[0] for _ in range(5_000)]
    assert made == sorted(made)


def test_threads_never_share_an_id() -> None:
    stamps = Stamps(lambda: NOON_MS)
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(stamps.next()[0] for _ in range(2_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8_000


def test_two_processes_in_one_millisecond_make_other_ids() -> None:
    one, other = Stamps(lambda: NOON_MS), Stamps(lambda: NOON_MS)
    assert {one.next()[0] for _ in range(1_000)}.isdisjoint(other.next()[0] for _ in range(1_000))


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (datetime(2026, 11, 1, 12, 0, 0, 999_999, tzinfo=UTC), "2026-11-01T12:00:00.999Z"),
        (datetime(2026, 11, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))), "2026-10-31T23:30:00.000Z"),
    ],
)
def test_a_given_time_is_written_in_utc_rounded_down(time: datetime, written: str) -> None:
    assert written_time(time) == written


def test_a_time_without_a_zone_is_no_instant() -> None:
    with pytest.raises(ValueError, match="no zone"):
        written_time(datetime(2026, 11, 1, 12))  # noqa: DTZ001 - the point
