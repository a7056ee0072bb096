"""Ranges rated by workers come out as they do here, whatever becomes of the workers; and no worker outlives us."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import pytest

from ledger.errors import Refused
from rating import beyond_sums, processes, ranges
from rating.lines import lines_of
from rating.match import match
from rating.processes import charged_by
from rating.ranges import Charged, Range, Terms
from rating.spans import spans
from tests.unit.rating.world import CATALOG, DAY_MS, NOVEMBER, NOVEMBER_FIRST_MS, MemoryLedger, Use, terms_of, units

END_S = 60
CUSTOMERS = 6
USAGE = [
    Use(meter, f"s{customer}", NOVEMBER_FIRST_MS + customer * DAY_MS, units(1000 + customer))
    for customer in range(CUSTOMERS)
    for meter in ("api_calls", "gb_out")
]
DYING = (
    sys.executable,
    "-c",
    """
import os, signal
from rating import worker
rated = worker.charged
left = 2
def dying(*of_range):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return rated(*of_range)
worker.charged = dying
worker.main()
""",
)
"""Is killed in its third range."""
HALTING = (sys.executable, "-c", "import os, signal, rating.worker; os.kill(os.getpid(), signal.SIGSTOP)")
ORPHAN = """
import signal, time
from rating import processes
# What is started in the background may be told to ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
processes.charged = lambda *_: time.sleep(60)
from tests.unit.rating.test_processes import rated
start = processes._started
def told():
    worker = start()
    print(worker.pid, flush=True)
    return worker
processes._started = told
rated(2)
"""


def world(text: str = CATALOG) -> tuple[Terms, list[Range]]:
    """A range for each of the lines, with one price of every customer for each meter."""
    customers = [f"  - {{id: c{nth}, name: c, subjects: [s{nth}]}}\n" for nth in range(CUSTOMERS)]
    contracts = [
        f"  - {{id: K-{nth}, customer: c{nth}, plan: standard, entity: DE01, start: 2026-01-01}}\n"
        for nth in range(CUSTOMERS)
    ]
    text = text.replace("contracts:\n", f"{''.join(customers)}contracts:\n") + "".join(contracts)
    book, cuts = terms_of(text)
    ledger, when = MemoryLedger(USAGE), spans(book, NOVEMBER)
    totals = ledger.totals("", cuts, 1)
    lines = lines_of(book, when, totals, match(book, when, totals))
    details = beyond_sums.by_line(book, when, lines, beyond_sums.read(ledger, book, cuts, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranges, "RANGE_ROWS", 1)
        return Terms(book, when, 1), ranges.ranges(lines, details)


def rated(count: int, text: str = CATALOG) -> list[Charged]:
    return charged_by(count, *world(text))


class Workers:
    """Those that were started; this process rates when they are gone, and in the end all of them are."""

    def __init__(self, patch: pytest.MonkeyPatch, program: Sequence[str] = processes.WORKER) -> None:
        self._started: list[subprocess.Popen[bytes]] = []
        start = processes._started

        def started() -> "subprocess.Popen[bytes]":
            self._started.append(start())
            return self._started[-1]

        def patient(terms: Terms, one: Range) -> Charged:
            for worker in self._started:
                worker.wait(END_S)
            return ranges.charged(terms, one)

        patch.setattr(processes, "WORKER", program)
        patch.setattr(processes, "_started", started)
        patch.setattr(processes, "charged", patient)

    def ends(self) -> list[int | None]:
        """How each ended; None for one that is left behind."""
        return [worker.returncode for worker in self._started]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert None not in self.ends()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    with Workers(monkeypatch) as seen:
        yield seen


def test_workers_rate_as_this_process_does(workers: Workers) -> None:
    alone = rated(1)
    assert len(alone) == 2 * CUSTOMERS
    assert workers.ends() == []
    for count in (2, 3):
        found = rated(count)
        assert [one.charges for one in found] == [one.charges for one in alone]
        assert [one.exact.numerator.tolist() for one in found] == [one.exact.numerator.tolist() for one in alone]
    assert workers.ends() == [0, 0, 0]


def test_what_a_killed_worker_left_is_rated_all_the_same(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "WORKER", DYING)
    found = rated(3)
    assert workers.ends() == [-signal.SIGKILL] * 2
    assert [one.charges for one in found] == [one.charges for one in rated(1)]


def test_a_worker_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(monkeypatch, HALTING)
    monkeypatch.setattr(processes, "charged", ranges.charged)
    assert [one.charges for one in rated(2)] == [one.charges for one in rated(1)]
    assert workers.ends() == [-signal.SIGKILL]


def test_a_worker_that_cannot_start_is_done_without(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "WORKER", (sys.executable, "-c", "raise SystemExit(3)"))
    assert [one.charges for one in rated(2)] == [one.charges for one in rated(1)]
    assert workers.ends() == [3]


def test_a_refusal_is_the_first_lines_and_is_raised_here(workers: Workers, capfd: pytest.CaptureFixture[str]) -> None:
    text = CATALOG.replace("0.05", "100000000000000")
    with pytest.raises(Refused, match="contract K-0, meter gb_out") as alone:
        rated(1, text)
    with pytest.raises(Refused) as beside:
        rated(2, text)
    assert str(beside.value) == str(alone.value)
    assert capfd.readouterr().err == ""
    assert workers.ends() == [0]


def test_a_bug_in_a_worker_is_the_bug_it_is_here(workers: Workers, capfd: pytest.CaptureFixture[str]) -> None:
    terms, of_lines = world()
    broken = terms._replace(cutoff="no number")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no number"):
        charged_by(2, broken, of_lines)
    assert workers.ends() == [1]
    assert "no number" in capfd.readouterr().err


def test_an_interrupt_ends_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> Charged:
        raise KeyboardInterrupt

    with Workers(monkeypatch) as workers:
        monkeypatch.setattr(processes, "charged", interrupted)
        with pytest.raises(KeyboardInterrupt):
            rated(3)
        assert len(workers.ends()) == 2


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_the_process_they_work_for(end: signal.Signals) -> None:
    root = Path(__file__).parents[3]
    paths = os.pathsep.join([str(root), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", ORPHAN],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.send_signal(end)
        parent.wait(END_S)
    deadline = time.monotonic() + END_S
    while _runs(worker):
        assert time.monotonic() < deadline, "the worker is left behind"
        time.sleep(0.05)


def _runs(process: int) -> bool:
    """Whether it is there and no zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_workers_start_wherever_this_process_is(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A data directory may be called `ledger`, which is a package's name too."""
    (tmp_path / "ledger").mkdir()
    (tmp_path / "pickle.py").write_text("raise SystemExit(4)")
    monkeypatch.setattr(sys, "path", [path or str(Path.cwd()) for path in sys.path])
    monkeypatch.chdir(tmp_path)
    rated(2)
    assert workers.ends() == [0]
