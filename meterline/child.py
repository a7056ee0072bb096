"""Run `meterline serve` as a process of our own, for the demo, the benches and the tests, until it is not needed."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

LISTENING = re.compile(r"event='listening'.* url='([^']+)'")
START_S = 180
METERLINE = (sys.executable, "-m", "meterline.cli")


class ServiceDidNotStartError(Exception):
    """It ended, or did not listen in time; the message holds its log."""


class ServiceProcess:
    """One `meterline serve` on `data`, listening on a free port; its output goes to `log`."""

    def __init__(self, data: Path, log: Path, *options: str) -> None:
        self.data = data
        with log.open("wb") as file:
            arguments = [*METERLINE, "serve", "--data", str(data), "--port", "0", *options]
            self.process = subprocess.Popen(arguments, stdout=file, stderr=file)
        self.url = self._listening(log)

    def _listening(self, log: Path) -> str:
        """The address the service says it listens on."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := LISTENING.search(log.read_text("utf-8", "replace")):
                return found[1]
            time.sleep(0.02)
        self.process.kill()
        raise ServiceDidNotStartError(f"the service did not start; it said:\n{log.read_text('utf-8', 'replace')}")

    def stop(self) -> int:
        """End it after it finished what it accepted; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: object, ___: TracebackType | None) -> None:
        self.stop()
