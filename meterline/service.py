"""Run the service: HTTP, the control socket, and upkeep.

SIGTERM stops taking requests, finishes what was accepted, and ends; a failure of the intake ends the process too,
because only a restart can tell what is stored.
"""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
import uvloop

from ledger.block import Marker
from ledger.errors import Refused
from meterline.app import App
from meterline.connections import bounded
from meterline.control import ControlServer
from meterline.installation import Installation
from meterline.metrics import Metrics
from meterline.upkeep import Upkeep

log = structlog.get_logger()

LOOK_EVERY_S = 0.25
GRACE_S = 30
BACKLOG = 1024


def serve(installation: Installation) -> int:
    """Serve until told to stop; returns the exit status."""
    settings = installation.settings
    listening = _listen(settings.host, settings.port)  # first: it may be refused
    upkeep = Upkeep(installation.ledger, settings.quiet_s, settings.usage_lag_events_max)
    metrics = Metrics(installation, upkeep)

    def block_stored(marker: Marker, seconds: float) -> None:
        metrics.block_stored(marker, seconds)
        upkeep.block_stored()

    installation.intake.on_block = block_stored
    control = ControlServer(installation)
    server = _Server(
        uvicorn.Config(
            App(installation, metrics, upkeep),
            loop="uvloop",
            http=bounded(settings.header_seconds_max),
            lifespan="off",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_told(server, listening, installation))
    finally:
        control.close()
        upkeep.close()
    return 0 if installation.intake.failure is None else 1


class _Server(uvicorn.Server):
    """Ends when told to, and leaves ending the process to us: what was accepted is finished first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are taken before, when the service says that it listens."""
        yield


async def _until_told(server: uvicorn.Server, listening: socket.socket, installation: Installation) -> None:
    """Serve until a signal, or until the intake failed."""

    async def watch() -> None:
        while not server.should_exit:
            server.should_exit = installation.intake.failure is not None
            await asyncio.sleep(LOOK_EVERY_S)
        installation.stopping = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.handle_exit, number, None)
    host, port = listening.getsockname()[:2]  # said now: whoever has read it may end the service
    log.info("listening", url=f"http://{host}:{port}", data=str(installation.directory))
    watching = asyncio.create_task(watch())
    await server.serve(sockets=[listening])
    await watching


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)  # from here on a client waits for us, and is not refused
    except OSError as error:
        listening.close()
        raise Refused(f"can't listen on {host}:{port} ({error.strerror}); choose another with --port") from error
    return listening
