"""Credit burns as the reference says, entries add up to balances, and pools have nothing to do with each other."""

from hypothesis import given

from tests.conformance.drawdowns import MODELS
from tests.property import credit_cases
from tests.property.credit_cases import Case
from tests.reference.check import agrees
from tests.reference.evaluation import CALCULATIONS


def _agree(case: Case) -> None:
    ours = MODELS["credit_burndown"](case)
    theirs = CALCULATIONS["credit_burndown"](case, case["price"])
    assert {name: ours[name] for name in theirs if not agrees(theirs[name], ours[name], {})} == {}, theirs


@given(credit_cases.settled())
def test_credit_settled_at_once_burns_as_the_reference_says(case: Case) -> None:
    _agree(case)


@given(credit_cases.clocked())
def test_credit_by_the_clock_burns_as_the_reference_says(case: Case) -> None:
    _agree(case)


@given(credit_cases.called())
def test_calls_burn_units_and_money_as_the_reference_says(case: Case) -> None:
    _agree(case)


@given(credit_cases.allowed())
def test_a_recurring_allowance_rolls_over_as_the_reference_says(case: Case) -> None:
    _agree(case)
