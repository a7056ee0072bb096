"""Know which API keys are in force, a few seconds old at most: a revoked key stops opening within that time."""

import threading
import time

import sqlalchemy as sa

from metering.keys import Key, holder, in_force

REFRESH_S = 2.0
LOOK_AGAIN_S = 0.05
"""How soon a key that is not known is looked for again: it may be new. Wrong keys cost a query each no faster."""


class Keyring:
    """The keys in force, read again when they may have changed."""

    def __init__(self, relational: sa.Engine) -> None:
        self._relational = relational
        self._lock = threading.Lock()
        self._known: dict[bytes, Key] = {}
        self._read_at = -REFRESH_S

    def holder(self, authorization: str) -> Key | None:
        """Whose key stands in an Authorization header, if it is one in force."""
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        self._read_if_older(REFRESH_S)
        found = holder(self._known, text.strip())
        if found is None and self._read_if_older(LOOK_AGAIN_S):
            found = holder(self._known, text.strip())
        return found

    def _read_if_older(self, age_s: float) -> bool:
        with self._lock:
            if time.monotonic() - self._read_at <= age_s:
                return False
            with self._relational.connect() as connection:
                self._known = in_force(connection)
            self._read_at = time.monotonic()
            return True
