"""Show what closed periods would have come to under a draft of the catalog, customer by customer."""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from meterline.installation import Installation
from meterline.operations.registry import RequestError, operation
from meterline.outcome import Outcome, Output
from meterline.tenants import checked_tenant
from posting.money import money_text, money_texts
from rating import runs
from rating.catalog_trial import drafted
from rating.differences import Differences, differences
from rating.exact import Int64s, decimals, total
from rating.what_if import Again, Repricing

DIGITS = 38
"""Of any sum of amounts."""


class WhatIf(msgspec.Struct, frozen=True):
    """The text of a catalog file, and the period, or the year, that is priced again with it."""

    text: str
    file: str
    period: str
    tenant: str = "default"


@operation("what-if", WhatIf, alone=False)
def what_if(installation: Installation, asked: WhatIf, output: Output) -> Outcome:
    """Price closed periods as if the file had been applied; it is not."""
    again: dict[str, Again] = {}
    with installation.relational.connect() as connection:
        tenant = checked_tenant(connection, asked.tenant)
        closed = [run for run in runs.live_runs(connection, tenant) if _is_asked(run.period, asked.period)]
        if not closed:
            raise RequestError(f"no period of {asked.period} is closed: what-if prices closed periods again")
        with drafted(installation.relational, tenant, asked.text) as draft:
            if isinstance(draft, list):
                mistakes = "\n".join(f"  {asked.file}: {mistake}" for mistake in sorted(draft))
                raise RequestError(f"{asked.file} has {len(draft)} mistakes\n{mistakes}")
            repricing = Repricing(installation.ledger, connection, tenant, draft)
            closed.sort(key=lambda run: run.period)
            for run, one in zip(closed, repricing.charged_again(closed), strict=True):
                output.progress(f"priced {run.period} again")
                again[run.period] = one
    found = differences([(one.before, one.after) for one in again.values()])
    periods = {
        period: {"from": "charges" if one.from_charges else "usage", "charges": one.charges}
        for period, one in again.items()
    }
    return Outcome(
        {"file": asked.file, "periods": periods, "totals": _totals(found), "customers": _customers(found)},
    )


def _is_asked(period: str, asked: str) -> bool:
    return period == asked or period.startswith(f"{asked}-")


def _totals(found: Differences) -> dict[str, dict[str, Any]]:
    """Per currency: what it came to, what it would have, and for how many customers that is more or less."""
    totals = {}
    for currency, rows in _by_currency(found):
        before, after, change = (total(column[rows]) for column in (found.before, found.after, found.change))
        sign = np.sign(found.change[rows])
        totals[currency] = {
            "before": money_text(before, currency),
            "after": money_text(after, currency),
            "change": money_text(change, currency),
            **{kind: int((sign == way).sum()) for kind, way in (("winners", -1), ("losers", 1), ("same", 0))},
        }
    return totals


def _customers(found: Differences) -> list[dict[str, str]]:
    """Row by row, in their order."""
    columns = {"customer": found.customer, "currency": found.currency}
    by_currency = _by_currency(found)
    # Where each row is among the rows of all currencies, one currency after another.
    place = pa.array(np.argsort(np.concatenate([rows for _, rows in by_currency])))
    for name in ("before", "after", "change"):
        amount = getattr(found, name)
        texts = [money_texts(decimals(amount[rows], DIGITS, 0), currency) for currency, rows in by_currency]
        columns[name] = pa.concat_arrays(texts).take(place)
    rows: list[dict[str, str]] = pa.table(columns).to_pylist()
    return rows


def _by_currency(found: Differences) -> list[tuple[str, Int64s]]:
    """Each currency, and its rows."""
    encoded = found.currency.dictionary_encode()
    codes = encoded.indices.to_numpy()
    names = sorted((name, code) for code, name in enumerate(encoded.dictionary.to_pylist()))
    return [(name, np.flatnonzero(codes == code)) for name, code in names]
