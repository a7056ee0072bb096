"""The steps from a commitment, and what a window of it has charged so far, to what a month is charged for it."""

from fractions import Fraction
from typing import NamedTuple

from rating.derivation.numbers import exactly, shown, signed
from rating.derivation.steps import NO_UNIT, Derivation, Steps, Unit, Value, given
from rating.derivation.used import Share


class Settling(NamedTuple):
    """A commitment in one month, as it is settled."""

    committed: Fraction
    held: Share
    """Of the days of the window."""
    window: str
    """From which month to which, where it is more than one."""
    used_before: Fraction
    """Usage and fees of the window's earlier months."""
    made_before: Fraction
    """What those months charged for the commitment itself, or gave back."""
    month: str
    used: Fraction
    """Usage and fees of the month."""
    overage_factor: Fraction
    trues_up: bool
    """Whether what is missing is charged now."""


def settled(said: Settling, money: Unit) -> Derivation:
    """Every step to the month's line."""
    steps = Steps(NO_UNIT, money)
    committed, used = _committed(steps, said), _used(steps, said)
    window = _window(steps, said, committed, used)
    unit = Value(1 / given(10**money.decimals).number)
    amount = steps.owed("rounded_half_up", "rounded", window, unit)
    charged = used
    if said.made_before:
        before = steps.owed("given", "charged before for the commitment itself", given(said.made_before))
        charged = steps.together("charged by now", [used, before])
    exact = steps.owed("minus", "less what is charged", window, charged)
    amount = steps.owed("minus", "less what is charged", amount, charged)
    steps.say(f"-> rounding {signed(amount.number - exact.number, money.decimals)}")
    steps.say(f"= {_money(amount.number, money)}")
    ends = (exact.step, amount.step, exact.number, amount.number)
    return Derivation(tuple(steps.made), " ".join(steps.said), *ends, steps.unlisted)


def _money(number: Fraction, money: Unit) -> str:
    return f"{shown(number, money.decimals)} {money.name}"


def _committed(steps: Steps, said: Settling) -> Value:
    """What is committed to for the days on which the contract holds."""
    of_window = f"committed for {said.window or said.month}"
    committed = steps.owed("given", of_window, given(said.committed))
    steps.say(f"{of_window} {_money(said.committed, steps.money)},")
    if said.held.part == said.held.whole:
        return committed
    share = steps.take("prorated", "of its days", [given(said.held.part), given(said.held.whole)])
    steps.say(f"of that {exactly(said.held.part)} of {exactly(said.held.whole)} {said.held.of},")
    return steps.owed("times", "for the days on which the contract holds", committed, share)


def _used(steps: Steps, said: Settling) -> Value:
    """What usage and fees of the window come to by now."""
    parts = []
    if said.window:
        parts.append(steps.owed("given", "charged before in the window", given(said.used_before)))
        for_it = f" and {_money(said.made_before, steps.money)} for it" if said.made_before else ""
        steps.say(f"charged before {_money(said.used_before, steps.money)}{for_it},")
    parts.append(steps.owed("given", f"charged for {said.month}", given(said.used)))
    steps.say(f"charged for {said.month} {_money(said.used, steps.money)},")
    return steps.together("charged so far", parts)


def _window(steps: Steps, said: Settling, committed: Value, used: Value) -> Value:
    """What the window comes to by now."""
    parts = [steps.owed("at_most", "within the commitment", used, committed)]
    beyond = steps.owed("beyond", "beyond the commitment", used, committed)
    if beyond.number:
        steps.say(f"{_money(beyond.number, steps.money)} beyond it x {exactly(said.overage_factor)}")
        parts.append(steps.owed("times", "at the overage factor", beyond, given(said.overage_factor)))
    elif said.trues_up:
        parts.append(steps.owed("beyond", "missing of the commitment", committed, used))
        steps.say(f"{_money(parts[-1].number, steps.money)} missing")
    return steps.together("the window comes to", parts)
