"""What product services send usage with: each event buffered, sent in batches, and retried under one id until answered.

    from metering.emitter import Emitter

    with Emitter("https://meterline.internal:8080", key, source="/gateway/eu-1") as emitter:
        emitter.emit("egress", "acme-prod", {"gb": Decimal("0.25"), "region": "eu"})

`emit` returns at once; one thread sends. An event is acknowledged when the service has answered for it, and then it is
durable there. What the service refuses or has not answered for by the end is never dropped: `take_unacknowledged`.

EmitterError
+-- InvalidEvent (also a ValueError): this event can't be sent; correct the call
+-- BufferFull: the service is behind or away; slow down, or keep the event and emit it later
+-- NotAcknowledged: flush or close ran out of time, or the service refused a batch; see `take_unacknowledged`
+-- Closed: the emitter was closed, or has a bug that stopped it
"""

from metering.emitter.buffer import Limits, Unacknowledged
from metering.emitter.emitter import Counts, Emitter, Rejection
from metering.emitter.errors import BufferFull, Closed, EmitterError, InvalidEvent, NotAcknowledged
from metering.emitter.sender import Backoff

__all__ = [
    "Backoff",
    "BufferFull",
    "Closed",
    "Counts",
    "Emitter",
    "EmitterError",
    "InvalidEvent",
    "Limits",
    "NotAcknowledged",
    "Rejection",
    "Unacknowledged",
]
