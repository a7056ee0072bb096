"""Say what is left of each grant at an instant: what runs moved until then, and what time alone has done since.

A grant that no run has entered yet counts as it would be entered by the next one.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from ledger import movements
from rating import credit_grants, credit_terms, runs
from rating.credit_life import Draws, Opening, Reader, account_names, amounts, left_of, live_on
from rating.credit_terms import Granted
from rating.credits.timeline import ALWAYS, NEVER

MOVED = (movements.ISSUED, movements.USED, movements.EXPIRED, movements.VOIDED, movements.FORFEITED)


class Held(NamedTuple):
    """What became of one grant, in minor units."""

    id: str
    name: str
    customer: str
    currency: str
    kind: str
    moved: dict[str, int]
    """Per account: what it was issued, and what went from it where."""

    @property
    def balance(self) -> int:
        """What is left."""
        return self.moved[movements.ISSUED] - sum(self.moved[name] for name in MOVED[1:])


def balances(
    ledger: Reader, connection: sa.Connection, tenant: str, at: int, customer: str | None = None
) -> list[Held]:
    """Every grant of a tenant, or of one customer, in the order they were made."""
    granted = credit_terms.load(connection, tenant, credit_grants.newest_version(connection), customer)
    if not len(granted.id):
        return []
    earlier = runs.with_credit(connection, tenant)
    sums = ledger.credit_sums([one.run for one in earlier], at)
    since = earlier[-1].until if earlier else ALWAYS
    moved = Counter(_entered(sums))
    for key, amount in _since_then(tenant, granted, sums, since, at):
        moved[key] += amount
    names = ("id", "name", "customer", "currency", "kind")
    said = pa.table({name: getattr(granted, name) for name in names}).to_pylist()
    return [Held(**one, moved={account: moved[one["id"], account] for account in MOVED}) for one in said]


Moved = tuple[tuple[str, str], int]
"""The grant and the other account, and how much."""


def _entered(sums: pa.Table) -> dict[tuple[str, str], int]:
    """What runs moved."""
    grant_id, debit, credit = (sums[name].to_pylist() for name in ("grant_id", "debit", "credit"))
    others = [one if other == movements.BALANCE else other for one, other in zip(debit, credit, strict=True)]
    return dict(zip(zip(grant_id, others, strict=True), amounts(sums).tolist(), strict=True))


def _since_then(tenant: str, granted: Granted, sums: pa.Table, since: int, at: int) -> Iterable[Moved]:
    """What time alone does from there on."""
    voided = np.where(granted.lives.voided > at, NEVER, granted.lives.voided)
    granted = granted._replace(lives=granted.lives._replace(voided=voided))
    nothing = np.zeros(0, dtype=np.int64)
    in_any_order = np.argsort(granted.pool, kind="stable")
    no_scopes = np.zeros((len(granted.limits), 0), dtype=np.bool_)
    carries, hears = np.zeros(len(granted.pools), dtype=np.bool_), np.full(len(granted.pool), at)
    draws = Draws(nothing, nothing, nothing, no_scopes, nothing, at, in_any_order, carries, hears)
    entries = live_on(Opening(tenant, 0, granted, *left_of(granted, sums), 0, since), draws, at)
    others = account_names(np.minimum(entries.source, entries.target)).to_pylist()
    ids = granted.id.take(pa.array(np.maximum(entries.source, entries.target))).to_pylist()
    return zip(zip(ids, others, strict=True), entries.amount.tolist(), strict=True)
