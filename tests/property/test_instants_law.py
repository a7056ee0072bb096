"""Whatever time an event claims, it is read as Python's own calendar reads it, rounded down, or not at all."""

import re
from datetime import datetime, timedelta, timezone

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from metering.instants import instant, instant_text
from metering.scan import NO_INSTANT, plain_instant

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what is left when the zone is taken off
PARTS = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d)(?:\.(\d{1,30}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)


def meaning(text: str) -> int | None:
    """The instant `text` names, by strptime and timedelta."""
    match = PARTS.fullmatch(text)
    if match is None:
        return None
    date, clock, second, fraction, sign, offset_hours, offset_minutes = match.groups()
    leap = second == "60"
    try:
        local = datetime.strptime(f"{date} {clock}{'59' if leap else second}", "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
        offset = datetime.strptime(f"{offset_hours or '00'}:{offset_minutes or '00'}", "%H:%M")  # noqa: DTZ007
    except ValueError:
        return None
    behind = timedelta(hours=offset.hour, minutes=offset.minute) * (-1 if sign == "-" else 1)
    ms = 999 if leap else int(f"{fraction or ''}000"[:3])
    try:
        utc = local - behind
    except OverflowError:  # before year 1 or after 9999
        return None
    return (utc - EPOCH) // timedelta(milliseconds=1) + ms


years = st.one_of(st.integers(0, 9999), st.sampled_from([0, 1, 1900, 1969, 1970, 2000, 2024, 2026, 2100, 9999]))
dates = st.builds("{:04}-{:02}-{:02}".format, years, st.integers(0, 13), st.integers(0, 32))
good_dates = st.dates().map(str)
clocks = st.builds("{:02}:{:02}:{:02}".format, st.integers(0, 24), st.integers(0, 60), st.integers(0, 61))
good_clocks = st.builds("{:02}:{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
fractions = st.one_of(st.just(""), st.text("0123456789", min_size=1, max_size=31).map(lambda d: "." + d))
zones = st.one_of(
    st.just("Z"),
    st.sampled_from(["z", "", "+00:00", "-00:00", "+14:00", "-12:00", "+05:30", "+24:00", "+0100", "+01", " Z"]),
    st.builds("{}{:02}:{:02}".format, st.sampled_from("+-"), st.integers(0, 24), st.integers(0, 60)),
)
claimed = st.builds("{}{}{}{}{}".format, dates, st.sampled_from("Tt ,"), clocks, fractions, zones)
good = st.builds("{}T{}{}{}".format, good_dates, good_clocks, fractions, zones)
texts = st.one_of(good, claimed, st.text("0123456789-:.TZ+ ٣", max_size=30))
plain = st.one_of(
    *(
        st.builds(
            "{}T{}{}Z".format,
            st.one_of(dates, good_dates),
            st.one_of(clocks, good_clocks),
            st.just("") if not width else st.text("0123456789", min_size=width, max_size=width).map(".{}".format),
        )
        for width in (0, 3, 6, 9)
    )
)


def check(text: str) -> None:
    """The compiled reader gives what the calendar gives, or leaves the text to the other one."""
    sent = text.encode()
    read = plain_instant(np.frombuffer(b"9" + sent + b"9", np.uint8), 1, len(sent))
    assert read in (NO_INSTANT, meaning(text)), text


@given(texts)
@example("2026-11-30T23:59:59.9999999Z")
@example("1969-12-31T23:59:59.9999Z")
@example("2026-02-30T00:00:00Z")
@example("2024-02-29T00:00:00Z")
@example("2100-02-29T00:00:00Z")
@example("2016-12-31T23:59:60Z")
@example("2016-12-31T23:59:60.5Z")
@example("2017-01-01T05:29:60+05:30")
@example("2016-12-31T23:59:61Z")
@example("0001-01-01T00:00:00Z")
@example("0001-01-01T00:00:00+01:00")
@example("0000-12-31T23:00:00-01:00")
@example("9999-12-31T23:59:59.999-01:00")
@example("2026-11-01T00:00:00")
@example("2026-11-01T24:00:00Z")
@example("2026-11-01T12:00:00.Z")
@example("2026-11-01T12:00:00.000Z\n")
@example("٢026-11-01T12:00:00Z")
def test_a_time_is_read_as_the_calendar_reads_it(text: str) -> None:
    assert instant(text) == meaning(text)
    check(text)


@given(plain)
@example("2026-11-01T12:00:00+00:00")
@example("2026-11-01T12:00:00.123456+05:30")
@example("2026-11-01T00:00:00.5-23:59")
def test_the_usual_forms_are_read_by_the_compiled_reader(text: str) -> None:
    sent = np.frombuffer(text.encode(), np.uint8)
    known = meaning(text)
    assert plain_instant(sent, 0, len(sent)) == (NO_INSTANT if known is None else known)


@given(st.datetimes(), st.integers(-1439, 1439))
@example(datetime(1, 1, 1), 60)  # noqa: DTZ001
@example(datetime(9999, 12, 31, 23, 59, 59, 999_999), -1)  # noqa: DTZ001
def test_what_is_shown_of_an_instant_names_it(local: datetime, offset_min: int) -> None:
    claimed = local.replace(tzinfo=timezone(timedelta(minutes=offset_min))).isoformat("T", "microseconds")
    known = instant(claimed)
    assert known == meaning(claimed)
    if known is not None:
        shown = instant_text(known)
        assert instant(shown) == known
        assert len(shown) == len("2026-11-01T12:00:00.000Z")
