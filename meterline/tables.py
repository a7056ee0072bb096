"""Show results to people: tables on standard output, one function for each kind of result."""

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

Result = dict[str, Any]
WHAT_IF_SHOWN = 20
ROWS_SHOWN = 40

# Names and reasons are shown as they are: `[eu]` is no style and `:de:` no flag.
console = Console(highlight=False, markup=False, emoji=False)


def show(kind: str, result: Result) -> None:
    """Print `result`, which is of `kind`."""
    _SHOWN[kind](result)


def _table(
    title: str, columns: list[str], rows: list[list[str]], right: tuple[int, ...] = (), *, whole: bool = False
) -> None:
    shown = len(rows) if whole else ROWS_SHOWN
    table = Table(title=title or None, title_justify="left", show_edge=False, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place in right else "left", overflow="fold")
    for row in rows[:shown]:
        table.add_row(*row)
    console.print(table)
    if len(rows) > shown:
        console.print(f"... and {len(rows) - shown} more: --json has all of them")


def _key(result: Result) -> None:
    # Alone on standard output, so that it can be put into a variable; plain print, so that nothing wraps it.
    print(result["key"])


def _keys(result: Result) -> None:
    rows = [
        [key["id"], key["tenant"], " ".join(key["scopes"]), key["created"], key["revoked"] or ""]
        for key in result["keys"]
    ]
    _table("", ["id", "tenant", "scopes", "created", "revoked"], rows)


def _revoked(result: Result) -> None:
    console.print(f"key {result['id']} is revoked; it stops opening within seconds")


def _apply(result: Result) -> None:
    if not result["changes"]:
        console.print(f"nothing to change: the catalog is at version {result['version']}")
        return
    _changes(result)
    if result["draft"] is not None:
        console.print(
            f"this is draft {result['draft']}; the catalog stays at version {result['version']} until another person "
            f"approves it: `meterline drafts show {result['draft']}`"
        )
        return
    done = "would be" if result["dry_run"] else "is now"
    console.print(f"the catalog {done} at version {result['version']}")


def _changes(result: Result, *, whole: bool = False) -> None:
    changes = [
        [change["action"], change["kind"], change["id"], change["before"], change["after"]]
        for change in result["changes"]
    ]
    _table("", ["", "what", "name", "before", "after"], changes, whole=whole)


def _drafts(result: Result) -> None:
    rows = [
        [str(draft["draft"]), draft["by"], draft["when"], _became(draft), str(draft["changes"])]
        for draft in result["drafts"]
    ]
    _table("", ["draft", "by", "when", "state", "changes"], rows, right=(0, 4))


def _became(draft: Result) -> str:
    """A draft's state, and whose doing that is."""
    if draft["state"] == "draft":
        return "draft"
    as_what = f" as version {draft['version']}" if draft["version"] else ""
    why = f": {draft['reason']}" if draft["reason"] else ""
    return f"{draft['state']}{as_what} by {draft['decided_by']}{why}"


def _draft(result: Result) -> None:
    console.print(f"draft {result['draft']} by {result['by']}, {result['when']}: {_became(result)}")
    if not result["changes"]:
        console.print(f"it changes nothing in catalog version {result['against']}: reject it")
        return
    _changes(result, whole=True)  # what is approved is seen whole
    if result["state"] == "draft":
        console.print(
            f"on top of catalog version {result['against']}; who agrees, and is not {result['by']}:\n"
            f"meterline drafts approve {result['draft']} --shown {result['shown']}"
        )


def _draft_decided(result: Result) -> None:
    if "message" in result:
        _changes(result, whole=True)
        console.print(result["message"])
        return
    again = "" if result["new"] else "nothing changed: "
    console.print(f"{again}draft {result['draft']} by {result['by']} is {_became(result)}")


def _close(result: Result) -> None:
    console.print(f"period {result['period']}: {result['message']}")
    rows = [
        ["run", str(result["run"])],
        ["state", result["state"]],
        ["cutoff", f"block {result['cutoff']}"],
        ["catalog", f"version {result['catalog']['version']}, applied {result['catalog']['applied_at']}"],
        ["events", f"{result['events']:,}"],
        ["charges", f"{result['charges']:,}"],
        *[[f"total {currency}", total] for currency, total in result["totals"].items()],
    ]
    _table("", ["", ""], rows, right=(1,))
    _conservation(result)
    if result.get("documents"):
        documents = [[one["id"], one["kind"], one.get("total") or ""] for one in result["documents"]]
        _table("Documents it would make", ["document", "kind", "total"], documents, right=(2,))


def _conservation(result: Result) -> None:
    """Received = accepted + ...; accepted = rated + unrated + other period: in events and in units, per meter."""
    received = result.get("received")
    if received:
        parts = " + ".join(f"{count:,} {name}" for name, count in received["outcomes"].items())
        console.print(f"received {received['total']:,} = {parts}")
    for unit in ("events", "quantity"):
        rows = [[meter, *(f"{line[part][unit]}" for part in _PARTS)] for meter, line in result["conservation"].items()]
        columns = ["meter", *(part.replace("_", " ") for part in _PARTS)]
        _table(f"Conservation in {'events' if unit == 'events' else 'units'}", columns, rows, right=(1, 2, 3, 4, 5))
    for line in result.get("unrated", []):
        console.print(
            f"not rated: {line['events']:,} events of {line['meter']}, {line['quantity']} units: {line['reason']}"
        )


_PARTS = ("accepted", "rated", "unrated", "other_period", "residual")


def _discard(result: Result) -> None:
    console.print(f"run {result['run']} of {result['period']} is discarded; close the period again when you like")


def _release(result: Result) -> None:
    console.print(f"{result['document']} is looked up in the ERP, and posted if it is not there, with the next post")


def _invoices(result: Result) -> None:
    rows = [
        [invoice["id"], line["product"], line["quantity"], f"{line['events']:,}", line["amount"], invoice["currency"]]
        for invoice in result["invoices"]
        for line in invoice["lines"]
    ]
    _table("", ["invoice", "product", "quantity", "events", "amount", ""], rows, right=(2, 3, 4))


def _documents(result: Result) -> None:
    rows = [
        [document["id"], document["kind"], document["state"], document["reference"] or "", document["file"] or ""]
        for document in result["documents"]
    ]
    _table("", ["document", "kind", "state", "reference", "file"], rows)
    if message := result.get("message"):
        console.print(message)


def _trace(result: Result) -> None:
    described = result["described"]
    rows = [
        [name, str(described[name]), str(result[name]), "yes" if described[name] == result[name] else "NO"]
        for name in ("events", "quantity", "digest")
    ]
    line = f":{result['line']}" if result["line"] else ""
    title = f"{result['document']}{line}: {result['charges']:,} charges"
    _table(title, ["", "the document says", "the ledger holds", "same"], rows)
    if result["made_of"]:
        console.print(f"made of {', '.join(result['made_of'])}")
    if result["paid_by_credit"]:
        names = ["grant", "line", "product", "at", "amount"]
        paid = [[one[name] for name in names] for one in result["paid_by_credit"]]
        _table("What credit paid", names, paid, right=(4,))


def _explain(result: Result) -> None:
    for place, charge in enumerate(result["explained"], start=result["line"] or 1):
        _line(f"{charge['customer']}, {charge['contract']}: {charge['product']}, {' to '.join(charge['window'])}")
        if charge["derivation"] is not None:
            _derivation(charge)
        if charge["message"] is not None:
            _line(f"  {charge['message']}")
        for problem in charge["problems"]:
            _line(f"  DOES NOT HOLD: {problem}")
        if charge["unlisted_events"]:
            where = f"{result['document']}:{place}" if result["kind"] == "invoice" else "INVOICE:LINE"
            _line(f"  {charge['unlisted_events']:,} events are in sums: `meterline trace {where} --events` lists all")
    left = result["charges"] - len(result["explained"])
    if left:
        _line(f"and {left:,} charges more: `--limit {result['charges']}` explains all of them")


def _derivation(charge: Result) -> None:
    derived = charge["derivation"]
    _line(f"  {derived['summary']}")
    _line(f"  price, of catalog version {charge['price_version']}: {charge['price']}")
    width = max(len(step["what"]) for step in derived["steps"])
    for step in derived["steps"]:
        _line(f"  {step['number']:>3}  {step['what']:<{width}}  {step['text']}")
    if charge["ok"]:
        _line("  re-evaluated: ok")


def _line(text: str) -> None:
    """As it is: a step is one line, whatever the width."""
    console.print(text, markup=False, soft_wrap=True)


def _verify(result: Result) -> None:
    if result["ok"]:
        console.print(f"everything holds: {result['blocks']:,} blocks, {result['events']:,} events")
        return
    rows = [[problem["where"], problem["what"]] for problem in result["problems"]]
    _table("What does not hold", ["where", "what"], rows)


def _verify_run(result: Result) -> None:
    which = f"run {result['run']} ({result['tenant']}, {result['period']}, {result['state']})"
    if result["ok"]:
        console.print(
            f"{which} holds: at cutoff {result['cutoff']} with catalog version {result['catalog_version']} it gives "
            f"the same {result['charges']:,} charges again"
        )
        return
    _table(f"What differs in {which}", ["where", "what"], [[one["where"], one["what"]] for one in result["problems"]])


def _status(result: Result) -> None:
    parts = " + ".join(f"{count:,} {name}" for name, count in result["outcomes"].items())
    console.print(f"received {result['received']:,} = {parts} (cutoff {result['cutoff']})")
    rows = [[meter, f"{line['events']:,}", line["quantity"]] for meter, line in result["meters"].items()]
    _table("", ["meter", "events", "quantity"], rows, right=(1, 2))


def _quarantine(result: Result) -> None:
    console.print(f"{result['open']:,} events can't be counted")
    _table(
        "", ["events", "reason"], [[f"{count:,}", reason] for reason, count in result["reasons"].items()], right=(0,)
    )
    rows = [
        [row["source"], row["id"], row["type"], row["time"], row["data"], row["reason"].split(":")[0]]
        for row in result["quarantined"]
    ]
    _table("", ["source", "id", "type", "time", "data", "reason"], rows)


def _conflicts(result: Result) -> None:
    rows = []
    for pair in result["conflicts"]:
        for label, copy in (("stands", pair["first"]), ("kept", pair["second"])):
            rows.append([label, copy["source"], copy["id"], copy["subject"], copy["time"], copy["data"]])
    _table(f"{len(result['conflicts'])} conflicts", ["", "source", "id", "subject", "time", "data"], rows)


def _replay(result: Result) -> None:
    console.print(
        f"replayed {result['replayed']:,}: {result['accepted']:,} accepted, {result['duplicates']:,} duplicates, "
        f"{result['conflicts']:,} conflicts; {result['left']:,} still can't be counted"
    )
    if "message" in result:
        console.print(result["message"])


def _what_if(result: Result) -> None:
    for currency, one in result["totals"].items():
        console.print(
            f"{currency}: {one['before']} -> {one['after']} ({one['change']}); {one['winners']:,} customers pay less, "
            f"{one['losers']:,} more, {one['same']:,} the same"
        )
    changed = [one for one in result["customers"] if one["before"] != one["after"]]
    names = ("customer", "before", "after", "change", "currency")
    rows = [[one[name] for name in names] for one in changed[:WHAT_IF_SHOWN]]
    if rows:
        _table("The greatest changes", [*names[:-1], ""], rows, right=(1, 2, 3))
    if len(changed) > len(rows):
        console.print(f"and {len(changed) - len(rows):,} more; --csv FILE writes all of them")


def _credits_grant(result: Result) -> None:
    for one in filter(None, (result, result["bonus"])):
        done = "is granted" if one["new"] else "was there already, and nothing changed"
        console.print(f"{one['id']}: {one['amount']} {one['currency']} for {one['customer']} {done}")


def _credits_void(result: Result) -> None:
    console.print(f"{result['id']} is voided: it pays in no period that is not closed yet")


def _credits_list(result: Result) -> None:
    names = ["id", "customer", "amount", "currency", "kind", "from", "expires"]
    rows = [
        [
            *(str(one[name] or "") for name in names),
            ", ".join(one["products"]),
            one["every"] or "",
            one["created_by"],
            f"{one['reason']} ({one['voided_by']})" if one["voided"] else "",
        ]
        for one in result["grants"]
    ]
    _table("", [*names, "pays", "every", "granted by", "voided for"], rows, right=(2,))


def _credits_balance(result: Result) -> None:
    names = ["id", "customer", "issued", "used", "expired", "voided", "forfeited", "balance", "currency"]
    rows = [[one[name] for name in names] for one in result["grants"]]
    _table(f"Credit at {result['at']}", [*names[:-1], ""], rows, right=(2, 3, 4, 5, 6, 7))
    together = [[one["customer"], one["balance"], one["currency"]] for one in result["balances"]]
    _table("Together", ["customer", "balance", ""], together, right=(1,))


_SHOWN: dict[str, Callable[[Result], None]] = {
    "what-if": _what_if,
    "key": _key,
    "keys": _keys,
    "revoked": _revoked,
    "apply": _apply,
    "drafts": _drafts,
    "drafts show": _draft,
    "drafts approve": _draft_decided,
    "drafts reject": _draft_decided,
    "close": _close,
    "discard": _discard,
    "release": _release,
    "invoices": _invoices,
    "approve": _documents,
    "post": _documents,
    "trace": _trace,
    "explain": _explain,
    "verify": _verify,
    "verify run": _verify_run,
    "status": _status,
    "quarantine": _quarantine,
    "conflicts": _conflicts,
    "replay": _replay,
    "credits grant": _credits_grant,
    "credits void": _credits_void,
    "credits list": _credits_list,
    "credits balance": _credits_balance,
}
