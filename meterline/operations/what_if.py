"""Show what closed periods would have come to under a draft of the catalog, customer by customer."""

from collections import Counter
from typing import Any

import msgspec

from meterline.installation import Installation
from meterline.operations.registry import RequestError, operation
from meterline.outcome import Outcome, Output
from meterline.tenants import checked_tenant
from posting.money import money_text
from rating import runs
from rating.catalog_trial import drafted
from rating.what_if import Again, Difference, Repricing, differences


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
    found = differences(list(again.values()))
    return Outcome(
        {
            "file": asked.file,
            "periods": {
                period: {"from": "charges" if one.from_charges else "usage", "charges": one.charges}
                for period, one in again.items()
            },
            "totals": _totals(found),
            "customers": [_customer(one) for one in found],
        }
    )


def _is_asked(period: str, asked: str) -> bool:
    return period == asked or period.startswith(f"{asked}-")


def _totals(found: list[Difference]) -> dict[str, dict[str, Any]]:
    """Per currency: what it came to, what it would have, and for how many customers that is more or less."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    customers: Counter[tuple[str, str]] = Counter()
    for one in found:
        before[one.currency] += one.before
        after[one.currency] += one.after
        customers[one.currency, "winners" if one.change < 0 else "losers" if one.change > 0 else "same"] += 1
    return {
        currency: {
            "before": money_text(before[currency], currency),
            "after": money_text(after[currency], currency),
            "change": money_text(after[currency] - before[currency], currency),
            **{kind: customers[currency, kind] for kind in ("winners", "losers", "same")},
        }
        for currency in sorted({one.currency for one in found})
    }


def _customer(one: Difference) -> dict[str, str]:
    amounts = {name: money_text(getattr(one, name), one.currency) for name in ("before", "after", "change")}
    return {"customer": one.customer, "currency": one.currency, **amounts}
