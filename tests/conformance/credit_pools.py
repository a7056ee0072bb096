"""From a case's credits and usage to one pool: its grants, their lives and burn order, and what asks for them."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from rating.credits.burn_order import SortKey, burn_order, read_order
from rating.credits.drawdown import Drawdown, draw_down
from rating.credits.grants import NONE, Grants, plain
from rating.credits.limits import allowed
from rating.credits.recurrence import Recurrence, read_interval
from rating.credits.rules import CARRIES, LEAVES_UNCOVERED, OVERDRAWS, REFUSES, Rules, dust
from rating.credits.steps import ASKS_TO_VOID, BRINGS, USES
from rating.credits.timeline import ALWAYS, NEVER, Lives, Resets, Span, Usage, endless, usable_at
from rating.exact import Exact, Int64s
from rating.ratios import HALF_UP, Bools, at_scale, of_scale, times
from tests.conformance.scaled import is_number, milliseconds, scale_of, scaled

Parameters = Mapping[str, Any]
MONEY = "money"
ROLLOVER = {"id": "rollover", "amount": "0", "kind": "rollover"}


class Pool(NamedTuple):
    """One pool of a case, in integers of 10^-scale."""

    scale: int
    rules: Rules
    grants: Grants
    lives: Lives
    burning: Int64s
    usage: Usage
    allowed: Bools
    resets: Resets
    span: Span

    def drawn_down(self) -> Drawdown:
        """What becomes of it."""
        return draw_down(*self[1:])


def read_pool(price: Parameters, usage: Sequence[Parameters], credits_: Sequence[Parameters]) -> Pool:
    """The pool of a price: by the clock where instants decide, else settled at one instant."""
    # A cost is the product of two numbers, and exact with the decimals of both.
    scale = 2 * scale_of([price, *usage, *credits_])
    asked = [*usage, *_brought_forward(price)]
    limits, limit = _distinct(_limit(credit) for credit in credits_)
    scopes, scope = _distinct(_scope(entry) for entry in asked)
    grants, lives = _grants(price, credits_, scale)._replace(limit=limit), _lives(credits_)
    by_clock = "start_at" in price or any("at" in entry for entry in usage)
    if "as_of" in price:
        grants = grants._replace(takes_part=usable_at(lives, np.full(len(limit), milliseconds(price["as_of"]))))
    resets = _column(milliseconds(at) for at in price.get("resets", []))
    return Pool(
        scale=scale,
        rules=Rules(_shortfall(price), bool(price.get("reset_preserves_overage")), _dust(price, scale)),
        grants=grants,
        lives=lives if by_clock else endless(grants.pool),
        burning=_burning(price, credits_),
        usage=_usage(asked, credits_, scale)._replace(scope=scope),
        allowed=allowed(limits, scopes),
        resets=Resets(np.zeros_like(resets), resets),
        span=_span(price, usage, credits_) if by_clock else Span(_column([ALWAYS]), _column([NEVER])),
    )


def with_rollover(price: Parameters, credits_: Sequence[Parameters]) -> list[Parameters]:
    """The credits of a recurring allowance: each reset moves what is left into a rollover, and grants it anew."""
    allowance = {"id": "allowance", "amount": price["recurring_allowance"], "starting_balance": "0"}
    fresh = [*credits_, {**allowance, "refills_at_reset": True}]
    rolling = [{**credit, "rolls_into": ROLLOVER["id"]} for credit in fresh]
    bound = price.get("rollover_max")
    rollover = {**ROLLOVER, "max_rollover": bound, "has_no_bound": bound is None}
    return [rollover, *rolling] if price.get("rollover_burns_first", True) else [*rolling, rollover]


def _column(values: Iterable[int]) -> Int64s:
    return np.array(list(values), dtype=np.int64)


def _distinct(values: Iterable[Any]) -> tuple[list[Any], Int64s]:
    """The values that differ, and which one each is."""
    listed = list(values)
    different = list(dict.fromkeys(listed))
    return different, _column(different.index(value) for value in listed)


def _limit(credit: Parameters) -> frozenset[str] | None:
    if "targets" in credit:
        return frozenset(credit["targets"])
    return frozenset([credit["unit"]]) if credit.get("unit", MONEY) != MONEY else None


def _scope(entry: Parameters) -> frozenset[str]:
    return frozenset(entry[label] for label in ("target", "metric", "unit") if entry.get(label) is not None)


def _brought_forward(price: Parameters) -> list[Parameters]:
    overage = price.get("starting_overage")
    return [] if overage is None else [{"amount": overage, "kind": "overage", "at": price["start_at"]}]


def _grants(price: Parameters, credits_: Sequence[Parameters], scale: int) -> Grants:
    def amounts(name: str, default: str = "amount") -> Exact:
        return scaled([credit.get(name) or credit.get(default) or "0" for credit in credits_], scale)

    def flags(name: str) -> Bools:
        return np.array([bool(credit.get(name)) for credit in credits_], dtype=np.bool_)

    ids = [credit["id"] for credit in credits_]
    rollover_max = amounts("max_rollover", default="")
    increment, cost = _increments(price, credits_, scale)
    return plain(np.zeros(len(ids), dtype=np.int64), amounts("amount"))._replace(
        opening=amounts("starting_balance"),
        maximum=amounts("maximum"),
        rollover_min=amounts("min_rollover", default=""),
        rollover_max=np.where(flags("has_no_bound"), NONE, rollover_max),
        rolls_into=_column(ids.index(credit["rolls_into"]) if "rolls_into" in credit else NONE for credit in credits_),
        increment=increment,
        cost=cost,
        refills_at_reset=flags("refills_at_reset"),
        takes_all=flags("threshold_rule"),
        may_go_below_zero=flags("allow_negative"),
        is_money=np.array([credit.get("unit") == MONEY for credit in credits_], dtype=np.bool_),
        also_charges_money=flags("also_charges_money"),
    )


def _increments(price: Parameters, credits_: Sequence[Parameters], scale: int) -> tuple[Exact, Exact]:
    """Units pay for whole increments of usage one for one, and money at its rate; other credit for any part."""
    by_unit = {
        None: ("0", "0"),
        MONEY: (price.get("money_increment", "1"), price.get("money_rate_per_second", "0")),
    }
    read = [by_unit.get(credit.get("unit"), (credit.get("increment", "1"), "1")) for credit in credits_]
    increment, rate = (scaled([pair[place] for pair in read], scale) for place in (0, 1))
    cost = times(of_scale(increment, scale), of_scale(rate, scale))
    return increment, at_scale(cost, scale, HALF_UP)


def _lives(credits_: Sequence[Parameters]) -> Lives:
    def instants(name: str, default: int) -> Int64s:
        return _column(milliseconds(credit[name]) if credit.get(name) else default for credit in credits_)

    recurrences = [credit.get("recurrence") for credit in credits_]
    intervals = [read_interval(each["interval"]) if each else (0, 0) for each in recurrences]
    recurrence = Recurrence(
        anchor=_column(milliseconds(each["anchor"]) if each else 0 for each in recurrences),
        months=_column(months for months, _ in intervals),
        milliseconds=_column(rest for _, rest in intervals),
    )
    return Lives(
        instants("effective_at", ALWAYS), instants("expires_at", NEVER), instants("voided_at", NEVER), recurrence
    )


def _burning(price: Parameters, credits_: Sequence[Parameters]) -> Int64s:
    fields = sorted({name for credit in credits_ for name, value in credit.items() if isinstance(value, str)})
    keys = read_order(price.get("order", []), fields)
    units = sorted({credit["unit"] for credit in credits_ if "unit" in credit} - {MONEY})
    if "money_rate_per_second" in price:
        keys = (SortKey("unit", ranked=(*units, MONEY)), *keys)
    columns = {name: _field([credit.get(name) for credit in credits_]) for name in fields}
    return burn_order(np.zeros(len(credits_), dtype=np.int64), columns, keys)


def _field(values: Sequence[str | None]) -> pa.Array:
    """Numbers sort as numbers; instants are ISO 8601 in UTC, and sort as text."""
    if all(value is None or is_number(value) for value in values):
        return pa.array([None if value is None else Decimal(value) for value in values])
    return pa.array(values, pa.string())


def _usage(asked: Sequence[Parameters], credits_: Sequence[Parameters], scale: int) -> Usage:
    ids = [credit["id"] for credit in credits_]
    named = [entry.get("wallet", entry.get("grant")) for entry in asked]
    kinds = {"void_grant": ASKS_TO_VOID, "overage": BRINGS}
    rows = np.arange(len(asked))
    return Usage(
        pool=np.zeros(len(asked), dtype=np.int64),
        at=_column(milliseconds(entry["at"]) if "at" in entry else 0 for entry in asked),
        sequence=rows,
        kind=_column(kinds.get(entry.get("kind", ""), USES) for entry in asked),
        amount=scaled([entry.get("rounded_amount", entry["amount"]) for entry in asked], scale),
        scope=rows,
        named=_column(NONE if name is None else (*ids, name).index(name) for name in named),
    )


def _shortfall(price: Parameters) -> int:
    """What becomes of usage beyond the grants, which cases say in three ways."""
    insufficient = price.get("insufficient")
    if insufficient == "error":
        return REFUSES
    if insufficient == "allow_negative" or price.get("overflow") == "last_wallet_negative":
        return OVERDRAWS
    if insufficient == "overdraft" or price.get("overage", "").startswith("carried"):
        return CARRIES
    return LEAVES_UNCOVERED


def _dust(price: Parameters, scale: int) -> int:
    return dust(scale, int(price["rounding"]["scale"])) if "rounding" in price else 1


def _span(price: Parameters, usage: Sequence[Parameters], credits_: Sequence[Parameters]) -> Span:
    """The price's span, or from the first grant to the last usage."""
    if "start_at" in price:
        return Span(_column([milliseconds(price["start_at"])]), _column([milliseconds(price["until"])]))
    start = min(milliseconds(credit["effective_at"]) for credit in credits_)
    return Span(_column([start]), _column([max(milliseconds(entry["at"]) for entry in usage)]))
