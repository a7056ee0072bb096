"""Two customers' run, drafted and approved in a relational store of its own."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from ledger.relational import connect
from posting.approval import approve
from posting.content import Document
from posting.documents import documents, of_period
from posting.drafts import write_drafts
from posting.erp import Erp
from posting.making import maker
from posting.outbox import Result, post_all
from tests.unit.posting.charging import TWO_CUSTOMERS, charges

PERIOD = "2026-11"


class Clock:
    """A time that passes when it is told to."""

    def __init__(self, now_ms: int = 1_000) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


class Books:
    """One tenant's documents, and what makes them."""

    def __init__(self, table: pa.Table | None = None, *, approved: bool = True) -> None:
        self.engine = connect("sqlite://")
        self.table = charges(TWO_CUSTOMERS) if table is None else table
        self.clock = Clock()
        documents.create(self.engine)
        with self.engine.begin() as connection:
            write_drafts(connection, "default", PERIOD, 1, self.table, self.clock())
            if approved:
                approve(connection, "default", PERIOD, self.table, self.clock())

    @property
    def make(self) -> Callable[[str], Document]:
        """What makes a document of the run."""
        return maker(self.table, "default", PERIOD)

    def post(self, erp: Erp, is_stopping: Callable[[], bool] = lambda: False) -> list[Result]:
        """Post what is due."""
        return post_all(self.engine, erp, "default", PERIOD, self.make, self.clock, is_stopping)

    def rows(self) -> list[sa.Row[Any]]:
        """Every document."""
        with self.engine.connect() as connection:
            return list(of_period(connection, "default", PERIOD))

    def states(self) -> dict[str, str]:
        """How every document stands."""
        return {row.id: row.state for row in self.rows()}

    def change(self, document_id: str, **values: Any) -> None:
        """Write straight into a row."""
        with self.engine.begin() as connection:
            connection.execute(sa.update(documents).where(documents.c.id == document_id).values(**values))
