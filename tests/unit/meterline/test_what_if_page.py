"""What others get of a what-if: every customer in the CSV, and a page that holds whatever a customer is called."""

import csv
import re
from io import StringIO
from typing import Any

from meterline.what_if_page import BUCKETS, SHOWN_MAX, as_csv, as_page


def result(*customers: tuple[str, str, str, str]) -> dict[str, Any]:
    names = ("customer", "before", "after", "change")
    return {
        "file": "draft.yaml",
        "periods": {"2026-10": {"from": "charges", "charges": 3}},
        "totals": {"EUR": {"before": "3.00", "after": "2.00", "change": "-1.00", "winners": 1, "losers": 0, "same": 0}},
        "customers": [dict(zip(names, one, strict=True)) | {"currency": "EUR"} for one in customers],
    }


def test_the_csv_has_every_customer_as_it_is_called() -> None:
    found = result(('a "quoted", one', "3.00", "2.00", "-1.00"), ("b", "0.00", "0.00", "0.00"))
    assert list(csv.DictReader(StringIO(as_csv(found)))) == found["customers"]


def test_the_page_says_all_of_it_and_nothing_in_a_name_is_markup() -> None:
    page = as_page(result(("<script>&", "3.00", "2.00", "-1.00")))
    assert "<script>" not in page
    assert "&lt;script&gt;&amp;" in page
    assert "2026-10 (3 charges, from charges)" in page
    assert page.count("<svg") == 2
    assert "https://" not in page


def test_each_customer_is_in_one_column_of_the_spread() -> None:
    rows = [("n", "0", "1", "1"), ("s", "1", "1", "0"), ("h", "2", "1", "-1"), ("d", "100", "111", "11")]
    page = as_page(result(*rows))
    spread = page.split("<svg")[1]
    counts = [int(text) for text in re.findall(r'<text x="\d+" y="\d+">(\d+)</text>', spread)]
    assert len(counts) == len(BUCKETS) + 1
    assert sum(counts) == len(rows)
    assert (counts[0], counts[5], counts[8], counts[-1]) == (1, 1, 1, 1)


def test_no_change_draws_nothing_and_many_customers_are_cut_and_said() -> None:
    same = as_page(result(("a", "1.00", "1.00", "0.00")))
    assert "Nobody&#x27;s charges change" in same or "Nobody's charges change" in same
    many = as_page(result(*((f"c{place}", "1.00", "2.00", "1.00") for place in range(SHOWN_MAX + 1))))
    assert f"{SHOWN_MAX} of {SHOWN_MAX + 1}" in many
    assert f">c{SHOWN_MAX - 1}<" in many
    assert f">c{SHOWN_MAX}<" not in many
