"""Run what a command asks for on an open installation; the same here and in the running service.

An operation takes the parameters it declares and returns a result that scripts read, with the exit status: 0 done and
true, 1 something does not hold. What is wrong with a request itself is raised, and ends in 2 with nothing changed.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec

from ledger.errors import Refused
from meterline.installation import Installation


class RequestError(Refused):
    """The request itself is wrong; nothing was changed."""


class Output(NamedTuple):
    """Where an operation says how far it is, and puts rows too many for one result."""

    progress: Callable[[str], None]
    row: Callable[[dict[str, Any]], None]


class Outcome(NamedTuple):
    """What an operation found or did."""

    result: dict[str, Any]
    status: int = 0


Asked = TypeVar("Asked", bound=msgspec.Struct)
OPERATIONS: dict[str, tuple[type[msgspec.Struct], Callable[[Installation, Any, Output], Outcome]]] = {}


def operation(
    name: str, asked: type[Asked]
) -> Callable[[Callable[[Installation, Asked, Output], Outcome]], Callable[[Installation, Asked, Output], Outcome]]:
    """Register a function as the operation `name`, which takes `asked`."""

    def register(
        function: Callable[[Installation, Asked, Output], Outcome],
    ) -> Callable[[Installation, Asked, Output], Outcome]:
        OPERATIONS[name] = (asked, function)
        return function

    return register


def run(installation: Installation, name: str, parameters: dict[str, Any], output: Output) -> Outcome:
    """Run the operation `name`; one that changes something waits for the one before it."""
    if name not in OPERATIONS:
        raise RequestError(f"no operation is named {name}: the running service is of another version than this command")
    asked, function = OPERATIONS[name]
    with installation.changing:
        return function(installation, msgspec.convert(parameters, asked), output)
