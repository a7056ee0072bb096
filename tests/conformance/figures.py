"""What a mapped case gives back, and why one is refused."""

from collections.abc import Callable, Mapping
from typing import Any

Case = Mapping[str, Any]
Figures = dict[str, Any]
Calculation = Callable[[Case], Figures]
"""From a case to the figures under the keys of its `expected`: Fractions, lists and maps of them, and words."""


class RefusedOnPurpose(Exception):
    """The case follows a convention that Meterline does not take over; the message says why."""
