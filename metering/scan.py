"""Read bodies of the plain form: where each event's fields stand, found by one pass over the bytes.

Plain is nearly every body: known fields once each, texts without escapes, times in UTC. The scanner takes only that and
gives anything else back, right or wrong, to the decoder, which decides and says what is wrong. So the two have to agree
on every body that the scanner takes, and on nothing else.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ledger.compiled import Bytes, borrowed, compiled
from metering.body import Form
from metering.fields import ABSENT, DATA, ID, NO_DATA, SOURCE, SPAN_COLUMNS, SUBJECT, TYPE, Fields, Spans
from metering.grammar import (
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    COLON,
    COMMA,
    MINUS,
    NEWLINE,
    NINE,
    OPEN_ARRAY,
    OPEN_OBJECT,
    PLUS,
    POINT,
    QUOTE,
    ZERO,
    digits_end,
    plain_string_end,
    space_end,
    value_end,
)
from metering.instants import DAY_MS, YEAR_1_MS, YEAR_10000_MS

Int64s = NDArray[np.int64]

TEXT_BYTES_MAX = 256
"""More bytes may still be few enough characters: the decoder counts them."""
EVENT_BYTES_MIN = len('{"id":"i","source":"s","type":"t","subject":"s","time":"2026-11-01T00:00:00Z"}')

TIME = SPAN_COLUMNS
UNKNOWN = -1
ID_KEY, SOURCE_KEY, TYPE_KEY = tuple(b"id"), tuple(b"source"), tuple(b"type")
SUBJECT_KEY, TIME_KEY, DATA_KEY = tuple(b"subject"), tuple(b"time"), tuple(b"data")
REQUIRED = sum(1 << field for field in (ID, SOURCE, TYPE, SUBJECT, TIME))
NO_DATA_BYTES = len(NO_DATA)

NO_INSTANT = np.iinfo(np.int64).min
NO_ZONE = 10_000
DATE_AND_TIME = tuple(b"0000-00-00T00:00:00")
SECONDS_TEXT = len(DATE_AND_TIME)
ZONE = tuple(b"+00:00")
Z = ord("Z")
DAYS_OF_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
FRACTION_DIGITS_MAX = 9


def scanned(body: bytes, form: Form) -> Fields | None:
    """The events of a plain body; None where the decoder has to look."""
    text = np.frombuffer(body, np.uint8)
    capacity = len(body) // EVENT_BYTES_MIN + 1
    spans, time = np.empty((capacity, SPAN_COLUMNS), np.int32), np.empty(capacity, np.int64)
    events = scan_lines(text, spans, time) if form == "lines" else scan_value(text, form == "array", spans, time)
    return None if events < 0 else Fields(text, spans[:events], time[:events])


@compiled
def scan_value(text: Bytes, may_be_array: bool, spans: Spans, time: Int64s) -> int:
    """How many events one event, or an array of them, holds; -1 where it is not plain."""
    text, spans, time = borrowed(text), borrowed(spans), borrowed(time)
    end = len(text)
    at = space_end(text, 0, end, True)
    events = 0
    if may_be_array and at < end and text[at] == OPEN_ARRAY:
        at = space_end(text, at + 1, end, True)
        if at < end and text[at] == CLOSE_ARRAY:
            at += 1
        else:
            while True:
                at = event_end(text, at, end, True, spans, time, events)
                if at < 0:
                    return -1
                events += 1
                at = space_end(text, at, end, True)
                if at >= end:
                    return -1
                byte = text[at]
                at += 1
                if byte == CLOSE_ARRAY:
                    break
                if byte != COMMA:
                    return -1
                at = space_end(text, at, end, True)
    else:
        at = event_end(text, at, end, True, spans, time, 0)
        if at < 0:
            return -1
        events = 1
    return events if space_end(text, at, end, True) == end else -1


@compiled
def scan_lines(text: Bytes, spans: Spans, time: Int64s) -> int:
    """How many events lines of one event each hold; -1 where they are not plain."""
    text, spans, time = borrowed(text), borrowed(spans), borrowed(time)
    end = len(text)
    events = 0
    at = space_end(text, 0, end, True)
    while at < end:
        at = event_end(text, at, end, False, spans, time, events)
        if at < 0:
            return -1
        events += 1
        at = space_end(text, at, end, False)
        if at < end and text[at] != NEWLINE:
            return -1
        at = space_end(text, at, end, True)
    return events


@compiled
def event_end(text: Bytes, at: int, end: int, newline: bool, spans: Spans, time: Int64s, event: int) -> int:
    """After the event at `at`; its places are written to `spans`, its instant to `time`. -1 if it is not plain."""
    if event == len(spans) or at >= end or text[at] != OPEN_OBJECT:
        return -1
    spans[event, DATA], spans[event, DATA + 1] = ABSENT, NO_DATA_BYTES
    seen = time_at = time_length = 0
    while True:
        at = space_end(text, at + 1, end, newline)  # after the brace, then after each comma
        if at >= end or text[at] != QUOTE:
            return -1
        key_at = at + 1
        at = plain_string_end(text, key_at, end)
        if at < 0:
            return -1
        field = field_of(text, key_at, at - 1 - key_at)
        at = space_end(text, at, end, newline)
        if at >= end or text[at] != COLON:
            return -1
        at = space_end(text, at + 1, end, newline)
        value_at = at
        if field == UNKNOWN or field == DATA:
            at = value_end(text, at, end, newline)
            length = at - value_at
        else:
            if at >= end or text[at] != QUOTE:
                return -1
            value_at += 1
            at = plain_string_end(text, value_at, end)
            length = at - 1 - value_at
            if not 0 < length <= TEXT_BYTES_MAX:
                return -1
        if at < 0:
            return -1
        if field != UNKNOWN:
            if seen >> field & 1:
                return -1
            seen |= 1 << field
            if field == TIME:
                time_at, time_length = value_at, length
            else:
                spans[event, field], spans[event, field + 1] = value_at, length
        at = space_end(text, at, end, newline)
        if at >= end:
            return -1
        if text[at] == CLOSE_OBJECT:
            break
        if text[at] != COMMA:
            return -1
    if seen & REQUIRED != REQUIRED:
        return -1
    time[event] = plain_instant(text, time_at, time_length)
    return -1 if time[event] == NO_INSTANT else at + 1


@compiled
def field_of(text: Bytes, at: int, length: int) -> int:
    """Which field a key names."""
    if is_key(text, at, length, ID_KEY):
        return ID
    if is_key(text, at, length, SOURCE_KEY):
        return SOURCE
    if is_key(text, at, length, TYPE_KEY):
        return TYPE
    if is_key(text, at, length, SUBJECT_KEY):
        return SUBJECT
    if is_key(text, at, length, TIME_KEY):
        return TIME
    if is_key(text, at, length, DATA_KEY):
        return DATA
    return UNKNOWN


@compiled
def is_key(text: Bytes, at: int, length: int, key: tuple[int, ...]) -> bool:
    """Whether the key at `at` is `key`."""
    if length != len(key):
        return False
    for place in range(len(key)):
        if text[at + place] != key[place]:
            return False
    return True


@compiled
def plain_instant(text: Bytes, at: int, length: int) -> Any:
    """The instant of a time such as 2026-11-01T00:00:00.000Z or 2026-11-01T01:00:00+01:00, or NO_INSTANT."""
    end = at + length
    if length <= SECONDS_TEXT or not has_form(text, at, DATE_AND_TIME):
        return NO_INSTANT
    zone = at + SECONDS_TEXT
    ms = 0
    if text[zone] == POINT:
        fraction = zone + 1
        zone = digits_end(text, fraction, end)
        if not 0 < zone - fraction <= FRACTION_DIGITS_MAX:
            return NO_INSTANT
        for place in range(fraction, fraction + 3):
            ms = ms * 10 + (text[place] - ZERO if place < zone else 0)
    minutes_ahead = zone_minutes(text, zone, end - zone)
    year = two_digits(text, at) * 100 + two_digits(text, at + 2)
    month, day = two_digits(text, at + 5), two_digits(text, at + 8)
    hour, minute, second = two_digits(text, at + 11), two_digits(text, at + 14), two_digits(text, at + 17)
    if minutes_ahead == NO_ZONE or year < 1 or not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
        return NO_INSTANT
    is_leap_year = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    if not 1 <= day <= DAYS_OF_MONTH[month - 1] + (month == 2 and is_leap_year):
        return NO_INSTANT
    minutes = hour * 60 + minute - minutes_ahead
    instant = unix_day(year, month, day) * DAY_MS + (minutes * 60 + second) * 1000 + ms
    return instant if YEAR_1_MS <= instant < YEAR_10000_MS else NO_INSTANT


@compiled
def has_form(text: Bytes, at: int, form: tuple[int, ...]) -> bool:
    """Whether what is at `at` looks like `form`, in which 0 stands for any digit."""
    for place in range(len(form)):
        byte = text[at + place]
        if byte != form[place] and not (form[place] == ZERO and ZERO <= byte <= NINE):
            return False
    return True


@compiled
def zone_minutes(text: Bytes, at: int, length: int) -> Any:
    """How far ahead of UTC the zone is that a time ends with."""
    if length == 1 and text[at] == Z:
        return 0
    if length != len(ZONE) or not has_form(text, at + 1, ZONE[1:]) or (text[at] != PLUS and text[at] != MINUS):
        return NO_ZONE
    hours, minutes = two_digits(text, at + 1), two_digits(text, at + 4)
    if hours > 23 or minutes > 59:
        return NO_ZONE
    ahead = hours * 60 + minutes
    return -ahead if text[at] == MINUS else ahead


@compiled
def two_digits(text: Bytes, at: int) -> Any:
    """The number two digits make."""
    return (text[at] - ZERO) * 10 + text[at + 1] - ZERO


@compiled
def unix_day(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01: years begin in March here, so that a leap day is the last of its year."""
    if month <= 2:
        year -= 1
    month = (month + 9) % 12
    return year * 365 + year // 4 - year // 100 + year // 400 + (month * 153 + 2) // 5 + day - 1 - 719_468
