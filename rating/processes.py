"""Rate ranges of lines in several processes: this one goes through them from the first on, workers from the last back.

Where this process comes to a range without an answer, it rates it itself. So a worker that starts slowly, hangs or is
killed costs its time and nothing else, and an error is raised here, the first range's first, as it is without workers.

The embedded engine does not survive a fork: workers are programs of their own. They know their pipes and no ledger, and
end when these do, whatever became of us.
"""

import os
import pickle  # between processes of ours: nobody else writes to their pipes
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rating.ranges import Charged, Range, Terms, charged

# Not from the directory that we happen to be in, where a data directory may be named like a package.
WORKER = (sys.executable, "-P", "-m", "rating.worker")
PICKLED = 5
"""The protocol that writes a column as it lies in memory."""


def charged_by(processes: int, terms: Terms, ranges: Sequence[Range]) -> list[Charged]:
    """The charges of all ranges, in their order."""
    found: list[Charged | None] = [None] * len(ranges)

    def charged_at(place: int) -> Charged:
        return found[place] or charged(terms, ranges[place])

    # Most of rating a range holds no lock: two of them take a little more than the time of one.
    with _workers(min(processes, len(ranges)) - 1, terms, ranges, found), ThreadPoolExecutor(2) as rating:
        return list(rating.map(charged_at, range(len(ranges))))


@contextmanager
def _workers(count: int, terms: Terms, ranges: Sequence[Range], found: list[Charged | None]) -> Iterator[None]:
    """While it holds, `count` workers fill in what is `found`."""
    if count < 1:
        yield
        return
    # Once, and before we begin to rate: what rating notes down in a book can't be written while it changes.
    said = pickle.dumps(terms, PICKLED)
    last_first = iter(range(len(ranges) - 1, -1, -1))
    with ThreadPoolExecutor(count) as asking, ExitStack() as ends:
        asked = []
        for _ in range(count):
            worker = _started()
            ends.callback(worker.kill)
            asked.append(asking.submit(_ask, worker, said, ranges, last_first, found))
        yield
    for one in asked:
        one.result()


def _started() -> "subprocess.Popen[bytes]":
    """A worker, in a group of its own: what a terminal sends to everyone is for us to answer."""
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    environment = os.environ | {"PYTHONPATH": paths}
    pipe = subprocess.PIPE
    return subprocess.Popen(WORKER, stdin=pipe, stdout=pipe, env=environment, process_group=0)


def _ask(
    worker: "subprocess.Popen[bytes]",
    terms: bytes,
    ranges: Sequence[Range],
    places: Iterator[int],
    found: list[Charged | None],
) -> None:
    """Have `worker` rate one range after the other until it meets us, or is gone: what it leaves is rated here."""
    with suppress(OSError, EOFError, pickle.UnpicklingError), worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(terms)
        for place in places:
            if found[place] is not None:
                return
            pickle.dump(ranges[place], worker.stdin, PICKLED)
            worker.stdin.flush()
            found[place] = pickle.load(worker.stdout)  # noqa: S301 - our own answer
