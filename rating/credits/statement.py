"""Read balances, and what became of usage, off the entries: sums of what moved between accounts and nothing else."""

import numpy as np

from rating.credits.accounts import OWED, UNCOVERED, USED, Entries
from rating.exact import INT64_MAX, Exact, Int64s, largest, narrowed
from rating.ratios import Bools, Ratios, products, sums


def balances(entries: Entries, grants: int, read_at: Int64s) -> Exact:
    """What each grant holds at an instant of its pool: after everything of that instant but its usage."""
    is_usage = (entries.source == USED) | (entries.target == USED)
    read = read_at[entries.pool]
    seen = np.where(is_usage, entries.at < read, entries.at <= read)
    into = _grouped(entries.amount, entries.target, seen & (entries.target >= 0), grants)
    out_of = _grouped(entries.amount, entries.source, seen & (entries.source >= 0), grants)
    return sums(into, -out_of)


def applied(entries: Entries, grants: int) -> Exact:
    """What each grant paid for usage, less what corrections gave back."""
    paid = _grouped(entries.amount, entries.source, _is_paid(entries), grants)
    returned = _grouped(entries.amount, entries.target, _is_returned(entries), grants)
    return sums(paid, -returned)


def taken_off(entries: Entries, grants: int, account: int) -> Exact:
    """What each grant lost to EXPIRED, VOIDED or FORFEITED."""
    return _grouped(entries.amount, entries.source, (entries.target == account) & (entries.source >= 0), grants)


def covered(entries: Entries, pools: int) -> Exact:
    """The usage of each pool that grants paid for, soon or late, less what corrections gave back."""
    return _grouped(entries.covered, entries.pool, _is_paid(entries) | _is_returned(entries), pools)


def uncovered(entries: Entries, pools: int) -> Exact:
    """The usage of each pool that no credit pays for."""
    is_uncovered = (entries.source == UNCOVERED) & (entries.target == USED)
    return _grouped(entries.amount, entries.pool, is_uncovered, pools)


def without_room(entries: Entries, pools: int) -> Exact:
    """What corrections of each pool could not give back, because every grant was full."""
    is_left = (entries.source == USED) & (entries.target == UNCOVERED)
    return _grouped(entries.amount, entries.pool, is_left, pools)


def owed(entries: Entries, pools: int) -> Exact:
    """What each pool owes for usage beyond its grants."""
    taken_on = _grouped(entries.amount, entries.pool, entries.source == OWED, pools)
    settled = _grouped(np.abs(entries.covered), entries.pool, entries.target == OWED, pools)
    return sums(taken_on, -settled)


def less_owed(held: Exact, entries: Entries) -> Exact:
    """What each pool holds, less what it owes."""
    return sums(held, -owed(entries, len(held)))


def worth_after(entries: Entries, step: Int64s, pool: Int64s, rate: Ratios) -> Ratios:
    """What all grants of the pool are worth after each of the given steps, at each grant's rate of conversion."""
    assert len(rate.denominator) == 1
    # The last rate stands for all accounts that are no grants.
    rates = np.append(rate.numerator, 0)
    into, out_of = (rates[np.where(account >= 0, account, -1)] for account in (entries.target, entries.source))
    moved = products(sums(into, -out_of), entries.amount)
    wide = largest(moved) * len(moved) > INT64_MAX
    running = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(moved.astype(np.object_) if wide else moved)])
    after = np.searchsorted(entries.step, step, side="right")
    before = np.searchsorted(entries.pool, pool)
    return Ratios(narrowed(running[after] - running[before]), rate.denominator)


def totals(column: Exact, pool: Int64s, pools: int) -> Exact:
    """The sums of a column of grants, pool by pool."""
    return _grouped(column, pool, np.ones(len(pool), dtype=np.bool_), pools)


def _is_paid(entries: Entries) -> Bools:
    is_paid: Bools = (entries.source >= 0) & ((entries.target == USED) | (entries.target == OWED))
    return is_paid


def _is_returned(entries: Entries) -> Bools:
    is_returned: Bools = (entries.source == USED) & (entries.target >= 0)
    return is_returned


def _grouped(column: Exact, key: Int64s, chosen: Bools, groups: int) -> Exact:
    """Sums of the chosen rows, one for each key."""
    values = column[chosen]
    wide = values.dtype == np.object_ or largest(values) * len(values) > INT64_MAX
    added: Exact = np.zeros(groups, dtype=np.object_ if wide else np.int64)
    np.add.at(added, key[chosen], values)
    return narrowed(added)
