"""Live the credit of all customers on from where earlier runs left it, to an instant.

Runs follow each other in the order they were closed. Time that earlier runs have lived through is not lived again: a
month that is closed late finds what later months have left.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from ledger import movements
from ledger.charges import SCHEMA
from ledger.charges import digest as charges_digest
from ledger.digest import columns_digest
from ledger.scale import decimal_integers
from rating import credit_grants, credit_terms, runs
from rating.book import positions
from rating.credit_carrying import left_open
from rating.credit_terms import Granted
from rating.credits import accounts
from rating.credits.accounts import Entries
from rating.credits.drawdown import draw_down
from rating.credits.grants import NONE, Grants, plain, taken
from rating.credits.recurrence import Recurrence
from rating.credits.rules import CARRIES, LEAVES_UNCOVERED, Rules
from rating.credits.steps import USES
from rating.credits.timeline import ALWAYS, NEVER, Lives, Resets, Span, Usage, lives_taken
from rating.exact import Exact, Int64s, narrowed
from rating.ratios import Bools
from rating.runs import CreditsOf, Run

SHORTFALLS: Final = (LEAVES_UNCOVERED, CARRIES)
"""What no grant pays is left on the invoice, or waits for what begins or is filled later."""

NAMES: Final = {
    accounts.ISSUED: movements.ISSUED,
    accounts.USED: movements.USED,
    accounts.OWED: movements.USED,
    accounts.EXPIRED: movements.EXPIRED,
    accounts.VOIDED: movements.VOIDED,
    accounts.FORFEITED: movements.FORFEITED,
}


class Reader(Protocol):
    """Movements of earlier runs."""

    def credit_sums(self, runs: Sequence[int], until: int) -> pa.Table:
        """What some runs moved up to an instant, per grant and pair of accounts."""

    def read_charges(self, run: int) -> pa.Table:
        """A run's lines, in order."""


class Opening(NamedTuple):
    """What a run finds: the grants that are known, and what earlier runs have left of them."""

    tenant: str
    version: int
    """Of grants and voids."""
    granted: Granted
    balance: Exact
    is_issued: Bools
    """Whether an earlier run has entered it."""
    after: int
    """The run it goes on from; 0 for none."""
    since: int
    """What earlier runs have lived through."""
    carried: pa.Table = SCHEMA.empty_table()
    """Charges of the run before it that carry something over."""

    @property
    def digest(self) -> str:
        """What it says, in hex."""
        left = pa.table({"balance": pa.array(self.balance), "is_issued": pa.array(self.is_issued).cast(pa.uint8())})
        said = columns_digest(left, left.schema) + self.granted.digest + charges_digest(self.carried)
        return f"{said.hex()} {self.after} {self.since}"


class Draws(NamedTuple):
    """What asks for credit, in its order."""

    pool: Int64s
    amount: Int64s
    scope: Int64s
    allowed: Bools
    """Limits by scopes."""
    at: Int64s
    last: int
    """The instant of the last draw, whether anything is drawn or not."""
    burning: Int64s
    """The grants, pool after pool, in the order they burn."""
    carries: Bools
    """By pool: whether what no grant pays waits for what begins or is filled later."""
    hears: Int64s
    """By grant: the instant from which on a void counts, however late it was made."""


def opening(
    ledger: Reader, connection: sa.Connection, tenant: str, version: int | None = None, after: int | None = None
) -> Opening | None:
    """What a run finds: what is known at `version`, as the run `after` which it comes left it; None without grants."""
    version = credit_grants.newest_version(connection) if version is None else version
    granted = credit_terms.load(connection, tenant, version)
    if not len(granted.id):
        return None
    earlier = runs.with_credit(connection, tenant, after)
    sums = ledger.credit_sums([one.run for one in earlier], NEVER)
    balance, is_issued = left_of(granted, sums)
    last = earlier[-1] if earlier else CreditsOf(0, ALWAYS)
    carried = _carried(ledger, connection, last.run)
    return Opening(tenant, version, granted, balance, is_issued, last.run, last.until, carried)


def _carried(ledger: Reader, connection: sa.Connection, number: int) -> pa.Table:
    run = runs.find(connection, number)
    said = None if run is None else run.manifest.credits
    return left_open(ledger.read_charges(number)) if said is not None and said.carried else SCHEMA.empty_table()


def found_by(ledger: Reader, connection: sa.Connection, run: Run) -> Opening | None:
    """What a run found when it was closed, whatever became of it or of others since."""
    said = run.manifest.credits
    return None if said is None else opening(ledger, connection, run.tenant, said.version, said.after)


def left_of(granted: Granted, sums: pa.Table) -> tuple[Exact, Bools]:
    """What movements have left of each grant, and whether there are any."""
    row = positions(sums["grant_id"], granted.id)
    of_grant = np.flatnonzero(row >= 0)
    sign = np.where(pc.equal(sums["credit"], movements.BALANCE).to_numpy(), 1, -1)
    balance = np.zeros(len(granted.id), dtype=np.object_)
    np.add.at(balance, row[of_grant], (amounts(sums) * sign)[of_grant])
    is_issued = np.zeros(len(granted.id), dtype=np.bool_)
    is_issued[row[of_grant]] = True
    return narrowed(balance), is_issued


def amounts(sums: pa.Table) -> Exact:
    """The amounts of sums of movements."""
    column = sums["amount"].combine_chunks()
    if not len(column):
        return np.zeros(0, dtype=np.int64)
    return decimal_integers(column.buffers()[1].slice(column.offset * 16, len(column) * 16))


def live_on(found: Opening, draws: Draws, until: int) -> Entries:
    """Every movement of grants up to `until` that no earlier run has entered; the draws are before that."""
    granted = found.granted
    pools, rows = len(granted.pools), len(draws.pool)
    is_late = until <= found.since
    start = draws.last - 1 if is_late else found.since
    usage = Usage(
        pool=draws.pool,
        at=np.full(rows, draws.last) if is_late else draws.at,
        sequence=np.arange(rows),
        kind=np.full(rows, USES),
        amount=draws.amount,
        scope=draws.scope,
        named=np.full(rows, NONE),
    )
    grants = plain(granted.pool, granted.amount)._replace(
        opening=np.where(found.is_issued, found.balance, granted.amount),
        rollover_max=np.full(len(granted.id), NONE),
        carries=granted.carries,
        carries_least=granted.carries_least,
        limit=granted.limit,
    )
    lives, span = _lives(found, start, draws.hears), Span(np.full(pools, start), np.full(pools, until))
    entries = _drawn(draws, grants, lives, usage, span)
    is_of_grant = (entries.source >= 0) | (entries.target >= 0)
    was_issued = (entries.target >= 0) & np.append(found.is_issued, False)[np.maximum(entries.target, NONE)]
    is_carried = was_issued & (entries.source == accounts.ISSUED) & (entries.at == start)
    return Entries(*(column[is_of_grant & ~is_carried] for column in entries))


def _drawn(draws: Draws, grants: Grants, lives: Lives, usage: Usage, span: Span) -> Entries:
    """What moves: pools of one call share their rules, so those that carry and those that don't take one each."""
    nothing = np.zeros(0, dtype=np.int64)
    found = []
    for shortfall in SHORTFALLS:
        is_theirs = draws.carries == (shortfall == CARRIES)
        own, used = np.flatnonzero(is_theirs[grants.pool]), np.flatnonzero(is_theirs[usage.pool])
        burning = draws.burning[is_theirs[grants.pool[draws.burning]]]
        drawn = draw_down(
            Rules(shortfall, keeps_overage=False, dust=1),
            taken(grants, own),
            lives_taken(lives, own),
            np.searchsorted(own, burning),
            Usage(*(column[used] for column in usage)),
            draws.allowed,
            Resets(nothing, nothing),
            span,
        )
        found.append(_by_rows(drawn.entries, own, used))
    return _joined(found)


def _by_rows(entries: Entries, grants: Int64s, usage: Int64s) -> Entries:
    """Entries of some of the rows, by all of them."""
    source, target, used = (
        np.where(one >= 0, np.append(rows, NONE)[np.maximum(one, NONE)], one)
        for one, rows in ((entries.source, grants), (entries.target, grants), (entries.usage, usage))
    )
    return entries._replace(source=source, target=target, usage=used)


def _joined(parts: Sequence[Entries]) -> Entries:
    """Pool after pool."""
    together = Entries(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    order = np.argsort(together.pool, kind="stable")
    return Entries(*(column[order] for column in together))


def account_names(account: Int64s) -> pa.Array:
    """Accounts as the ledger names them; every grant is a balance."""
    different, which = np.unique(np.minimum(account, 0), return_inverse=True)
    names = [NAMES.get(one, movements.BALANCE) for one in different.tolist()]
    return pa.array(names, pa.string()).take(pa.array(which))


def _lives(found: Opening, start: int, hears: Int64s) -> Lives:
    """The lives of grants from `start` on: a void counts from the first draw that can hear of it."""
    lives = found.granted.lives
    voided = np.where(lives.voided == NEVER, NEVER, np.clip(lives.voided, start + 1, np.maximum(hears, start + 1)))
    # A later month has begun these, and they can't pay for an earlier one.
    effective = np.where(found.is_issued & (lives.effective > start), NEVER, lives.effective)
    recurrence = lives.recurrence if start == found.since else Recurrence(*(0 * part for part in lives.recurrence))
    # A month that is closed late may begin what has ended by then: the rest of it is over before anything is paid.
    has_rest = found.is_issued & (found.balance > 0)
    expires = np.where(has_rest, np.maximum(lives.expires, start + 1), lives.expires)
    return Lives(effective, expires, voided, recurrence)
