"""Usage is summed in two halves, and wherever it is cut every sum is there once."""

from collections import Counter
from itertools import product

import pytest

from ledger.usage import Totals
from tests.place import NOON_MS, Place, append

BLOCKS = 6
ROWS = 4
HOUR_MS = 3_600_000
END_MS = NOON_MS + BLOCKS * ROWS * HOUR_MS


def expected(first_ms: int) -> Counter[tuple[str, str]]:
    """How many events a meter and subject have from an instant on."""
    numbers = [number for number in range(BLOCKS * ROWS) if NOON_MS + number * HOUR_MS >= first_ms]
    return Counter(("gb_out" if number % 2 else "api_calls", f"customer-{number % 5}") for number in numbers)


def events(totals: Totals) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for *key, many in zip(totals.meter.to_pylist(), totals.subject.to_pylist(), totals.events.tolist(), strict=True):
        found[key[0], key[1]] += many
    return found


@pytest.mark.parametrize("cuts", [[END_MS], [NOON_MS + 7 * HOUR_MS, END_MS]])
def test_the_index_cuts_usage_where_every_sum_is_in_one_half(place: Place, cuts: list[int]) -> None:
    with place.ledger() as ledger:
        for _ in range(BLOCKS):
            append(ledger, 1, ROWS)
            ledger.derive()  # a part each
        head = ledger.head.block
        assert events(ledger.totals("default", [NOON_MS, *cuts], head)) == expected(NOON_MS)
        later = NOON_MS + 3 * HOUR_MS
        assert events(ledger.totals("default", [later, *cuts], head)) == expected(later)
        assert events(ledger.totals("default", [END_MS, END_MS + HOUR_MS], head)) == Counter()
        assert events(ledger.totals("nobody", [NOON_MS, *cuts], head)) == Counter()


def test_wherever_usage_is_cut_each_sum_is_in_one_half(place: Place) -> None:
    meters, subjects = ("", "api_calls", "b", "gb_out", "h"), ("", "customer-0", "customer-2", "customer-4", "d")
    span = {"tenant": "default", "start": NOON_MS, "end": END_MS, "cut_short": []}
    with place.ledger() as ledger:
        append(ledger, BLOCKS, ROWS)
        ledger.derive()
        for meter, subject in product(meters, subjects):
            at = {"meter": meter, "subject": subject, "cutoff": ledger.head.block}
            halves = [
                ledger.reading.table("totals_of_one_stretch", **span, **at, is_first=is_first).select(
                    ["meter", "subject"]
                )
                for is_first in (True, False)
            ]
            low, high = ([tuple(row.values()) for row in half.to_pylist()] for half in halves)
            assert sorted(low + high) == sorted(expected(NOON_MS))
            assert all(key < (meter, subject) for key in low)
            assert all(key >= (meter, subject) for key in high)


def test_the_middle_of_usage_is_where_its_index_has_it(place: Place) -> None:
    with place.ledger() as ledger:
        append(ledger, 1, ROWS)
        ledger.derive()
        (middle,) = ledger.reading.row("middle_of_usage", tenant="default", instant=NOON_MS)
        assert middle in expected(NOON_MS)
        assert ledger.reading.row("middle_of_usage", tenant="nobody", instant=NOON_MS) == (("", ""),)
        assert ledger.reading.row("middle_of_usage", tenant="default", instant=0) == (("", ""),)
