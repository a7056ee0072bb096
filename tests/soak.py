"""Send many identities one to five times each, in mixed batches, over kills and restarts, and see each counted once.

Every copy of an identity is sent at a random moment, some in another spelling. Now and then the process is killed in
the middle of a block; what was not answered is sent again after the restart. In the end as many are counted as there
are identities, their quantities are exact, and usage rebuilt from `events` is the usage there was.

Run it as `python -m tests.soak --identities 1000000`: it prints one JSON object, and exits with 1 when it does not
hold.
"""

import argparse
import contextlib
import logging
import random
import sys
import tempfile
import time
from collections import deque
from concurrent.futures import Future
from pathlib import Path

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from ledger.ledger import Ledger
from ledger.scale import quantity_text
from metering.intake import Intake, IntakeSettings, StoppedError
from metering.requests import Answer
from tests.faults import Fuse, Kill, cut_short
from tests.place import NOON_MS, Place

COPIES_MAX = 5
BATCH_EVENTS = 2_000
WAITING_MAX = 8
"""How many batches are on their way at once."""
KILLS = 8
FUSE_STATEMENTS_MAX = 6
RESPELLED = 0.002
ANSWER_S = 120


class Figures(msgspec.Struct, frozen=True):
    """What came of it."""

    identities: int
    events_answered: int
    batches_sent_again: int
    restarts: int
    blocks: int
    counted: int
    distinct: int
    usage_events: int
    quantity: str
    quantity_wanted: str
    usage_rebuilt_is_usage: bool
    problems: list[str]
    index_bytes_per_identity: float
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether every identity counts once, and for what it said."""
        counted_once = self.counted == self.distinct == self.usage_events == self.identities
        exact = self.quantity == self.quantity_wanted
        return counted_once and exact and self.usage_rebuilt_is_usage and not self.problems


def millionths(number: int) -> int:
    """What identity `number` measures, in millionths of a unit."""
    return number * 7_919 % 1_000_003


def event(number: int, *, respelled: bool) -> str:
    """The event of identity `number`, written in one of two ways that say the same."""
    spent = f"{millionths(number) // 10**6}.{millionths(number) % 10**6:06}"
    data = f'{{ "gb": "{spent}", "n": {number}.0 }}' if respelled else f'{{"n":{number},"gb":"{spent}"}}'
    time_text = f"2026-10-{1 + number % 31:02}T{number % 24:02}:{number % 60:02}:00Z"
    return (
        f'{{"id":"id-{number // 7}","source":"/svc/{number % 7}","type":"egress","subject":"customer-{number % 1_000}",'
        f'"time":"{time_text}","data":{data}}}'
    )


def shuffled_copies(identities: int, seed: int) -> NDArray[np.int64]:
    """Every identity one to five times, in random order."""
    drawn = np.random.default_rng(seed)
    copies = np.repeat(np.arange(identities), drawn.integers(1, COPIES_MAX + 1, identities))
    drawn.shuffle(copies)
    return copies


def batch(numbers: list[int], chance: random.Random) -> bytes:
    """The events of `numbers`, a few of them in another spelling."""
    return ("[" + ",".join(event(number, respelled=chance.random() < RESPELLED) for number in numbers) + "]").encode()


class Run:
    """One ledger after the other in the same place, and what is still to be answered."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._waiting: deque[tuple[bytes, Future[Answer]]] = deque()
        self.ledger: Ledger
        self.intake: Intake
        self.restarts = self.events = self.sent_again = 0

    def start(self) -> None:
        """Open the ledger and take events in."""
        self.ledger = self._place.ledger()
        self.intake = self._place.new_intake(self.ledger, IntakeSettings(linger_ms=5))

    def send(self, sent: bytes) -> None:
        """Send a batch, when few enough are waiting."""
        self._waiting.append((sent, self.intake.submit("default", sent)))
        while len(self._waiting) > WAITING_MAX:
            self._settle()

    def kill_soon(self, fuse: Fuse, *, derive: bool) -> None:
        """Let the process end when so many statements are executed, be it while usage is derived."""
        cut_short(self.ledger, fuse)
        if derive:
            with contextlib.suppress(Kill):
                self.ledger.derive()

    def finish(self) -> None:
        """Wait for every answer."""
        while self._waiting:
            self._settle()

    def _settle(self) -> None:
        """Wait for the oldest answer; when there is none, restart and send all again that was not answered."""
        _, answer = self._waiting[0]
        try:
            told = answer.result(ANSWER_S)
        except StoppedError:
            again = [sent for sent, _ in self._waiting]
            self._waiting.clear()
            self.restart()
            self.sent_again += len(again)
            self._waiting.extend((sent, self.intake.submit("default", sent)) for sent in again)
            return
        assert told.conflicts == told.quarantined == len(told.rejected) == 0, told
        self.events += told.accepted + told.duplicates
        self._waiting.popleft()

    def restart(self) -> None:
        """End and begin again."""
        self.stop()
        self.restarts += 1
        self.start()

    def stop(self) -> None:
        """Give the engine back."""
        self.intake.close()
        self.ledger.close()


def image(ledger: Ledger) -> dict[str, tuple[int, ...]]:
    """What usage says, whatever steps it was derived in."""
    total: dict[str, tuple[int, ...]] = {}
    for number, *_ in ledger.reading.rows("steps"):
        for meter, many, quantity, *sums in ledger.reading.rows("usage_image", step=number):
            found = (many, int(quantity.scaleb(9)), *sums)
            before = total.get(meter, (0,) * len(found))
            total[meter] = tuple((one + other) % 2**128 for one, other in zip(before, found, strict=True))
    return total


def soak(place: Place, identities: int, seed: int) -> Figures:
    """The whole story in one place."""
    begun = time.monotonic()
    chance = random.Random(seed)
    copies = shuffled_copies(identities, seed)
    every = range(0, len(copies), BATCH_EVENTS)
    kills = set(chance.sample(every, min(KILLS, len(every))))
    run = Run(place)
    run.start()
    for first in every:
        if first in kills:
            run.kill_soon(Fuse(chance.randrange(FUSE_STATEMENTS_MAX)), derive=chance.random() < 0.5)
        run.send(batch(copies[first : first + BATCH_EVENTS].tolist(), chance))
    run.finish()
    run.restart()
    found = figures(place, run, identities, begun)
    run.stop()
    return found


def figures(place: Place, run: Run, identities: int, begun: float) -> Figures:
    """What is in the ledger, counted from each end; run has been restarted, and is once more."""
    ledger = run.ledger
    ((events, quantity),) = ledger.counts("default", 0, NOON_MS, ledger.head.block).values()
    before = image(ledger)
    problems = [f"{problem.where}: {problem.what}" for problem in ledger.problems(lambda _rows: iter(()))]
    for table in ("usage", "usage_steps"):
        place.raw.execute(f"TRUNCATE TABLE {table}")
    run.restart()
    run.ledger.derive()
    return Figures(
        identities=identities,
        events_answered=run.events,
        batches_sent_again=run.sent_again,
        restarts=run.restarts,
        blocks=run.ledger.head.block,
        counted=run.ledger.accepted,
        distinct=run.intake.index.count,
        usage_events=events,
        quantity=quantity_text(quantity),
        quantity_wanted=quantity_text(sum(map(millionths, range(identities))) * 1_000),
        usage_rebuilt_is_usage=image(run.ledger) == before,
        problems=problems,
        index_bytes_per_identity=round(run.intake.index.nbytes / run.intake.index.count, 1),
        seconds=round(time.monotonic() - begun, 1),
    )


def main(arguments: list[str] | None = None) -> int:
    """Soak in a directory of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--identities", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # kills are meant
    with tempfile.TemporaryDirectory(prefix="meterline-soak-") as directory:
        place = Place(Path(directory) / "clickhouse", Path(directory))
        found = soak(place, chosen.identities, chosen.seed)
        place.close()
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
    return 0 if found.holds else 1


if __name__ == "__main__":
    sys.exit(main())
