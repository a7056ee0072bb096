"""Have everything that is compiled ready before the first event comes: the first start on a machine compiles it."""

import time

import numpy as np
import structlog

from ledger.meters import Meter
from metering.body import Form, is_too_deep
from metering.columns import Admission, Bounds, columns
from metering.events import read_events
from metering.fields import joined
from metering.identity import Hasher, IdentityIndex

log = structlog.get_logger()

METERS = [Meter("warm", "warm", "sum", "a.b", dimensions={"c": "c"})]
EVENT = (
    b'{"id":"1","source":"/","type":"warm","subject":"s","time":"2026-11-01T00:00:00Z","data":{"a":{"b":1},"c":"d"}}'
)
FORMS: tuple[Form, ...] = ("array", "lines")
WORTH_TELLING_S = 1.0


def warm_up(hasher: Hasher) -> None:
    """Bring events through everything that is compiled: one, and several, whose columns have another layout."""
    begun = time.monotonic()
    is_too_deep(EVENT)
    read = [read_events(EVENT, form, 1)[0] for form in FORMS]
    for events in (joined(read[:1]), joined(read)):
        made = columns("", events, Admission(0, {"": METERS}), hasher, Bounds(), 0)
        index = IdentityIndex()
        index.remember(made.identity, made.content, np.zeros(events.size, np.uint32))
        index.find(made.identity)
    took = time.monotonic() - begun
    if took > WORTH_TELLING_S:
        log.info("compiled", seconds=round(took, 1))
