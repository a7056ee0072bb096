"""A limited grant pays for usage that carries one of its labels."""

from rating.credits.limits import allowed


def test_one_label_in_common_is_enough_and_no_limit_is_none() -> None:
    limits = [None, frozenset({"charge"}), frozenset({"charge", "seconds"})]
    scopes = [frozenset({"charge", "m1"}), frozenset({"seconds"}), frozenset[str]()]
    assert allowed(limits, scopes).tolist() == [[True, True, True], [True, False, False], [True, True, False]]
