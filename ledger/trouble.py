"""Outlive what goes wrong in work that is done again and again by itself: it may pass by the next time.

It is said when it begins, when it becomes another, and when it is over, and is shown for as long as it lasts.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger()


class Trouble:
    """What some work is put off by."""

    def __init__(self, work: str) -> None:
        self._work = work
        self.what = ""
        """Empty while the work is done."""

    @contextmanager
    def outlived(self) -> Iterator[None]:
        """Do the work inside: whatever it raises, the world's or a bug, ends there."""
        try:
            yield
        except Exception as error:
            what = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
            if what != self.what:
                log.exception("%s put off", self._work)
            self.what = what
        else:
            if self.what:
                log.info("%s goes on", self._work)
            self.what = ""
