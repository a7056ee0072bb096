"""Whatever the network and the service do, every emitted event is counted once and accounted for."""

import contextlib
import json
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from metering.emitter import Emitter, Limits, NotAcknowledged
from tests.scripted_intake import Step, scripted_intake

steps = st.sampled_from(
    [
        Step(),
        Step(503),
        Step(429, headers=(("Retry-After", "1"),)),
        Step(413),
        Step(200, body=b"{}"),
        Step(fault="is cut before it is stored"),
        Step(fault="is cut after it is stored"),
        Step(503, fault="answers before it has read the body"),
    ]
)


class NoPause:
    def now_ms(self) -> int:
        return 1_793_534_400_000

    def pause(self, stop: threading.Event, seconds: float) -> None:
        """The script ends, so a try at once ends too."""


@given(
    script=st.lists(steps, max_size=8),
    subjects=st.lists(st.sampled_from(["acme", "rejected", "quarantined"]), min_size=2, max_size=30),
    batch_events_max=st.integers(2, 12),
    gzip_bytes_min=st.sampled_from([1, 1 << 30]),
)
@settings(max_examples=60)
def test_every_event_is_counted_once(
    script: list[Step], subjects: list[str], batch_events_max: int, gzip_bytes_min: int
) -> None:
    limits = Limits(batch_events_max=batch_events_max, batch_age_s=3_600)
    with scripted_intake(*script) as intake:
        emitter = Emitter(
            intake.url, "k", source="/s", limits=limits, gzip_bytes_min=gzip_bytes_min, clock=NoPause(), timeout_s=10
        )
        sent = {emitter.emit("egress", subject, {}): subject for subject in subjects}
        # A 413 for one event alone is a refusal; the caller has that event back.
        with contextlib.suppress(NotAcknowledged):
            emitter.flush(60)
        refused = {json.loads(event)["id"] for part in emitter.take_unacknowledged() for event in part.events}
        emitter.close()
    answered = [subject for identity, subject in sent.items() if identity not in refused]
    counts = emitter.counts
    assert counts.accepted + counts.duplicates == answered.count("acme")
    assert (counts.rejected, counts.quarantined) == (answered.count("rejected"), answered.count("quarantined"))
    assert counts.conflicts == 0
    acme = {identity for identity, subject in sent.items() if subject == "acme"}
    assert acme - refused <= set(intake.stored) <= acme
