"""Run an operation where it has to run: in the service that holds the data directory, or here when there is none."""

import sys
from collections.abc import Callable
from typing import Any

from ledger.errors import Damaged, LedgerError, Refused
from meterline.outcome import Outcome, Output
from meterline.settings import Settings
from meterline.wire import ask, connect


class FailedError(Exception):
    """The operation did not end: what to tell, and the exit status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


BEGINNINGS = ("apply", "keys create")
"""What a new ledger begins with, beside `serve`; asked anything else, a directory without one was mistyped."""


def operate(
    settings: Settings, operation: str, parameters: dict[str, Any], row: Callable[[dict[str, Any]], None] | None = None
) -> Outcome:
    """The outcome of `operation`; rows go to `row`, progress to standard error."""
    output = Output(progress, row or (lambda _: None))
    try:
        connection = connect(settings.data_directory)
    except PermissionError as error:
        raise FailedError(f"{settings.data_directory} is not yours to open: {error.strerror}", 2) from error
    if connection is None:
        return _here(settings, operation, parameters, output)
    for line in ask(connection, operation, parameters):
        if line.progress is not None:
            output.progress(line.progress)
        elif line.row is not None:
            output.row(line.row)
        elif line.failure is not None:
            raise FailedError(line.failure, line.status)
        elif line.result is not None:
            return Outcome(line.result, line.status)
    raise FailedError("the service went away before it answered: see its log, then ask again", 1)


def _here(settings: Settings, operation: str, parameters: dict[str, Any], output: Output) -> Outcome:
    # Imported where it is needed: that takes a second, and a command to a running service has no use for it.
    from meterline.installation import Installation, is_begun
    from meterline.operations import run

    if operation not in BEGINNINGS and not is_begun(settings):
        raise FailedError(f"{settings.data_directory} holds no ledger: name the directory with --data", 2)
    try:
        with Installation(settings) as installation:
            return run(installation, operation, parameters, output)
    except Damaged as damage:
        if operation == "verify":
            problem = {"where": damage.where, "what": damage.what}
            return Outcome({"ok": False, "blocks": 0, "events": 0, "problems": [problem]}, 1)
        raise FailedError(f"{damage}. Run `meterline verify`, and keep the directory as it is", 1) from damage
    except Refused as refusal:
        raise FailedError(str(refusal), 2) from refusal
    except LedgerError as error:
        raise FailedError(str(error), 1) from error


def progress(text: str) -> None:
    """Say how far it is; standard output is for results alone."""
    print(text, file=sys.stderr, flush=True)
