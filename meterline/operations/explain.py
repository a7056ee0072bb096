"""Explain what a document bills: each of its charges step by step, evaluated again and held to what is stored."""

from fractions import Fraction
from typing import Any

import msgspec
import pyarrow as pa

from metering.instants import instant_text
from meterline.installation import Installation
from meterline.operations.proof import behind
from meterline.operations.registry import RequestError, operation
from meterline.outcome import Outcome, Output
from posting.money import money_text
from rating import runs
from rating.explain import Explanation, as_json, explained
from rating.pricing.written import number_text

CHARGES_SHOWN = 20


class Explain(msgspec.Struct, frozen=True):
    """Which document, or which line of it; and how many charges to explain."""

    document: str
    tenant: str = "default"
    limit: int = CHARGES_SHOWN


@operation("explain", Explain, alone=False)
def explain(installation: Installation, asked: Explain, _: Output) -> Outcome:
    """Derive the charges behind a document or one of its lines, the first so many of them."""
    if asked.limit < 1:
        raise RequestError(f"--limit {asked.limit}: expected how many charges to explain, at least 1")
    ledger = installation.ledger
    with installation.relational.connect() as connection:
        found = behind(connection, ledger, asked.tenant, asked.document)
        run = runs.live_run(connection, asked.tenant, found.document.period)
        if run is None or run.id != found.document.run:
            raise RequestError(f"{found.document.id} is of a run that does not stand: close its period again")
        charges = [
            _charge(found.charges.slice(place, 1), explained(ledger, connection, run, found.charges.slice(place, 1)))
            for place in range(min(asked.limit, len(found.charges)))
        ]
    ok = all(charge["ok"] for charge in charges)
    result = {
        "document": found.document.id,
        "line": found.line,
        "kind": found.document.kind,
        "charges": len(found.charges),
        "explained": charges,
        "ok": ok,
    }
    return Outcome(result, 0 if ok else 1)


def _charge(line: pa.Table, explanation: Explanation) -> dict[str, Any]:
    """One charge for scripts: what it says of itself, and how it came to it."""
    (charge,) = line.to_pylist()
    derived = explanation.derivation
    return {
        **{name: charge[name] for name in ("customer", "contract", "plan", "product", "meter", "kind", "currency")},
        "window": [instant_text(charge["window_start"]), instant_text(charge["window_end"])],
        "price": explanation.price,
        "price_version": charge["price_version"],
        "stored": {
            "exact": number_text(Fraction(int(charge["exact_numerator"]), int(charge["exact_denominator"]))),
            "amount": money_text(charge["amount"], charge["currency"]),
        },
        "derivation": None if derived is None else as_json(derived),
        "unlisted_events": 0 if derived is None else derived.unlisted,
        "message": explanation.message,
        "problems": explanation.problems,
        "ok": not explanation.problems,
    }
