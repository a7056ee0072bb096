"""Ends what tests that failed left running."""

from collections.abc import Iterator

import pytest

from tests.e2e.site import STARTED


@pytest.fixture(scope="module", autouse=True)
def no_service_is_left() -> Iterator[None]:
    """A service that a failed test left running would hold its port and its memory for the rest of the suite."""
    yield
    while STARTED:
        STARTED.pop().stop()
