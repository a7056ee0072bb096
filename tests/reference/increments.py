"""What each step of a growing usage adds to the bill: in advance, event by event, or period after period, re-rated."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.reference.exactness import ZERO, Parameters, number
from tests.reference.lines import Line, Usage, total_of
from tests.reference.rating import amount_of, minimum_line, rated_lines

Booked = dict[tuple[str, Fraction], Line]


def incremental(price: Parameters, usage: Sequence[Any]) -> dict[str, Any]:
    """Events paid in advance are numbers; phases that re-rate name the cumulative quantity known at their end."""
    if usage and isinstance(usage[0], dict):
        return rerated(price, usage)
    return {"increments": in_advance(price, [number(event) for event in usage])}


def in_advance(price: Parameters, events: Sequence[Fraction]) -> list[Fraction]:
    """Each event's price of all so far less the price of those before it, never below zero.

    With a high-water mark only units above the highest total so far are new.
    """
    priced, level, mark, increments = ZERO, ZERO, ZERO, []
    for count, event in enumerate(events, start=1):
        level += event
        mark = max(mark, level) if price.get("high_water") else level
        amount = amount_of(price, rated_lines(price, Usage(mark, events=tuple(events[:count]))))
        increments.append(max(amount - priced, ZERO))
        priced = amount
    return increments


def rerated(price: Parameters, phases: Sequence[Parameters]) -> dict[str, Any]:
    """Each phase books, period by period, what its figures give less what was booked; the last adds the minimum."""
    booked: list[Booked] = []
    lines: list[list[dict[str, Any]]] = []
    increments: list[Fraction] = []
    for phase, totals in enumerate(_known_totals(phases), start=1):
        booked.append({})
        new = [
            (period, line)
            for period, target in enumerate(_by_period(price, totals))
            for line in _corrections(booked[period], target)
        ]
        if phase == len(phases):
            billed = total_of(line for book in booked for line in book.values())
            new += [(phase - 1, line) for line in minimum_line(price, billed)]
        increments.append(total_of(line for _, line in new))
        lines.append([{**line.fields(), "period": f"period{period + 1}"} for period, line in new])
    return {"increments": increments, "lines": lines}


def _known_totals(phases: Sequence[Parameters]) -> list[list[Fraction]]:
    """The cumulative quantity at the end of every period, as each phase knows them."""
    if "cumulative_by_period" in phases[0]:
        return [[number(total) for total in phase["cumulative_by_period"]] for phase in phases]
    totals = [number(phase["cumulative"]) for phase in phases]
    return [totals[:count] for count in range(1, len(totals) + 1)]


def _by_period(price: Parameters, totals: Sequence[Fraction]) -> list[Booked]:
    """What each period adds to the one before it, by what is billed at which unit price."""
    without_minimum = {**price, "minimum": None}
    books = [{}, *({(li.key, li.unit_amount): li for li in rated_lines(without_minimum, Usage(q))} for q in totals)]
    return [_difference(later, earlier) for earlier, later in pairwise(books)]


def _corrections(book: Booked, target: Booked) -> list[Line]:
    """The lines that bring `book` to `target`, which they do; lines that move no money are not printed."""
    corrections = _difference(target, book)
    book.clear()
    book.update(target)
    return [line for line in corrections.values() if line.amount or line.total]


def _difference(later: Booked, earlier: Booked) -> Booked:
    return {key: _less(later.get(key), earlier.get(key)) for key in later | earlier}


def _less(line: Line | None, other: Line | None) -> Line:
    if other is None:
        assert line is not None
        return line
    if line is None:
        return other.negated()
    return replace(
        line,
        quantity=line.quantity - other.quantity,
        amount=line.amount - other.amount,
        discount=line.discount - other.discount,
    )
