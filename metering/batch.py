"""Put together what one block holds: the rows that are kept, and rows that only count what is not.

Duplicates and rejections are counted per tenant and source in the block itself, so that nothing about a block lives
elsewhere.
"""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ledger.block import DUPLICATES, REJECTED, SCHEMA
from metering.decide import Content
from metering.requests import Decoded


class Batch:
    """What goes into one block, as one set of columns."""

    def __init__(self, parts: Sequence[Decoded]) -> None:
        self._parts = parts
        self.catalog = parts[0].columns.catalog
        self.rows: pa.Table = pa.concat_tables([part.columns.rows for part in parts])
        self.identity = np.concatenate([part.columns.identity for part in parts])
        self.content = np.concatenate([part.columns.content for part in parts])
        self.outcome = np.concatenate([part.columns.outcome for part in parts])

    def contents_of(self, rows: Collection[int]) -> dict[int, Content]:
        """What each of `rows` says: all at once, because a row alone costs as much as a hundred."""
        chosen = self.rows.select(Content._fields).take(list(rows))
        columns = (chosen[name].to_pylist() for name in Content._fields)
        return dict(zip(rows, map(Content, *columns), strict=True))

    def block(self, outcome: NDArray[np.int8]) -> pa.Table:
        """The rows of the block: what is kept, and the counts of what is not."""
        kept = self.rows.set_column(0, "outcome", pa.array(outcome))
        if (outcome == DUPLICATES).any():
            kept = kept.filter(pa.array(outcome != DUPLICATES))
        counts = [*self._duplicates(outcome), *self._rejections()]
        if not counts:
            return kept.unify_dictionaries()
        return pa.concat_tables([plain(kept), count_rows(counts)]) if len(kept) else count_rows(counts)

    def _duplicates(self, outcome: NDArray[np.int8]) -> Iterable[tuple[int, str, str, int]]:
        if not (outcome == DUPLICATES).any():
            return []
        repeated = self.rows.select(["tenant", "source"]).filter(pa.array(outcome == DUPLICATES))
        counted = plain(repeated).group_by(["tenant", "source"]).aggregate([([], "count_all")]).to_pylist()
        ordered = sorted(counted, key=lambda row: (row["tenant"], row["source"]))
        return [(DUPLICATES, row["tenant"], row["source"], row["count_all"]) for row in ordered]

    def _rejections(self) -> Iterable[tuple[int, str, str, int]]:
        counted: dict[tuple[str, str], int] = {}
        for part in self._parts:
            for rejection in (rejection for request in part.requests for rejection in request.rejections):
                key = (part.tenant, rejection.source)
                counted[key] = counted.get(key, 0) + 1
        return [(REJECTED, tenant, source, count) for (tenant, source), count in sorted(counted.items())]


def plain(rows: pa.Table) -> pa.Table:
    """`rows` without dictionary encoding, so that they can be joined with others."""
    return rows.cast(pa.schema([SCHEMA.field(name) for name in rows.column_names]))


def count_rows(counts: list[tuple[int, str, str, int]]) -> pa.Table:
    """Rows that only count: (outcome, tenant, source, how many)."""
    count = len(counts)
    columns_of: dict[str, list[object]] = {
        "outcome": [outcome for outcome, _, _, _ in counts],
        "tenant": [tenant for _, tenant, _, _ in counts],
        "source": [source for _, _, source, _ in counts],
        "count": [many for _, _, _, many in counts],
        **dict.fromkeys(("id", "type", "subject", "data", "reason"), [""] * count),
        **dict.fromkeys(("time", "content"), [0] * count),
        **dict.fromkeys(("quantities", "dimensions"), [[]] * count),
        "identity": [bytes(16)] * count,
    }
    return pa.table({name: pa.array(columns_of[name], SCHEMA.field(name).type) for name in SCHEMA.names}, schema=SCHEMA)
