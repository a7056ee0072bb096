"""Each drawdown names its usage and its grant; what is owed is settled, waived or corrected by usage too."""

from typing import Any

import numpy as np
import pytest

from rating.credits.accounts import EARLIER, EXPIRED, FORFEITED, ISSUED, OWED, REFUSED, UNCOVERED, USED, VOIDED, WAIVED
from rating.credits.drawdown import Drawdown, draw_down
from rating.credits.grants import NONE, Grants, plain
from rating.credits.rules import CARRIES, LEAVES_UNCOVERED, OVERDRAWS, REFUSES, Rules, dust
from rating.credits.steps import ASKS_TO_VOID, BRINGS, USES
from rating.credits.timeline import NEVER, Lives, Resets, Span, Usage, endless

END = 100


def column(*values: int) -> Any:
    return np.array(values, dtype=np.int64)


def grants(*amounts: int, **columns: Any) -> Grants:
    return plain(np.zeros(len(amounts), dtype=np.int64), column(*amounts))._replace(
        **{name: np.array(values) for name, values in columns.items()}
    )


def lives(effective: list[int], expires: list[int] | None = None) -> Lives:
    always = endless(column(*effective))
    return always._replace(
        effective=column(*effective), expires=column(*expires) if expires else np.full(len(effective), NEVER)
    )


def drawn(
    rules: Rules,
    granted: Grants,
    used: list[tuple[int, int]],
    *,
    living: Lives | None = None,
    resets: tuple[int, ...] = (),
    allowed: list[list[bool]] | None = None,
    **columns: list[int],
) -> Drawdown:
    """Usage as instants and amounts, in the order given."""
    rows = len(used)
    nothing = np.zeros(rows, dtype=np.int64)
    usage = Usage(
        nothing, column(*(at for at, _ in used)), np.arange(rows), nothing + USES, nothing, nothing, nothing - 1
    )
    usage = usage._replace(amount=column(*(amount for _, amount in used)))
    usage = usage._replace(**{name: column(*values) for name, values in columns.items()})
    return draw_down(
        rules,
        granted,
        living or lives([0] * len(granted.pool)),
        np.arange(len(granted.pool)),
        usage,
        np.array(allowed or [[True]]),
        Resets(np.zeros(len(resets), dtype=np.int64), column(*resets)),
        Span(column(0), column(END)),
    )


def told(drawn: Drawdown) -> list[tuple[int, ...]]:
    """At, source, target, usage, amount, covered."""
    entries = drawn.entries
    columns = (entries.at, entries.source, entries.target, entries.usage, entries.amount, entries.covered)
    return list(zip(*(each.tolist() for each in columns), strict=True))


def rules(shortfall: int, *, keeps_overage: bool = False) -> Rules:
    return Rules(shortfall, keeps_overage, dust(0, 0))


def test_usage_is_drawn_from_one_grant_after_the_other() -> None:
    found = drawn(rules(LEAVES_UNCOVERED), grants(30, 50), [(1, 20), (2, 40), (3, 30)])
    assert told(found) == [
        (0, ISSUED, 0, NONE, 30, 0),
        (0, ISSUED, 1, NONE, 50, 0),
        (1, 0, USED, 0, 20, 20),
        (2, 0, USED, 1, 10, 10),
        (2, 1, USED, 1, 30, 30),
        (3, 1, USED, 2, 20, 20),
        (3, UNCOVERED, USED, 2, 10, 10),
    ]
    assert found.balance.tolist() == [0, 0]


def test_what_is_owed_is_paid_for_the_oldest_usage_first() -> None:
    found = drawn(rules(CARRIES), grants(25), [(1, 20), (2, 10)], living=lives([5]))
    assert told(found)[-3:] == [(5, ISSUED, 0, NONE, 25, 0), (5, 0, OWED, 0, 20, 20), (5, 0, OWED, 1, 5, 5)]
    assert found.owed.tolist() == [0, 5]


def test_a_limited_grant_leaves_what_is_owed_for_other_usage() -> None:
    limited = grants(25, 3, limit=[1, 0])
    found = drawn(
        rules(CARRIES),
        limited,
        [(1, 20), (2, 10)],
        living=lives([5, 6]),
        allowed=[[True, True], [False, True]],
        scope=[0, 1],
    )
    assert told(found)[2:] == [
        (5, ISSUED, 0, NONE, 25, 0),
        (5, 0, OWED, 1, 10, 10),
        (6, ISSUED, 1, NONE, 3, 0),
        (6, 1, OWED, 0, 3, 3),
    ]
    assert (found.owed.tolist(), found.balance.tolist()) == ([17, 0], [15, 0])


def test_a_reset_waives_what_is_owed_unless_it_is_kept() -> None:
    waived = drawn(rules(CARRIES), grants(10), [(1, 20)], resets=(2,))
    assert told(waived)[-1] == (2, WAIVED, OWED, 0, 10, 10)
    bounds = grants(10, rollover_min=[4], rollover_max=[4])
    kept = drawn(rules(CARRIES, keeps_overage=True), bounds, [(1, 20)], resets=(2,))
    assert told(kept)[-2:] == [(2, ISSUED, 0, NONE, 4, 0), (2, 0, OWED, 0, 4, 4)]


def test_what_was_owed_before_is_paid_by_the_first_grant() -> None:
    found = drawn(rules(LEAVES_UNCOVERED), grants(25), [(1, 5), (0, 20)], kind=[USES, BRINGS])
    assert [entry[1:5] for entry in told(found)] == [
        (OWED, EARLIER, 1, 20),
        (ISSUED, 0, NONE, 25),
        (0, OWED, 1, 20),
        (0, USED, 0, 5),
    ]


def test_a_refused_usage_moves_nothing_and_the_next_is_heard() -> None:
    found = drawn(rules(REFUSES), grants(30), [(1, 40), (2, 30)])
    assert told(found)[1:] == [(1, REFUSED, USED, 0, 40, 40), (2, 0, USED, 1, 30, 30)]
    assert found.refused.tolist() == [True, False]


def test_the_last_grant_that_may_pay_is_overdrawn() -> None:
    assert drawn(rules(OVERDRAWS), grants(10, 20), [(1, 50)]).balance.tolist() == [0, -20]
    named = drawn(rules(OVERDRAWS), grants(10, 20), [(1, 50)], named=[0])
    assert named.balance.tolist() == [-40, 20]


def test_what_a_grant_is_overdrawn_by_does_not_expire() -> None:
    found = drawn(rules(OVERDRAWS), grants(10, 20), [(1, 50)], living=lives([0, 0], [30, 30]))
    assert found.balance.tolist() == [0, -20]
    assert EXPIRED not in found.entries.target


def test_a_correction_goes_back_the_way_the_credit_came() -> None:
    found = drawn(rules(LEAVES_UNCOVERED), grants(30, 50), [(1, 60), (2, -40), (3, -50)])
    assert told(found)[4:] == [
        (2, USED, 1, 1, 30, -30),
        (2, USED, 0, 1, 10, -10),
        (3, USED, 0, 2, 20, -20),
        (3, USED, UNCOVERED, 2, 30, -30),
    ]


def test_a_correction_lowers_what_is_owed_before_it_fills_grants() -> None:
    found = drawn(rules(CARRIES), grants(30), [(1, 40), (2, 5), (3, -12)])
    assert told(found)[-2:] == [(3, USED, OWED, 2, 5, -5), (3, USED, OWED, 2, 7, -7)]
    assert found.owed.tolist() == [3, 0, 0]
    assert found.balance.tolist() == [0]


def test_increments_are_paid_whole_and_returned_whole() -> None:
    found = drawn(rules(LEAVES_UNCOVERED), grants(10, increment=[60], cost=[3]), [(1, 61), (2, -119)])
    assert told(found)[1:] == [
        (1, 0, USED, 0, 6, 61),
        (2, USED, 0, 1, 3, -60),
        (2, USED, UNCOVERED, 1, 59, -59),
    ]


def test_dust_is_left_alone() -> None:
    found = drawn(Rules(LEAVES_UNCOVERED, keeps_overage=False, dust=dust(3, 2)), grants(1_009, 5), [(1, 2_000)])
    assert found.balance.tolist() == [9, 5]
    assert (dust(3, 2), dust(2, 3), dust(2, -1)) == (10, 1, 1000)


def test_what_a_reset_finds_rolls_into_another_grant_within_its_bounds() -> None:
    granted = grants(0, 100, rollover_max=[50, 0], rolls_into=[NONE, 0], refills_at_reset=[False, True])
    found = drawn(rules(LEAVES_UNCOVERED), granted, [(1, 20)], resets=(2,))
    assert told(found)[-3:] == [(2, 1, 0, NONE, 80, 0), (2, 0, FORFEITED, NONE, 30, 0), (2, ISSUED, 1, NONE, 100, 0)]


@pytest.mark.parametrize(("at", "is_refused"), [(5, False), (30, True)])
def test_what_has_ended_can_not_be_voided(at: int, is_refused: bool) -> None:
    found = drawn(
        rules(LEAVES_UNCOVERED), grants(10), [(at, 0)], living=lives([0], [30]), kind=[ASKS_TO_VOID], named=[0]
    )
    assert found.refused.tolist() == [is_refused]
    assert told(found)[-1][2] == (EXPIRED if is_refused else VOIDED)


def test_a_grant_of_no_pool_is_asked_for_nothing() -> None:
    found = drawn(rules(LEAVES_UNCOVERED), grants(10), [(1, 5), (2, 5)], named=[7, NONE], kind=[ASKS_TO_VOID, USES])
    assert (found.refused.tolist(), found.balance.tolist()) == ([True, False], [5])


def test_nobody_and_nothing_make_no_entries() -> None:
    assert told(drawn(rules(CARRIES), grants(), [])) == []
