"""Laws that hold the reference against itself, where two of its calculations must meet."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.reference import evaluate
from tests.reference.check import failure

quantities = st.decimals(0, 10**6, places=3).map(str)
prices = st.decimals(0, 10, places=6).map(str)


@st.composite
def tiers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Tiers with ascending bounds, the last one open, some with flat fees."""
    bounds = sorted(draw(st.sets(st.integers(1, 10**6), max_size=4)))
    fees = st.integers(0, 50).map(str)
    return [
        {"up_to": up_to, "unit_price": draw(prices), "flat_fee": draw(fees)}
        for up_to in [*(str(bound) for bound in bounds), None]
    ]


def amount(model: str, price: dict[str, Any], **given_: Any) -> Fraction:
    case = {"model": model, "currency": "EUR", "price": price, "expected": {"amount": None}, **given_}
    figure = evaluate(case)["amount"]
    assert isinstance(figure, Fraction)
    return figure


def split_amounts(model: str, price: dict[str, Any], totals: list[str]) -> Fraction:
    """The period billed in lines that end at `totals`."""
    cuts = sorted({Fraction(0), *(Fraction(total) for total in totals)})
    positions = ["first", *("mid" for _ in cuts[3:]), "last"]
    return sum(
        (
            amount(model, {**price, "split_line": {"position": position, "quantity_before": low}}, quantity=high - low)
            for position, (low, high) in zip(positions, pairwise(cuts), strict=False)
        ),
        Fraction(0),
    )


splits = st.lists(quantities.filter(lambda text: Fraction(text) > 0), min_size=2, max_size=5, unique=True)


@given(tiers(), splits)
def test_split_graduated_lines_add_up_to_the_period(tiers_: list[dict[str, Any]], totals: list[str]) -> None:
    price = {"tiers": tiers_}
    assert split_amounts("graduated", price, totals) == amount("graduated", price, quantity=max(totals, key=Fraction))


@given(prices, st.integers(1, 1000), st.integers(0, 1000), splits)
def test_split_package_lines_add_up_to_the_period(price: str, size: int, free: int, totals: list[str]) -> None:
    package = {"package_size": str(size), "package_price": price, "free_units": str(free)}
    assert split_amounts("package", package, totals) == amount("package", package, quantity=max(totals, key=Fraction))


@given(tiers(), st.lists(quantities, min_size=1, max_size=5))
def test_rerated_phases_end_at_the_price_of_the_last_total(tiers_: list[dict[str, Any]], totals: list[str]) -> None:
    for model in ("graduated", "volume"):
        price = {"base": {"model": model, "tiers": tiers_}}
        usage = [{"cumulative": total} for total in totals]
        case = {
            "model": "incremental",
            "currency": "EUR",
            "price": price,
            "usage": usage,
            "expected": {"increments": []},
        }
        assert sum(evaluate(case)["increments"]) == amount(model, {"tiers": tiers_}, quantity=totals[-1])


@given(tiers(), st.integers(0, 10**6))
def test_blocks_of_one_unit_are_graduated_tiers(tiers_: list[dict[str, Any]], quantity: int) -> None:
    floors = [0, *(int(tier["up_to"]) for tier in tiers_[:-1])]
    widths = [str(upper - lower) for lower, upper in pairwise(floors)]
    blocks = [
        {"block_size": "1", "max_blocks": width, "price": tier["unit_price"]}
        for tier, width in zip(tiers_, [*widths, "-1"], strict=True)
    ]
    without_fees = [{**tier, "flat_fee": "0"} for tier in tiers_]
    assert amount("tiered_blocks", {"mode": "ALL_TIERS", "tiers": blocks}, quantity=str(quantity)) == amount(
        "graduated", {"tiers": without_fees}, quantity=str(quantity)
    )


@given(st.lists(st.tuples(quantities, st.integers(0, 3)), max_size=5), quantities)
def test_a_drawdown_without_instants_is_one_with_instants(grants: list[tuple[str, int]], used: str) -> None:
    """The clock's engine and the plain one agree where the clock decides nothing."""
    credits_ = [{"id": str(n), "amount": size, "priority": str(rank)} for n, (size, rank) in enumerate(grants)]
    plain = {"price": {"order": ["priority asc"], "overflow": "uncovered"}, "usage": [{"amount": used}]}
    span = {"order": ["priority asc"], "overage": "not carried", "start_at": "2026-01-01", "until": "2026-02-01"}
    clocked = {"price": span, "usage": [{"amount": used, "at": "2026-01-02"}]}
    figures = [
        evaluate(
            {
                "model": "credit_burndown",
                "currency": "EUR",
                "credits": [{**credit, "effective_at": "2026-01-01"} for credit in credits_],
                "expected": {"balances": {}, "covered": "0", "uncovered": "0"},
                **form,
            }
        )
        for form in (plain, clocked)
    ]
    assert figures[0] == figures[1]
    assert figures[0]["covered"] + figures[0]["uncovered"] == Fraction(used)


def test_a_case_that_expects_another_cent_is_reported() -> None:
    case = {"model": "per_unit", "currency": "EUR", "price": {"unit_price": "0.33"}, "quantity": "3"}
    assert failure({**case, "expected": {"amount": "0.99"}}) is None
    assert failure({**case, "expected": {"amount": "1.00"}}) == "amount: expected 1.00, got 99/100"
