"""Say what an operation tells: while it runs, and in the end."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Output(NamedTuple):
    """Where an operation says how far it is, and puts rows too many for one result."""

    progress: Callable[[str], None]
    row: Callable[[dict[str, Any]], None]


class Outcome(NamedTuple):
    """What an operation found or did."""

    result: dict[str, Any]
    status: int = 0
