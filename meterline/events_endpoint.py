"""Answer POST /v1/events: who is it, is there room, read the body in time, and say what became of its events.

The answer leaves after the events are in the ledger. Room is made before the body is read, so that memory stays
bounded whatever is sent.
"""

import asyncio
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from ledger.errors import Unavailable
from metering.body import too_large
from metering.errors import BodyRefusedError
from metering.intake import Intake, OverloadedError, StoppedError
from metering.requests import Answer
from meterline.asgi import Receive, Scope, Send, answer_json, answer_problem
from meterline.keyring import Keyring
from meterline.problems import Problem

UNKNOWN_LENGTH_BYTES = 1 << 20
"""The room that is made at a time for a body that does not say how long it is."""

RETRY_AFTER_S = 1
CLIENT_GONE = 499
"""What is counted for a client that left before its body was whole; nothing is sent."""
OVERLOADED = Problem("Too many bytes in flight", 429, "send the same events again later", retry_after_s=RETRY_AFTER_S)
CLOUD_EVENT = ("id", "source", "type", "subject", "time")


class BodyTimeoutError(Exception):
    """The body did not arrive in time."""


class ClientGoneError(Exception):
    """The client went away before its body was whole."""


class Head(NamedTuple):
    """What the headers of a request say."""

    authorization: str
    content_type: str
    encoding: str
    length: int | None
    attributes: dict[str, str] | None


class EventsEndpoint:
    """The way in."""

    def __init__(self, intake: Intake, keyring: Keyring, body_bytes_max: int, body_seconds_max: int) -> None:
        self._intake = intake
        self._keyring = keyring
        self._body_bytes_max = body_bytes_max
        self._body_seconds_max = body_seconds_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Answer one request; returns the status it was answered with."""
        head = _head(scope)
        key = self._keyring.holder(head.authorization)
        if key is None:
            return await answer_problem(send, Problem("No key", 401, "expected Authorization: Bearer KEY, in force"))
        if "ingest" not in key.scopes:
            return await answer_problem(send, Problem("Not allowed", 403, f"key {key.id} has no scope ingest"))
        try:
            body, reserved = await self._body(head.length, receive)
        except BodyRefusedError as refusal:
            return await answer_problem(send, Problem(refusal.title, refusal.status, refusal.detail))
        except OverloadedError:
            return await answer_problem(send, OVERLOADED)
        except ClientGoneError:
            return CLIENT_GONE
        except BodyTimeoutError:
            detail = f"the body took longer than {self._body_seconds_max} s (body_seconds_max)"
            return await answer_problem(send, Problem("Body too slow", 408, detail))
        future = self._intake.submit(key.tenant, body, head.content_type, head.encoding, reserved, head.attributes)
        return await self._answer(future, send)

    async def _body(self, length: int | None, receive: Receive) -> tuple[bytes, int]:
        """The whole body, and how many bytes were reserved for it."""
        if length is not None and length > self._body_bytes_max:
            raise too_large(self._body_bytes_max)
        room = Room(self._intake)
        room.grow(UNKNOWN_LENGTH_BYTES if length is None else length)
        try:
            async with asyncio.timeout(self._body_seconds_max):
                body = await self._collected(receive, room)
        except BaseException as error:
            self._intake.release(room.nbytes)
            if isinstance(error, TimeoutError):
                raise BodyTimeoutError from error
            raise
        return body, room.nbytes

    async def _collected(self, receive: Receive, room: "Room") -> bytes:
        parts: list[bytes] = []
        nbytes = 0
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
            nbytes += len(parts[-1])
            if nbytes > self._body_bytes_max:
                raise too_large(self._body_bytes_max)
            if nbytes > room.nbytes:
                room.grow(UNKNOWN_LENGTH_BYTES)
        return b"".join(parts)

    async def _answer(self, future: Any, send: Send) -> int:
        try:
            answer: Answer = await asyncio.wrap_future(future)
        except BodyRefusedError as refusal:
            return await answer_problem(send, Problem(refusal.title, refusal.status, refusal.detail))
        except OverloadedError:
            return await answer_problem(send, OVERLOADED)
        except (Unavailable, StoppedError) as error:
            detail = f"{error}. Nothing is lost: send the same events again, what was stored counts once"
            return await answer_problem(send, Problem("Not stored", 503, detail, retry_after_s=RETRY_AFTER_S))
        if answer.single and answer.rejected:
            rejection = answer.rejected[0]
            return await answer_problem(send, Problem(f"Rejected: {rejection.code}", 422, rejection.reason))
        said = {
            "accepted": answer.accepted,
            "duplicates": answer.duplicates,
            "conflicts": answer.conflicts,
            "quarantined": answer.quarantined,
            "rejected": [{"index": one.index, "code": one.code, "reason": one.reason} for one in answer.rejected],
        }
        return await answer_json(send, 200, msgspec.json.encode(said))


class Room:
    """What is reserved for one body so far."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.nbytes = 0

    def grow(self, nbytes: int) -> None:
        """Reserve `nbytes` more, or raise OverloadedError."""
        if not self._intake.reserve(nbytes):
            raise OverloadedError
        self.nbytes += nbytes


def _head(scope: Scope) -> Head:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    length = headers.get("content-length", "")
    content_type = headers.get("content-type", "")
    attributes = None
    if "ce-specversion" in headers and not content_type.startswith("application/cloudevents"):
        named = {name: headers.get(f"ce-{name}") for name in CLOUD_EVENT}
        attributes = {name: unquote(value) for name, value in named.items() if value is not None}
        content_type = content_type or "application/json"
    return Head(
        headers.get("authorization", ""),
        content_type,
        headers.get("content-encoding", ""),
        int(length) if length.isdigit() else None,
        attributes,
    )
