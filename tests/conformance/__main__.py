"""Runs a file of cases through the engine: `python -m tests.conformance FILE.jsonl`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.conformance import drawdowns, invoices, prices, time
from tests.conformance.figures import Calculation, Case, RefusedOnPurpose
from tests.reference.check import agrees, printed
from tests.reference.evaluation import INSTRUCTIONS

MODELS: dict[str, Calculation] = {**prices.MODELS, **drawdowns.MODELS, **time.MODELS, **invoices.MODELS}


def failure(case: Case) -> str | None:
    """What differs between the case's `expected` and the engine, or None."""
    if case["model"] not in MODELS:
        return f"no way to express {case['model']}"
    try:
        figures = MODELS[case["model"]](case)
    except RefusedOnPurpose as refusal:
        return f"refused on purpose: {refusal}"
    except Exception as error:  # noqa: BLE001  a case that can't be mapped fails, and the next is run
        return f"{type(error).__name__}: {error}"
    expected = {name: value for name, value in case["expected"].items() if name not in INSTRUCTIONS}
    differing = [name for name in expected if not agrees(expected[name], figures.get(name), case["expected"])]
    return (
        "; ".join(f"{name}: expected {expected[name]}, got {printed(figures.get(name))}" for name in differing) or None
    )


def main(arguments: Sequence[str]) -> int:
    """Print every failure and the count; 1 when there is one."""
    cases = [json.loads(line) for path in arguments for line in Path(path).read_text().splitlines() if line.strip()]
    failures = [(case["id"], reason) for case in cases if (reason := failure(case)) is not None]
    for name, reason in failures:
        sys.stdout.write(f"{name}: {reason}\n")
    sys.stdout.write(f"{len(cases) - len(failures)} passed, {len(failures)} failed\n")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
