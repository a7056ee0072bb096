"""An engine that runs out of memory or disk says so at any moment: what it kept by then counts, once."""

from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from ledger.engine import Handle
from ledger.errors import Unavailable
from ledger.ledger import Ledger
from tests.place import Place, append

MEMORY_LIMIT, DISK_FULL, TOO_MANY_PARTS = 241, 243, 252


class Short:
    """A client whose next insert ends with `code`, after it was stored or instead of that."""

    def __init__(self, real: Any, code: int, *, stored: bool) -> None:
        self._real = real
        self._code: int | None = code
        self._stored = stored

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def insert_arrow(self, table: str, columns: Any) -> None:
        """Insert, unless it is the first time."""
        code, self._code = self._code, None
        if code is None or self._stored:
            self._real.insert_arrow(table, columns)
        if code is not None:
            raise DatabaseError(f"Code: {code}", code=code)


def run_short(ledger: Ledger, code: int, *, stored: bool) -> None:
    """Let the ledger's next insert of a block end with `code`."""
    ledger._writer._handle = Handle(Short(ledger._write._client, code, stored=stored))  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [MEMORY_LIMIT, DISK_FULL])
def test_a_block_that_was_kept_before_room_ran_out_counts_once(place: Place, code: int) -> None:
    with place.ledger() as ledger:
        run_short(ledger, code, stored=True)
        assert [marker.block for marker in append(ledger, 2)] == [1, 2]
        assert place.raw.rows("blocks_after", block=0) == [(1, 4, 1), (2, 4, 1)]
    with place.ledger() as again:
        assert (again.head.block, again.accepted) == (2, 8)


@pytest.mark.parametrize("code", [MEMORY_LIMIT, DISK_FULL, TOO_MANY_PARTS])
def test_a_block_there_was_no_room_for_can_be_sent_again(place: Place, code: int) -> None:
    with place.ledger() as ledger:
        run_short(ledger, code, stored=False)
        with pytest.raises(Unavailable):
            append(ledger, 1)
        assert append(ledger, 1)[0].block == 1
        assert place.raw.rows("blocks_after", block=0) == [(1, 4, 1)]
