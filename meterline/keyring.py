"""Know which API keys are in force, a few seconds old at most: a revoked key stops opening within that time."""

import threading
import time

import sqlalchemy as sa

from metering.keys import Key, holder, in_force

REFRESH_S = 2.0


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
        now = time.monotonic()
        if now - self._read_at > REFRESH_S:
            with self._lock, self._relational.connect() as connection:
                self._known, self._read_at = in_force(connection), now
        return holder(self._known, text.strip())
