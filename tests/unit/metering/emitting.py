"""How the emitter's tests emit: at noon, without waiting, in batches that end by size or flush alone."""

import json
import threading
from typing import Any

from metering.emitter import Emitter, Limits
from tests.scripted_intake import Intake

NOON_MS = 1_793_534_400_000
SLOW = Limits(batch_age_s=3_600)


class QuickClock:
    """Noon, always; notes every pause and makes it a moment."""

    def __init__(self) -> None:
        self.pauses_s: list[float] = []

    def now_ms(self) -> int:
        return NOON_MS

    def pause(self, stop: threading.Event, seconds: float) -> None:
        self.pauses_s.append(seconds)
        stop.wait(0.001)


def emitter_to(intake: Intake, limits: Limits = SLOW, **options: Any) -> Emitter:
    return Emitter(intake.url, "a-key", source="/gateway", limits=limits, **({"clock": QuickClock()} | options))


def emit_some(emitter: Emitter, events: int, subject: str = "acme") -> list[str]:
    return [emitter.emit("egress", subject, {"gb": number}) for number in range(events)]


def ids_of(events: tuple[bytes, ...]) -> list[str]:
    return [json.loads(event)["id"] for event in events]


def sizes(intake: Intake) -> list[int]:
    return [len(json.loads(request.text)) for request in intake.requests]
