"""Say what `meterline credits` takes."""

import argparse
from collections.abc import Callable
from typing import Any

Operation = Callable[[str, list[str]], Any]
"""A command that is the operation of a name, with the arguments of some names as its parameters."""

GRANT = [
    *("tenant", "id", "customer", "amount", "currency", "kind", "name", "effective", "expires", "products"),
    *("priority", "cost_basis", "every", "rollover_min", "rollover_max", "bonus", "bonus_expires", "actor"),
]


def add(commands: Any, parents: list[argparse.ArgumentParser], by: argparse.ArgumentParser, run: Operation) -> None:
    """The actions of `credits`, each run as the operation of its name."""
    actions = commands.add_parser("credits", help="credit of customers").add_subparsers(required=True, metavar="ACTION")
    inner = [*parents, by]
    grant = actions.add_parser("grant", parents=inner, help="give a customer credit; the same grant again adds none")
    grant.add_argument("id", metavar="ID")
    for name, metavar, says in (
        ("customer", "C", "whose"),
        ("amount", "AMOUNT", "how much; of a recurring grant, each time"),
        ("currency", "EUR", "it pays invoices in this currency"),
        ("kind", "prepaid|promotional|recurring", "whether it was paid for, given away, or comes back"),
    ):
        grant.add_argument(f"--{name}", required=True, metavar=metavar, help=says)
    for name, metavar, says in (
        ("name", "TEXT", "what an invoice calls it (default: its id)"),
        ("expires", "DATE", "the first day on which it is gone (default: never)"),
        ("priority", "0..1000", "the lowest burns first (default: 0)"),
        ("cost-basis", "PRICE", "what the customer paid for a unit of it (default: 1 if prepaid, else 0)"),
        ("every", "P1M", "how often a recurring grant is filled up, from its first day on"),
        ("rollover-min", "AMOUNT", "how much of a recurring grant there is at least when it is filled up (default: 0)"),
        ("rollover-max", "AMOUNT", "how much of a recurring grant stays when it is filled up (default: the minimum)"),
        ("bonus-expires", "DATE", "the first day on which the bonus is gone (default: as what was paid)"),
    ):
        grant.add_argument(f"--{name}", metavar=metavar, help=says)
    grant.add_argument("--from", dest="effective", metavar="DATE", help="the first day (default: today)")
    grant.add_argument("--product", dest="products", action="append", default=[], metavar="P", help="pays this alone")
    grant.add_argument(
        "--bonus",
        action="append",
        default=[],
        metavar="BONUS",
        help="given away on top of what was paid: 10 or 5%%, or from an amount on, 100:5%% (of several, the highest)",
    )
    grant.set_defaults(priority="0", run=run("credits grant", GRANT), show="credits grant")
    void = actions.add_parser("void", parents=inner, help="let a grant pay nothing more")
    void.add_argument("id", metavar="ID")
    void.add_argument("--reason", required=True)
    void.set_defaults(run=run("credits void", ["tenant", "id", "reason", "actor"]), show="credits void")
    for name, asked, says in (
        ("list", ["tenant", "customer"], "every grant, with its terms"),
        ("balance", ["tenant", "customer", "at"], "what is left of it"),
    ):
        one = actions.add_parser(name, parents=parents, help=says)
        one.add_argument("--customer", metavar="C", help="of this customer alone")
        if "at" in asked:
            one.add_argument("--at", metavar="DATE", help="at the end of this day (default: now)")
        one.set_defaults(run=run(f"credits {name}", asked), show=f"credits {name}")
