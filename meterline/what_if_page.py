"""Write what a what-if found for other people: every customer as CSV, and a page with plots that needs no net."""

import csv
from collections.abc import Sequence
from decimal import Decimal
from html import escape
from io import StringIO
from itertools import pairwise
from typing import Any

Result = dict[str, Any]
COLUMNS = ("customer", "currency", "before", "after", "change")
SHOWN_MAX = 500
BARS_MAX = 15
BAR_PIXELS = 300
BUCKETS = (-50, -20, -10, -5, -1, 1, 5, 10, 20, 50)
"""Percent of what was charged before: the bounds between the columns of the plot."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What if: {title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }}
table {{ border-collapse: collapse; margin: 1rem 0; }} th, td {{ padding: .2rem .8rem; border-bottom: 1px solid #ddd; }}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
.more {{ fill: #b3413a; }} .less {{ fill: #2e7d5b; }} .same {{ fill: #999; }} svg text {{ font: 12px system-ui; }}
</style></head><body>
<h1>What if: {title}</h1><p>{periods}</p>
<h2>Totals</h2>{totals}
{plots}
<h2>Customers</h2><p>{shown}</p>{customers}
</body></html>
"""


def as_csv(result: Result) -> str:
    """Every customer, one a line."""
    out = StringIO()
    rows = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    rows.writeheader()
    rows.writerows(result["customers"])
    return out.getvalue()


def as_page(result: Result) -> str:
    """The whole answer as one HTML page."""
    customers = result["customers"]
    said = [f"{period} ({one['charges']:,} charges, from {one['from']})" for period, one in result["periods"].items()]
    totals = [[currency, *one.values()] for currency, one in result["totals"].items()]
    heads = ["currency", "before", "after", "change", "winners", "losers", "same"]
    return PAGE.format(
        title=escape(result["file"]),
        periods=escape("; ".join(said)),
        totals=_table(heads, totals, texts=1),
        plots="".join(_plots(currency, customers) for currency in result["totals"]),
        shown=f"{min(len(customers), SHOWN_MAX):,} of {len(customers):,}, the greatest change first",
        customers=_table(list(COLUMNS), [[one[name] for name in COLUMNS] for one in customers[:SHOWN_MAX]], texts=2),
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]], *, texts: int) -> str:
    """A table whose first `texts` columns are text, and the others numbers."""

    def line(tag: str, cells: Sequence[Any]) -> str:
        kinds = ("" if place < texts else ' class="n"' for place in range(len(cells)))
        return "".join(f"<{tag}{kind}>{escape(str(cell))}</{tag}>" for kind, cell in zip(kinds, cells, strict=True))

    body = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{line('th', heads)}</tr></thead><tbody>{body}</tbody></table>"


def _plots(currency: str, customers: Sequence[dict[str, str]]) -> str:
    ours = [one for one in customers if one["currency"] == currency]
    changed = [one for one in ours if Decimal(one["change"])]
    if not changed:
        return f"<h2>{escape(currency)}</h2><p>Nobody's charges change.</p>"
    head = escape(currency)
    return (
        f"<h2>How many customers, by the change of their {head} charges</h2>{_spread(ours)}"
        f"<h2>The greatest changes in {head}</h2>{_bars(changed[:BARS_MAX])}"
    )


def _spread(customers: Sequence[dict[str, str]]) -> str:
    """A column for each range of change in percent; who was charged nothing before is in the outermost."""
    counts = [0] * (len(BUCKETS) + 1)
    for one in customers:
        counts[_bucket(Decimal(one["before"]), Decimal(one["change"]))] += 1
    names = [f"< {BUCKETS[0]} %", *(f"{low} to {high}" for low, high in pairwise(BUCKETS))]
    names.append(f"> {BUCKETS[-1]} %")
    rows = [(name, many, f"{many:,}") for name, many in zip(names, counts, strict=True)]
    kinds = ["less"] * (len(BUCKETS) // 2) + ["same"] + ["more"] * (len(BUCKETS) // 2)
    return _svg(rows, kinds)


def _bucket(before: Decimal, change: Decimal) -> int:
    return sum(change * 100 > bound * abs(before) for bound in BUCKETS)


def _bars(customers: Sequence[dict[str, str]]) -> str:
    rows = [(one["customer"], abs(Decimal(one["change"])), one["change"]) for one in customers]
    return _svg(rows, ["less" if one["change"].startswith("-") else "more" for one in customers])


def _svg(rows: Sequence[tuple[str, Any, str]], kinds: Sequence[str]) -> str:
    """A horizontal bar a row: its name, its length, what stands behind it."""
    longest = max(length for _, length, _ in rows) or 1
    bars = []
    for place, ((name, length, said), kind) in enumerate(zip(rows, kinds, strict=True)):
        width, top = int(length * BAR_PIXELS / longest), place * 22
        bars.append(
            f'<text x="190" y="{top + 14}" text-anchor="end">{escape(name[:28])}</text>'
            f'<rect class="{kind}" x="200" y="{top}" width="{max(width, 1)}" height="18"/>'
            f'<text x="{206 + width}" y="{top + 14}">{escape(said)}</text>'
        )
    return f'<svg width="640" height="{22 * len(rows)}" role="img">{"".join(bars)}</svg>'
