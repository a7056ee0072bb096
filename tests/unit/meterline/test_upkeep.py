"""Upkeep outlives what goes wrong, says it once, and shows it for as long as it lasts."""

import queue
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from ledger.errors import Damaged
from meterline.metrics import Metrics
from meterline.upkeep import Upkeep

STEP_S = 30
DAMAGED = Damaged("usage step 3", "begins at block 5, and not at 4")


class Steps:
    """A ledger that derives when the test lets it, and ends each time as the test says."""

    def __init__(self) -> None:
        self.waiting_events = 1
        self._begun: queue.Queue[None] = queue.Queue()
        self._ends: queue.Queue[Exception | None] = queue.Queue()

    def let_large_parts_merge(self, *, allowed: bool) -> None:
        """Nothing to merge."""

    def derive(self) -> None:
        """End as the test says."""
        self._begun.put(None)
        if (error := self._ends.get()) is not None:
            raise error

    def end(self, error: Exception | None = None) -> None:
        """Let the step that runs end so, and wait for the next to begin."""
        self._ends.put(error)
        self._begun.get(timeout=STEP_S)

    def begin(self) -> None:
        """Wait for the first step to begin."""
        self._begun.get(timeout=STEP_S)


@pytest.fixture
def steps() -> Steps:
    """A ledger with something to derive."""
    return Steps()


@pytest.fixture
def upkeep(steps: Steps) -> Iterator[Upkeep]:
    """The upkeep of it, always at its first step or further."""
    upkeep = Upkeep(steps, quiet_s=0, lag_events_max=1, every_s=0.0001)
    steps.begin()
    yield upkeep
    steps.waiting_events = 0
    steps._ends.put(None)
    upkeep.close()


@pytest.mark.parametrize(
    "error", [DAMAGED, sa.exc.OperationalError("SELECT", {}, Exception("locked")), OSError("full"), KeyError("a bug")]
)
def test_what_goes_wrong_does_not_end_it(steps: Steps, upkeep: Upkeep, error: Exception) -> None:
    steps.end(error)
    assert upkeep.trouble == f"{type(error).__name__}: {error}".splitlines()[0]
    steps.end()
    assert upkeep.trouble == ""


def test_what_lasts_is_said_once_and_what_changes_again(steps: Steps, upkeep: Upkeep) -> None:
    with capture_logs() as said:
        for error in (DAMAGED, DAMAGED, DAMAGED, OSError("full"), OSError("full"), None, None, DAMAGED):
            steps.end(error)
    assert [(one["event"], one["log_level"]) for one in said] == [
        ("upkeep put off", "error"),
        ("upkeep put off", "error"),
        ("upkeep goes on", "info"),
        ("upkeep put off", "error"),
    ]


def test_metrics_show_that_it_is_put_off(steps: Steps, upkeep: Upkeep) -> None:
    ledger = SimpleNamespace(head=SimpleNamespace(block=1), anchored_block=1, waiting_events=0, parts=list)
    intake = SimpleNamespace(index=SimpleNamespace(count=0, nbytes=0), inflight_bytes=0)
    metrics = Metrics(SimpleNamespace(ledger=ledger, intake=intake), upkeep)  # type: ignore[arg-type]
    assert b"\nmeterline_upkeep_put_off 0.0\n" in metrics.text()
    steps.end(DAMAGED)
    assert b"\nmeterline_upkeep_put_off 1.0\n" in metrics.text()
