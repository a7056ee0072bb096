"""The soak, small: `make soak` runs the same with a million identities."""

from tests.place import Place
from tests.soak import KILLS, soak

IDENTITIES = 100_000


def test_identities_sent_one_to_five_times_over_kills_and_restarts_count_once(place: Place) -> None:
    figures = soak(place, IDENTITIES, seed=1)
    assert figures.holds, figures
    assert figures.restarts > KILLS // 2
    assert figures.batches_sent_again > 0
    assert 37 <= figures.index_bytes_per_identity <= 56
