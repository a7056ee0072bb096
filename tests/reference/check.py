"""Holds a file of cases against the reference: `python -m tests.reference.check FILE.jsonl`."""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

from tests.reference.evaluation import INSTRUCTIONS, evaluate
from tests.reference.exactness import Parameters, round_to

NUMBER = re.compile(r"-?\d+(\.\d+)?")


def failure(case: Parameters) -> str | None:
    """What differs between the case's `expected` and the reference, or None."""
    try:
        figures = evaluate(case)
    except (AssertionError, LookupError, TypeError, ValueError) as reason:
        return f"{type(reason).__name__}: {reason}"
    return difference(case, figures)


def difference(case: Parameters, figures: Mapping[str, Any]) -> str | None:
    """Where the case's `expected` is not in `figures`, or None."""
    expected = {name: value for name, value in case["expected"].items() if name not in INSTRUCTIONS}
    differing = [name for name in expected if not agrees(expected[name], figures.get(name), case["expected"])]
    return (
        "; ".join(f"{name}: expected {expected[name]}, got {printed(figures.get(name))}" for name in differing) or None
    )


def agrees(expected: Any, actual: Any, how: Parameters) -> bool:
    """Whether every asserted figure is there; maps may say more, and lines booked together have no order."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            name in actual and agrees(value, actual[name], how) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return len(expected) == len(actual) and (
            _all_agree(expected, actual, how)
            or (_names_periods(expected) and any(_all_agree(expected, order, how) for order in permutations(actual)))
        )
    if isinstance(actual, Fraction) and isinstance(expected, str) and NUMBER.fullmatch(expected):
        return _same_number(expected, actual, how)
    return bool(expected == actual)


def printed(figure: Any) -> Any:
    """A figure with its numbers readable."""
    if isinstance(figure, dict):
        return {name: printed(value) for name, value in figure.items()}
    if isinstance(figure, list):
        return [printed(value) for value in figure]
    return str(figure) if isinstance(figure, Fraction) else figure


def _all_agree(expected: Sequence[Any], actual: Sequence[Any], how: Parameters) -> bool:
    return all(agrees(*pair, how) for pair in zip(expected, actual, strict=True))


def _names_periods(lines: Sequence[Any]) -> bool:
    return any(isinstance(line, dict) and "period" in line for line in lines)


def _same_number(expected: str, actual: Fraction, how: Parameters) -> bool:
    """Equal at the scale the case compares at, if any; one that no decimal writes, at the scale it is printed in."""
    if Fraction(expected) == actual:
        return True
    if "compare_scale" in how:
        scale, mode = int(how["compare_scale"]), how.get("compare_mode", "half_up")
        return round_to(Fraction(expected), scale, mode) == round_to(actual, scale, mode)
    is_decimal = (10**100) % actual.denominator == 0
    return not is_decimal and round_to(actual, len(expected.partition(".")[2]), "half_up") == Fraction(expected)


def run(files: Sequence[str], failure: Callable[[Any], str | None]) -> int:
    """Print every failure of the cases in `files` and the count; 1 when there is one."""
    cases = [json.loads(line) for file in files for line in Path(file).read_text().splitlines() if line.strip()]
    failures = [(case["id"], reason) for case in cases if (reason := failure(case)) is not None]
    for name, reason in failures:
        sys.stdout.write(f"{name}: {reason}\n")
    sys.stdout.write(f"{len(cases) - len(failures)} passed, {len(failures)} failed\n")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:], failure))
