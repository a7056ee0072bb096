"""The little of ASGI that the hot path needs: types, and whole answers."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from meterline.problems import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> int:
    """Send one whole answer; returns its status."""
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    return status


async def answer_json(send: Send, status: int, body: bytes) -> int:
    """Send JSON."""
    return await answer(send, status, [(b"content-type", b"application/json")], body)


async def answer_problem(send: Send, problem: Problem) -> int:
    """Send an error."""
    return await answer(send, problem.status, problem.headers(), problem.body())
