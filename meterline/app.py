"""The HTTP face of one installation: events in on a bare path, questions and health through a small framework."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ledger.errors import LedgerError
from ledger.meters import meters_at
from metering.keys import Key
from meterline.asgi import Receive, Scope, Send, answer_problem
from meterline.credits_report import credits_asked
from meterline.events_endpoint import EventsEndpoint
from meterline.installation import Installation
from meterline.keyring import Keyring
from meterline.metrics import Metrics
from meterline.problems import Problem
from meterline.reports import Query, QuestionError, events_report, usage_report
from meterline.upkeep import Upkeep

log = structlog.get_logger()

Report = Callable[[Installation, str, Query], dict[str, Any]]


class App:
    """ASGI: POST /v1/events takes the short way, everything else goes through the router."""

    def __init__(self, installation: Installation, metrics: Metrics, upkeep: Upkeep) -> None:
        self._metrics = metrics
        keyring = Keyring(installation.relational)
        settings = installation.settings
        self._events = EventsEndpoint(installation.intake, keyring, settings.body_bytes_max, settings.body_seconds_max)
        self._others = _router(installation, keyring, metrics, upkeep)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a bug is logged and answered as one."""
        if scope["type"] != "http" or scope["path"] != "/v1/events" or scope["method"] != "POST":
            await self._others(scope, receive, send)
            return
        try:
            status = await self._events(scope, receive, send)
        except Exception:
            log.exception("request failed")
            detail = "a bug on our side; the events may be stored: send them again, what was stored counts once"
            status = await answer_problem(send, Problem("Internal error", 500, detail))
        self._metrics.requests.labels(str(status)).inc()


def _router(installation: Installation, keyring: Keyring, metrics: Metrics, upkeep: Upkeep) -> Starlette:
    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        failure = installation.intake.failure
        if failure is None and not installation.stopping:
            # Events are taken and counted all the same, so it stays ready.
            put_off = f"; upkeep is put off: {upkeep.trouble}" if upkeep.trouble else ""
            trouble = installation.ledger.anchor_trouble
            unanchored = f"; a cut tail would not be seen, the head can't be anchored: {trouble}" if trouble else ""
            return PlainTextResponse(f"ready{put_off}{unanchored}\n")
        reason = "stopping" if failure is None else f"the intake stopped: {failure}"
        return PlainTextResponse(f"not ready: {reason}\n", 503)

    async def metrics_page(_: Request) -> Response:
        text = await asyncio.to_thread(metrics.text)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    # Reports share one reader. Those that wait for it hold no thread: without one left, the metrics would wait too.
    turn = asyncio.Lock()
    app = Starlette(
        routes=[
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/metrics", metrics_page),
            Route("/v1/usage", _reading(installation, keyring, turn, _usage)),
            Route("/v1/events", _reading(installation, keyring, turn, _events)),
            Route("/v1/credits", _reading(installation, keyring, turn, credits_asked)),
        ],
        exception_handlers={404: _not_found, 405: _not_allowed, 500: _failed},
    )
    # An emitter that follows a redirect sends its body twice, or not at all: it is told the path instead.
    app.router.redirect_slashes = False
    return app


def _reading(
    installation: Installation, keyring: Keyring, turn: asyncio.Lock, report: Report
) -> Callable[[Request], Any]:
    """An endpoint that answers `report` to whoever has the scope read; `turn` is one for all of them."""

    async def endpoint(request: Request) -> Response:
        key = keyring.holder(request.headers.get("authorization", ""))
        if refusal := _refusal(key):
            return _problem(refusal)
        assert key is not None
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        try:
            async with turn:
                return JSONResponse(await asyncio.to_thread(report, installation, key.tenant, query))
        except QuestionError as error:
            return _problem(Problem("Question not understood", 400, str(error)))
        except LedgerError as error:
            log.exception("report failed")
            return _problem(Problem("Not available", 503, str(error), retry_after_s=1))

    return endpoint


def _refusal(key: Key | None) -> Problem | None:
    if key is None:
        return Problem("No key", 401, "expected Authorization: Bearer KEY, in force")
    if "read" not in key.scopes:
        return Problem("Not allowed", 403, f"key {key.id} has no scope read")
    return None


def _usage(installation: Installation, tenant: str, query: Query) -> dict[str, Any]:
    with installation.relational.connect() as connection:
        version = installation.intake.admission.catalog
        meters = meters_at(connection, version, tenant).get(tenant, [])
    return usage_report(installation.ledger, tenant, meters, query)


def _events(installation: Installation, tenant: str, query: Query) -> dict[str, Any]:
    intake = installation.intake
    return events_report(installation.ledger, intake.index, intake.hasher, tenant, query)


def _problem(problem: Problem) -> Response:
    headers = {name.decode(): value.decode() for name, value in problem.headers()}
    return Response(problem.body(), problem.status, headers)


async def _not_found(request: Request, _: Exception) -> Response:
    path = request.url.path
    meant = path.rstrip("/")
    if meant != path and any(isinstance(route, Route) and route.path == meant for route in request.app.routes):
        return _problem(Problem("No such page", 404, f"{path} is not here: write {meant}, without a slash at its end"))
    return _problem(Problem("No such page", 404, f"{path} is not here; events go to POST /v1/events"))


async def _not_allowed(request: Request, error: Exception) -> Response:
    answer = _problem(Problem("Method not allowed", 405, f"{request.method} {request.url.path} is not possible"))
    answer.headers.update(getattr(error, "headers", None) or {})  # Allow, which RFC 9110 asks for
    return answer


async def _failed(_: Request, __: Exception) -> Response:
    return _problem(Problem("Internal error", 500, "a bug on our side; the log has it"))
