"""Do what waits for a quiet moment: derive usage in large steps, and let large parts merge.

It outlives whatever goes wrong: a report derives what it needs itself, so nothing is lost while upkeep is put off.
"""

import threading
import time
from typing import Protocol

from ledger.trouble import Trouble

UPKEEP_EVERY_S = 0.25
PAUSE_TIMES_MAX = 64
"""How much longer than usual it is put off at most, by what goes wrong again and again."""


class Kept(Protocol):
    """What upkeep asks of the ledger."""

    @property
    def waiting_events(self) -> int:
        """How many accepted events are not in usage yet."""

    def let_large_parts_merge(self, *, allowed: bool) -> None:
        """Merge large parts, or don't."""

    def derive(self) -> None:
        """Bring usage up to the head."""


class Upkeep:
    """Looks after `ledger` from a thread of its own."""

    def __init__(self, ledger: Kept, quiet_s: float, lag_events_max: int, every_s: float = UPKEEP_EVERY_S) -> None:
        self._ledger = ledger
        self._quiet_s = quiet_s
        self._lag_events_max = lag_events_max
        self._every_s = every_s
        self._trouble = Trouble("upkeep")
        self._last_block_at = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """What it is put off by; empty while it is not."""
        return self._trouble.what

    def block_stored(self) -> None:
        """It is not quiet."""
        self._last_block_at = time.monotonic()

    def _run(self) -> None:
        pause_s = self._every_s
        while not self._stop.wait(pause_s):
            with self._trouble.outlived():
                self._keep_up()
            pause_s = min(pause_s * 2, self._every_s * PAUSE_TIMES_MAX) if self.trouble else self._every_s

    def _keep_up(self) -> None:
        quiet = time.monotonic() - self._last_block_at > self._quiet_s
        self._ledger.let_large_parts_merge(allowed=quiet)
        if self._ledger.waiting_events and (quiet or self._ledger.waiting_events >= self._lag_events_max):
            self._ledger.derive()

    def close(self) -> None:
        """Stop after the step that runs."""
        self._stop.set()
        self._thread.join()
