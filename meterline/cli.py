"""The command line: what is asked becomes an operation, what it found becomes a table or, with --json, one object.

Exit status: 0 done and true; 1 something does not hold; 2 the request itself is wrong, and nothing was changed.
"""

import argparse
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from meterline import credit_commands
from meterline.settings import Settings, SettingsError, from_process

BENCHES = ("ingest", "close", "rate", "what-if")
NUMBER_MAX = 2**31 - 1
BY = "On one machine the name is what is typed: that a second person approves is a discipline there, and not a proof."


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    asked = _parser().parse_args(arguments)
    _log_to_standard_error()
    try:
        settings = from_process(file=asked.config, data=asked.data)
        return int(asked.run(settings, asked))
    except SettingsError as error:
        return _fail(str(error), 2)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the output has seen enough
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="meterline", description="Usage events, counted once, billed and posted.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    common, of_tenant = _common(), _of_tenant("default")
    demo = commands.add_parser("demo", parents=[common], help="the whole story on synthetic usage, embedded")
    demo.set_defaults(run=_demo)
    serve = commands.add_parser("serve", parents=[common], help="the service: events in, questions answered")
    serve.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (default: 8080; 0: any)")
    serve.set_defaults(run=_serve)
    _add_keys(commands, common)
    _add_catalog(commands, [common, of_tenant])
    _add_billing(commands, [common, of_tenant])
    credit_commands.add(commands, [common, of_tenant], _by(), _operation)
    _add_evidence(commands, [common, of_tenant])
    bench = commands.add_parser("bench", help="figures beside a baseline measured in the same run")
    bench.add_argument("name", choices=BENCHES)
    bench.add_argument("options", nargs=argparse.REMAINDER, help="see `meterline bench NAME --help`")
    bench.set_defaults(run=_bench, config=None, data=None)
    return parser


def _common(default: str | None = None) -> argparse.ArgumentParser:
    """What every command takes; with SUPPRESS, an action leaves what was given before it as it is."""
    common = argparse.ArgumentParser(add_help=False, argument_default=default)
    common.add_argument("--data", metavar="DIR", help="directory of the ledger (default: meterline-data)")
    common.add_argument("--config", type=Path, metavar="FILE", help="settings (default: meterline.toml, if there)")
    common.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return common


def _of_tenant(default: str) -> argparse.ArgumentParser:
    of_tenant = argparse.ArgumentParser(add_help=False)
    of_tenant.add_argument("--tenant", default=default, metavar="T", help="whose (default: default)")
    return of_tenant


def _by() -> argparse.ArgumentParser:
    by = argparse.ArgumentParser(add_help=False)
    by.add_argument("--actor", metavar="NAME", help="who does this (default: the operating system's user)")
    return by


def _add_keys(commands: Any, common: argparse.ArgumentParser) -> None:
    keys = commands.add_parser("keys", help="API keys").add_subparsers(required=True, metavar="ACTION")
    create = keys.add_parser("create", parents=[common], help="make a key; prints it, once")
    create.add_argument("--tenant", default="default", metavar="T")
    create.add_argument("--scope", dest="scopes", action="append", required=True, metavar="ingest|read")
    create.set_defaults(run=_operation("keys create", ["tenant", "scopes"]), show="key")
    keys.add_parser("list", parents=[common], help="every key, without its text").set_defaults(
        run=_operation("keys list", []), show="keys"
    )
    for action, says in (("rotate", "a second key that may do the same"), ("revoke", "end a key")):
        one = keys.add_parser(action, parents=[common], help=says)
        one.add_argument("key", metavar="ID")
        one.set_defaults(run=_operation(f"keys {action}", ["key"]), show="key" if action == "rotate" else "revoked")


def _add_catalog(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    by = _by()
    apply = commands.add_parser(
        "apply", parents=[*parents, by], epilog=BY, help="meters, prices, customers, contracts from a file"
    )
    apply.add_argument("file", type=Path, metavar="FILE")
    apply.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    apply.set_defaults(run=_apply, show="apply")

    drafts = commands.add_parser("drafts", parents=parents, help="catalog files that wait for a second person")
    drafts.set_defaults(run=_operation("drafts", ["tenant"]), show="drafts")
    actions = drafts.add_subparsers(metavar="ACTION", title="actions (without one: list every draft)")
    inner = [_common(argparse.SUPPRESS), _of_tenant(argparse.SUPPRESS)]
    show = actions.add_parser("show", parents=inner, help="what a draft changes in today's catalog")
    approve = actions.add_parser(
        "approve", parents=[*inner, by], epilog=BY, help="make another person's draft the next version"
    )
    approve.add_argument(
        "--shown", required=True, metavar="DIGEST", help="of the difference, as `drafts show` printed it"
    )
    reject = actions.add_parser("reject", parents=[*inner, by], epilog=BY, help="drop a draft")
    reject.add_argument("--reason", required=True, metavar="R", help="why")
    for name, action, parameters in (
        ("show", show, []),
        ("approve", approve, ["shown", "actor"]),
        ("reject", reject, ["reason", "actor"]),
    ):
        action.add_argument("number", type=_number, metavar="N")
        action.set_defaults(run=_operation(f"drafts {name}", ["tenant", "number", *parameters]), show=f"drafts {name}")


def _number(text: str) -> int:
    """The number of something that is numbered from 1 on."""
    if not text.isdecimal() or not 1 <= int(text) <= NUMBER_MAX:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, found {text!r}")
    return int(text)


def _add_billing(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    close = commands.add_parser("close", parents=parents, help="fix the cutoff, rate a period, make its documents")
    close.add_argument("period", metavar="YYYY-MM")
    either = close.add_mutually_exclusive_group()
    either.add_argument("--dry-run", action="store_true", help="show every invoice and journal, and write nothing")
    either.add_argument("--discard", metavar="REASON", help="take back a close that is not approved yet")
    close.add_argument("--cutoff", metavar="C", help="with --dry-run: as it was known at this cutoff")
    close.add_argument(
        "--prices-as-of", metavar="DATE", help="with --dry-run: at the newest catalog of the end of this day (UTC)"
    )
    close.set_defaults(run=_close, show="close")
    what_if = commands.add_parser("what-if", parents=parents, help="closed periods at the prices of a file")
    what_if.add_argument("file", type=Path, metavar="FILE")
    what_if.add_argument("--period", required=True, metavar="YYYY[-MM]", help="a closed period, or all of a year")
    what_if.add_argument("--csv", type=Path, metavar="FILE", help="write every customer there")
    what_if.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots there")
    what_if.set_defaults(run=_what_if, show="what-if")
    for name, says in (
        ("invoices", "the invoices of a period"),
        ("approve", "let a period's documents be posted"),
        ("post", "send approved documents to the ERP, each once"),
    ):
        one = commands.add_parser(name, parents=parents, help=says)
        one.add_argument("period", metavar="YYYY-MM")
        one.set_defaults(run=_operation(name, ["tenant", "period"]), show=name)
    release = commands.add_parser("release", parents=parents, help="let a document the ERP refused be posted again")
    release.add_argument("document", metavar="DOCUMENT")
    release.set_defaults(run=_operation("release", ["tenant", "document"]), show="release")


def _add_evidence(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    trace = commands.add_parser("trace", parents=parents, help="from a document's line down to its events")
    trace.add_argument("document", metavar="DOCUMENT[:LINE]")
    trace.add_argument("--events", action="store_true", help="the events themselves, a line of JSON each")
    trace.set_defaults(run=_trace, show="trace")
    explain = commands.add_parser("explain", parents=parents, help="how a document's amounts came about, step by step")
    explain.add_argument("document", metavar="DOCUMENT[:LINE]")
    explain.add_argument("--limit", type=int, default=20, help="how many charges to explain (default: 20)")
    explain.set_defaults(run=_operation("explain", ["tenant", "document", "limit"]), show="explain")
    verify = commands.add_parser("verify", parents=parents, help="check everything against itself")
    verify.add_argument("--run", dest="number", type=_number, metavar="N", help="rate only this run again")
    verify.set_defaults(run=_verify, show="verify")
    status = commands.add_parser(
        "status", parents=parents, help="what was taken in, from where, and what it adds up to"
    )
    status.set_defaults(run=_operation("status", ["tenant"]), show="status")
    for name, says in (
        ("quarantine", "events that could not be counted, with the reason"),
        ("conflicts", "second bodies under an identity that was taken"),
    ):
        one = commands.add_parser(name, parents=parents, help=says)
        one.add_argument("--limit", type=_how_many, default=1000, metavar="N", help="how many to show (default: 1000)")
        one.set_defaults(run=_operation(name, ["tenant", "limit"]), show=name)
    replay = commands.add_parser("replay", parents=parents, help="count what is in quarantine and can be by now")
    replay.add_argument("--source", help="only events of this source")
    replay.add_argument("--id", help="only the event with this id")
    replay.set_defaults(run=_operation("replay", ["tenant", "source", "id"]), show="replay")


def _how_many(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number from 1 to 999999999")
    return int(text)


def _operation(name: str, parameters: list[str]) -> Any:
    """A command that is one operation whose parameters are the arguments of these names."""

    def command(settings: Settings, asked: argparse.Namespace) -> int:
        return _operate(settings, asked, name, {parameter: getattr(asked, parameter) for parameter in parameters})

    return command


def _operate(
    settings: Settings,
    asked: argparse.Namespace,
    name: str,
    parameters: dict[str, Any],
    keep: Callable[[dict[str, Any]], None] = lambda _: None,
) -> int:
    """Run an operation and show what it found; `keep` puts it into files before that."""
    from meterline.client import FailedError, operate
    from meterline.tables import show

    try:
        outcome = operate(settings, name, parameters)
        keep(outcome.result)
    except FailedError as failed:
        return _fail(str(failed), failed.status)
    except OSError as error:
        return _fail(str(error), 1)
    if asked.json:
        print(json.dumps(outcome.result))
    else:
        show(asked.show, outcome.result)
    return outcome.status


def _apply(settings: Settings, asked: argparse.Namespace) -> int:
    return _with_file(settings, asked, "apply", {"dry_run": asked.dry_run, "actor": asked.actor})


def _what_if(settings: Settings, asked: argparse.Namespace) -> int:
    from meterline.what_if_page import as_csv, as_page

    def keep(result: dict[str, Any]) -> None:
        for file, text in ((asked.csv, as_csv), (asked.html, as_page)):
            if file is not None:
                file.write_text(text(result), "utf-8")

    return _with_file(settings, asked, "what-if", {"period": asked.period}, keep)


def _with_file(
    settings: Settings,
    asked: argparse.Namespace,
    name: str,
    parameters: dict[str, Any],
    keep: Callable[[dict[str, Any]], None] = lambda _: None,
) -> int:
    """An operation on a catalog file, which the service may have no right to read."""
    try:
        text = asked.file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return _fail(f"{asked.file}: {error}", 2)
    of_file = {"tenant": asked.tenant, "text": text, "file": str(asked.file)}
    return _operate(settings, asked, name, of_file | parameters, keep)


def _close(settings: Settings, asked: argparse.Namespace) -> int:
    if asked.cutoff is not None or asked.prices_as_of is not None:
        if not asked.dry_run:
            return _fail("--cutoff and --prices-as-of look back and write nothing: add --dry-run", 2)
        names = ("tenant", "period", "cutoff", "prices_as_of")
        return _operate(settings, asked, "close as known", {name: getattr(asked, name) for name in names})
    if asked.discard is not None:
        asked.show = "discard"
        parameters = {"tenant": asked.tenant, "period": asked.period, "reason": asked.discard}
        return _operate(settings, asked, "discard", parameters)
    parameters = {"tenant": asked.tenant, "period": asked.period, "dry_run": asked.dry_run}
    return _operate(settings, asked, "close", parameters)


def _verify(settings: Settings, asked: argparse.Namespace) -> int:
    if asked.number is None:
        return _operate(settings, asked, "verify", {})
    asked.show = "verify run"
    return _operate(settings, asked, "verify run", {"run": asked.number})


def _trace(settings: Settings, asked: argparse.Namespace) -> int:
    parameters = {"tenant": asked.tenant, "document": asked.document, "events": asked.events}
    if not asked.events:
        return _operate(settings, asked, "trace", parameters)
    from meterline.client import FailedError, operate, progress

    try:
        outcome = operate(settings, "trace", parameters, row=lambda row: print(json.dumps(row)))
    except FailedError as failed:
        return _fail(str(failed), failed.status)
    progress(json.dumps(outcome.result))
    return outcome.status


def _serve(settings: Settings, asked: argparse.Namespace) -> int:
    from ledger.errors import Damaged, LedgerError, Refused
    from meterline.installation import Installation
    from meterline.service import serve

    settings = from_process(file=asked.config, data=asked.data, host=asked.host, port=asked.port)
    try:
        with Installation(settings) as installation:
            return serve(installation)
    except Damaged as damage:
        return _fail(f"{damage}. Run `meterline verify`, and keep the directory as it is", 1)
    except Refused as refusal:
        return _fail(str(refusal), 2)
    except LedgerError as error:
        return _fail(str(error), 1)


def _demo(_: Settings, asked: argparse.Namespace) -> int:
    from meterline.demo import demo

    return demo(Path(asked.data or "demo-data"), json_only=asked.json)


def _bench(_: Settings, asked: argparse.Namespace) -> int:
    """Benches stay outside the product: each is a program of its own."""
    return subprocess.run(
        [sys.executable, "-m", f"bench.{asked.name.replace('-', '_')}", *asked.options], check=False
    ).returncode


def _log_to_standard_error() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )


def _fail(message: str, status: int) -> int:
    print(f"meterline: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
