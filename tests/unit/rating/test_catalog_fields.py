"""How single values are written, and what is said about those that are not."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from rating import catalog_fields as fields


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", Decimal(0)),
        ("0.05", Decimal("0.05")),
        ("0010", Decimal(10)),
        ("1.500", Decimal("1.5")),
        ("+2", Decimal(2)),
        ("-0.00", Decimal(0)),
        ("0.000000000001", Decimal("0.000000000001")),
        ("999999999999999.999999999999", Decimal("999999999999999.999999999999")),
        ("0.10000000000000000000", Decimal("0.1")),
    ],
)
def test_a_price_is_its_digits(text: str, value: Decimal) -> None:
    assert fields.unit_price(text) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-0.05", "not negative"),
        ("0.0000000000001", "at most 12 decimals, found 13"),
        ("1000000000000000", "below 10"),
        ("1e3", "plain digits"),
        ("NaN", "plain digits"),
        (".5", "plain digits"),
        ("1_000", "plain digits"),
        ("1,5", "plain digits"),
        ("0x10", "plain digits"),
        ("٣", "plain digits"),
        ("5\n", "plain digits"),
        ("", "plain digits"),
    ],
)
def test_what_is_no_price_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fields.unit_price(text)


@pytest.mark.parametrize(
    ("text", "said"), [("0", "above 0"), ("0.0000000001", "at most 9 decimals"), ("-1", "negative")]
)
def test_what_is_no_bound_of_a_tier_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fields.quantity(text)


@pytest.mark.parametrize(
    "text", ["2026-02-29", "2026-1-1", "20260101", "2026-01-01T00:00:00", "1969-12-31", "3000-01-01"]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a date"):
        fields.day(text)


def test_a_leap_day_is_a_day() -> None:
    assert fields.day("2028-02-29") == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (fields.currency, "EURO", "did you mean EUR"),
        (fields.currency, "eur", "did you mean EUR"),
        (fields.zone, "Europe/Berln", "did you mean Europe/Berlin"),
        (fields.zone, "../../etc/passwd", "expected a time zone"),
        (fields.zone, "localtime", "expected a time zone"),
        (fields.zone, "Europe", "expected a time zone"),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest(read: Callable[[str], str], text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(text)


@pytest.mark.parametrize("text", ["C-1", "a", "9.x_y-z", "A" * 64])
def test_ids_are_letters_digits_and_a_few_signs(text: str) -> None:
    assert fields.identifier(text) == text


@pytest.mark.parametrize("text", ["", "-a", ".a", "a b", "a/b", "A" * 65, "ä", "a\n", "../x"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="1 to 64 letters"):
        fields.identifier(text)


def test_names_have_no_points_because_document_ids_are_joined_by_them() -> None:
    with pytest.raises(ValueError, match="expected 1 to 64"):
        fields.name("DE.01")


@pytest.mark.parametrize("text", ["gb", "usage.bytes out", "a.b.c"])
def test_a_path_names_its_way_down(text: str) -> None:
    assert fields.path(text) == text


@pytest.mark.parametrize("text", ["", ".a", "a.", "a..b", "a\x00b"])
def test_a_path_with_a_hole_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="joined by"):
        fields.path(text)


def test_a_product_is_one_line_of_at_most_64_characters() -> None:
    assert fields.product("Übertragung; 1 = alles") == "Übertragung; 1 = alles"
    for text in ("", "a\tb", "x" * 65, " "):
        with pytest.raises(ValueError, match="without control characters"):
            fields.product(text)


def test_a_subject_is_whatever_events_call_it() -> None:
    for text in ("a", "x" * 256, "tab\tand\nline", " ", "ünï", "=1+1"):
        assert fields.subject(text) == text
    for text, said in [("", "1 to 256"), ("x" * 257, "1 to 256"), ("a\0b", "NUL")]:
        with pytest.raises(ValueError, match=said):
            fields.subject(text)
