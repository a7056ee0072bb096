"""Lines rated a second on one core, model by model, beside a plain Decimal loop over the same lines.

Timed is the processor's time, a core's whatever else the machine does. Both sides begin with what they calculate with,
exact columns here and Decimals there, and have to agree on every line that the loop prices, or there is no figure.
Credit is drawn down in the order of events, and its figure is drawdowns a second.
Graduated and volume are what the goal is about: the lesser of their ratios is the ratio reported.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from bench import decimal_loop, drawdowns
from bench.rate_models import MODELS, UNITS_MAX, Model
from ledger.scale import QUANTITY_SCALE
from rating import ratios
from rating.exact import Exact, Int64s
from rating.pricing.shapes import price_list
from rating.pricing.usage import Ragged
from rating.ratios import Ratios

Made = TypeVar("Made")

GOAL = 50
GOAL_PER_SECOND = 10_000_000
LEAST_PER_SECOND = 1_000_000
HEADLINE = ("graduated", "volume")
ROUNDS = 5


def bench(lines: int, loop_lines: int) -> dict[str, Any]:
    """Every model on both sides, and the report."""
    figures = {name: measured(model, lines, loop_lines) for name, model in MODELS.items()}
    headline = min(HEADLINE, key=lambda name: float(figures[name]["ratio"]))
    missed = [f"{name}: under {GOAL_PER_SECOND} lines/s" for name in HEADLINE if _rate(figures[name]) < GOAL_PER_SECOND]
    missed += [
        f"{name}: under {LEAST_PER_SECOND} lines/s" for name in MODELS if _rate(figures[name]) < LEAST_PER_SECOND
    ]
    credit = drawdowns.measured(lines, loop_lines)
    if _rate(credit) < drawdowns.GOAL_PER_SECOND:
        missed.append(f"credit: under {drawdowns.GOAL_PER_SECOND} drawdowns/s")
    return {
        "bench": "rate",
        "lines": lines,
        "cores": 1,
        "model": headline,
        **figures[headline],
        "goal": GOAL,
        "missed": missed,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "models": figures,
        "drawdowns": credit,
    }


def measured(model: Model, lines: int, loop_lines: int) -> dict[str, Any]:
    """The rates of one model.

    Rounds of both sides alternate and the quickest of each counts: what else the machine does is no part of either.
    """
    scaled, of_line = drawn(lines * model.parts, lines, model.below)
    prices = price_list(model.prices)
    quantities = Ragged(np.arange(lines + 1) * model.parts, ratios.of_scale(scaled, QUANTITY_SCALE))
    in_decimals, first = decimals(scaled, loop_lines, model.parts), of_line[:loop_lines].tolist()
    ours, theirs = [], []
    for _ in range(ROUNDS):
        seconds, amounts = timed(lambda: model.engine(prices, of_line, quantities))
        ours.append(seconds)
        seconds, found = timed(lambda: looped(model, in_decimals, first))
        theirs.append(seconds)
    for one, other in zip(amounts, zip(*found, strict=True), strict=True):
        assert fractions(one, loop_lines) == [Fraction(amount) for amount in other], "the engine and the loop differ"
    rate, baseline = lines / min(ours), loop_lines / min(theirs)
    return {
        "rate_per_second": round(rate),
        "baseline_per_second": round(baseline),
        "ratio": round(rate / baseline, 1),
        "total": str(sum(fractions(amounts.rounded, loop_lines))),
    }


def timed(made: Callable[[], Made]) -> tuple[float, Made]:
    """The seconds of the processor that something took, and what it made."""
    begun = time.process_time()
    found = made()
    return time.process_time() - begun, found


def drawn(quantities: int, lines: int, below: int = UNITS_MAX) -> tuple[Exact, Int64s]:
    """Scaled quantities, as many in each tier; and each line's price."""
    random = np.random.default_rng(7)
    units = random.integers(0, 10 ** random.integers(3, 7, quantities))
    return units % below * 10**QUANTITY_SCALE, random.integers(0, 100, lines)


def decimals(scaled: Exact, lines: int, parts: int) -> list[list[Decimal]]:
    """The quantities of the first lines."""
    quantities = [Decimal(value // 10**QUANTITY_SCALE) for value in scaled[: lines * parts].tolist()]
    return [quantities[place : place + parts] for place in range(0, len(quantities), parts)]


def looped(model: Model, lines: Sequence[Sequence[Decimal]], of_line: Sequence[int]) -> list[tuple[Decimal, Decimal]]:
    """What the loop makes of them: each line's amount, exact and rounded."""
    return [
        (amount := model.loop(model.parameters[price], line), decimal_loop.rounded(amount))
        for price, line in zip(of_line, lines, strict=True)
    ]


def fractions(amounts: Ratios, lines: int) -> list[Fraction]:
    """The first amounts one by one."""
    pairs = np.broadcast(*ratios.taken(amounts, slice(lines)))
    return [Fraction(int(numerator), int(denominator)) for numerator, denominator in pairs]


def _rate(figures: dict[str, Any]) -> int:
    return int(figures["rate_per_second"])


def main() -> int:
    """Run it; 1 when a goal is not reached."""
    parser = argparse.ArgumentParser(prog="meterline bench rate", description=__doc__)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--loop-lines", type=int, default=20_000)
    parser.add_argument("--json", action="store_true", help="one JSON object, alone")
    asked = parser.parse_args()
    report = bench(asked.lines, min(asked.lines, asked.loop_lines))
    print(json.dumps(report) if asked.json else json.dumps(report, indent=2))
    return 0 if report["ratio"] >= GOAL and not report["missed"] else 1


if __name__ == "__main__":
    sys.exit(main())
