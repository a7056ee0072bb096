"""Run what a command asks for on an open installation; the same here and in the running service.

An operation takes the parameters it declares and returns a result that scripts read, with the exit status: 0 done and
true, 1 something does not hold. What is wrong with a request itself is raised, and ends in 2 with nothing changed.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple, TypeVar

import msgspec

from ledger.errors import Refused
from meterline.installation import Installation
from meterline.outcome import Outcome, Output


class RequestError(Refused):
    """The request itself is wrong; nothing was changed."""


Asked = TypeVar("Asked", bound=msgspec.Struct)


class Operation(NamedTuple):
    """What a command may ask for."""

    asked: type[msgspec.Struct]
    function: Callable[[Installation, Any, Output], Outcome]
    alone: bool


OPERATIONS: dict[str, Operation] = {}


def operation(
    name: str, asked: type[Asked], *, alone: bool = True
) -> Callable[[Callable[[Installation, Asked, Output], Outcome]], Callable[[Installation, Asked, Output], Outcome]]:
    """Register a function as the operation `name`, which takes `asked`.

    One that only reads, or is one transaction, need not be `alone`: a key is revoked while a post goes on.
    """

    def register(
        function: Callable[[Installation, Asked, Output], Outcome],
    ) -> Callable[[Installation, Asked, Output], Outcome]:
        OPERATIONS[name] = Operation(asked, function, alone)
        return function

    return register


def run(installation: Installation, name: str, parameters: dict[str, Any], output: Output) -> Outcome:
    """Run the operation `name`; one that has to be alone waits for the one before it."""
    if name not in OPERATIONS:
        raise RequestError(f"no operation is named {name}: the running service is of another version than this command")
    asked, function, alone = OPERATIONS[name]
    with installation.changing if alone else nullcontext():
        return function(installation, msgspec.convert(parameters, asked), output)
