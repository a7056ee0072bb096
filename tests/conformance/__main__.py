"""Runs a file of cases through the engine: `python -m tests.conformance FILE.jsonl`."""

import sys

from tests.conformance import drawdowns, invoices, prices, time
from tests.conformance.figures import Calculation, Case, RefusedOnPurpose
from tests.reference.check import difference, run

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
    return difference(case, figures)


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:], failure))
