"""Time cut at instants is what a clock on the wall shows at each single instant, in any zone and year."""

from bisect import bisect_right
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rating.clocks import DAY_MS, MINUTE_MS, bucket_starts, slot_starts
from rating.pricing.parts import Every
from tests.property.clerk import Slot, bucket_of, slot_of, wall
from tests.property.close_worlds import slots, written_slot

ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran"),
    *("Australia/Lord_Howe", "Pacific/Kiritimati", "Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo"),
]
YEAR_2012_MS, YEAR_2035_MS = 1_325_376_000_000, 2_051_222_400_000
starts = st.integers(YEAR_2012_MS, YEAR_2035_MS)
lengths = st.integers(1, 40 * DAY_MS)


@given(st.sampled_from(ZONES), starts, lengths, st.data())
def test_instants_share_a_bucket_where_the_clock_shows_the_same_hour_or_day(
    zone: str, start: int, length: int, data: st.DataObject
) -> None:
    for every in Every:
        begun = bucket_starts(every, zone, start, start + length)
        assert begun[0] == start
        assert begun == sorted(begun)
        # Seldom any two of a month are near each other; edges are where it matters.
        edges = st.sampled_from(begun).map(lambda edge: max(edge - 1, start))
        one = data.draw(edges | st.integers(start, start + length - 1))
        other = data.draw(st.just(min(one + 1, start + length - 1)) | st.integers(start, start + length - 1))
        shared = bucket_of(every.value, wall(one, zone)) == bucket_of(every.value, wall(other, zone))
        assert (bisect_right(begun, one) == bisect_right(begun, other)) == shared


@given(slots, st.sampled_from(ZONES), starts, lengths, st.data())
def test_an_instant_is_in_the_slot_that_the_clock_says(
    own: list[Slot], zone: str, start: int, length: int, data: st.DataObject
) -> None:
    begun = slot_starts([written_slot(slot) for slot in own], zone, start, start + length)
    instants = [instant for instant, _ in begun]
    assert instants[0] == start
    assert all(before[1] != after[1] for before, after in pairwise(begun))
    near = st.builds(
        lambda edge, minutes, by: edge + minutes * MINUTE_MS + by,
        st.sampled_from(instants),
        st.integers(-60, 60),
        st.integers(-1, 1),
    )
    for instant in data.draw(st.lists(near.filter(lambda one: start <= one < start + length), min_size=1)):
        found = begun[bisect_right(instants, instant) - 1][1]
        assert found == slot_of(own, wall(instant, zone).replace(tzinfo=None))
