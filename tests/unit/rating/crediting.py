"""Grants for the tests of credit, closes that draw on them, and what they leave."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from rating import credit_grants, credit_life, runs
from rating.close import Closed, close
from rating.credit_grants import Grant
from tests.unit.rating.world import DECEMBER_FIRST_MS, NOW_MS, TENANT, MemoryLedger

USE_NOVEMBER, USE_DECEMBER = "2026-11", "2026-12"


def grant_of(grant_id: str, amount: int, **changed: Any) -> Grant:
    """A promotional grant of acme, from October on."""
    terms: dict[str, Any] = {
        "customer": "acme",
        "currency": "EUR",
        "kind": "promotional",
        "name": grant_id,
        "effective": date(2026, 10, 1),
    }
    return Grant(id=grant_id, amount=amount, **(terms | changed))


def granted(relational: sa.Engine, *grants: Grant) -> None:
    """Grant them, in their order."""
    with relational.begin() as connection:
        for one in grants:
            assert credit_grants.grant(connection, TENANT, one, "tests", NOW_MS)


def voided(relational: sa.Engine, grant_id: str, now_ms: int = NOW_MS) -> None:
    """Void a grant."""
    with relational.begin() as connection:
        credit_grants.void(connection, TENANT, grant_id, "a mistake", "tests", now_ms)


def closed(ledger: MemoryLedger, relational: sa.Engine, period: str, **how: Any) -> Closed:
    """Close a period."""
    done = close(ledger, relational, TENANT, period, DECEMBER_FIRST_MS, **how)
    assert isinstance(done, Closed)
    return done


def discarded(relational: sa.Engine, period: str) -> None:
    """Take a close back."""
    with relational.begin() as connection:
        runs.discard(connection, TENANT, period, "to try again", NOW_MS)


def balances(ledger: MemoryLedger, relational: sa.Engine) -> dict[str, int]:
    """What the runs that stand have left of each grant that they know."""
    with relational.connect() as connection:
        found = credit_life.opening(ledger, connection, TENANT)
    if found is None:
        return {}
    left = zip(found.granted.id.to_pylist(), found.balance.tolist(), found.is_issued.tolist(), strict=True)
    return {grant_id: balance for grant_id, balance, is_issued in left if is_issued}


def moved(ledger: MemoryLedger, run: int | None) -> list[tuple[str, str, str, int]]:
    """What a run moved: grant, from, to, how much."""
    assert run is not None
    names = ("grant_id", "debit", "credit", "amount")
    return [tuple(entry[name] for name in names) for entry in ledger.read_movements(run).to_pylist()]


def lines(done: Closed) -> list[tuple[str, str, int]]:
    """The lines of a close: kind, product, amount."""
    assert done.charges is not None
    return [(row["kind"], row["product"], row["amount"]) for row in done.charges.to_pylist()]
