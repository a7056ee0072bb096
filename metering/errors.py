"""What can be wrong with what an emitter sends, sorted by what becomes of it.

BodyRefused  the body can't be read as events: 4xx, nothing is stored
Rejection    one of its items is not an event: said in the answer by index and counted, nothing else is refused
reasons      an event that can't be counted: kept in quarantine under one of the reasons below
"""

import msgspec

NO_METER = "no_meter: no meter takes this event type"
MISSING_VALUE = "value_missing: the meter's value is not in the data"
UNREADABLE_VALUE = "value_unreadable: expected a JSON number, or a string that holds one"
OUT_OF_BOUNDS_VALUE = "value_out_of_bounds: expected at most 10^15 units and 9 decimals"
UNREADABLE_DATA = "data_unreadable: expected an object"
UNREADABLE_DIMENSION = "dimension_unreadable: expected a string, a number, a boolean or nothing"
TOO_OLD = "time_too_old: further back than the ledger's late_days_max"
TOO_EARLY = "time_ahead: further ahead than the ledger's ahead_s_max"
REASONS = (
    "",
    NO_METER,
    MISSING_VALUE,
    UNREADABLE_VALUE,
    OUT_OF_BOUNDS_VALUE,
    UNREADABLE_DATA,
    UNREADABLE_DIMENSION,
    TOO_OLD,
    TOO_EARLY,
)


class BodyRefusedError(Exception):
    """A body that can't be read as events; nothing of it is stored."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail


class Rejection(msgspec.Struct, frozen=True):
    """One item that is not an event: where it stood, what is wrong, and where it said it came from."""

    index: int
    code: str
    reason: str
    source: str = ""
