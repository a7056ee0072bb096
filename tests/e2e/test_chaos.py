"""200 kills while four clients send and resend: the small sister of `make chaos`."""

from pathlib import Path

import pytest

from tests.chaos import chaos


@pytest.mark.timeout(1800)
def test_200_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    report = chaos(kills=200, seed=1, directory=tmp_path)
    assert report["ok"], report
    assert report["acknowledged_batches"] > 20, "the kills left no time for any load"
