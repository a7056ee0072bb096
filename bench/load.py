"""Send prepared bodies to a running service over many connections, from a process of its own, and count the answers.

It measures the service and not itself: bodies are made before the clock starts, and a request is two writes and one
read on a raw connection.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import NamedTuple

import msgspec
import uvloop

ID_FORM = "evt-{:012d}"


class Load(NamedTuple):
    """What to send: `events` events of `customers` customers, `batch` in a request, over `connections` connections."""

    host: str
    port: int
    key: str
    events: int
    batch: int
    customers: int
    connections: int


class Sent(NamedTuple):
    """What was answered, and how long it took."""

    accepted: int
    duplicates: int
    seconds: float
    cpu_seconds: float


def event(number: int, customers: int) -> bytes:
    """The event with this number: a request served or gigabytes sent, spread over twenty days."""
    day, second, ms = 1 + number % 20, number * 7 % 86_400, number % 1000
    when = f"2026-11-{day:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{ms:03}Z"
    if number % 2:
        kind, data = "egress", f'{{"gb":{number % 5000 / 1000:.3f},"region":"eu-west-1"}}'
    else:
        kind, data = "api.request", '{"region":"eu-west-1","status":200}'
    subject = f"customer-{number // 2 % customers:06}"
    return (
        f'{{"id":"{ID_FORM.format(number)}","source":"/bench/{number % 8}","type":"{kind}","subject":"{subject}",'
        f'"time":"{when}","data":{data}}}'
    ).encode()


def bodies(load: Load) -> Iterator[bytes]:
    """Every request's body."""
    for first in range(0, load.events, load.batch):
        numbers = range(first, min(first + load.batch, load.events))
        yield b"[" + b",".join(event(number, load.customers) for number in numbers) + b"]"


def send(load: Load) -> Sent:
    """Send all of `load` from another process; raises when an answer is not a 200."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    sender = context.Process(target=_sender, args=(load, theirs), daemon=True)
    sender.start()
    theirs.close()
    try:
        sent: Sent = mine.recv()
    except EOFError as error:
        raise RuntimeError("the load generator ended before it was done; its output says why") from error
    sender.join()
    return sent


def _sender(load: Load, answer: Connection) -> None:
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: {load.host}\r\nAuthorization: Bearer {load.key}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    requests = [head + str(len(body)).encode() + b"\r\n\r\n" + body for body in bodies(load)]
    requests.reverse()
    answer.send(uvloop.run(_send_all(load, requests)))


async def _send_all(load: Load, requests: list[bytes]) -> Sent:
    begun, cpu = time.perf_counter(), time.process_time()
    counts = await asyncio.gather(*(_connection(load, requests) for _ in range(load.connections)))
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu
    accepted, duplicates = (sum(column) for column in zip(*counts, strict=True))
    return Sent(accepted, duplicates, seconds, cpu_seconds)


async def _connection(load: Load, requests: list[bytes]) -> tuple[int, int]:
    reader, writer = await asyncio.open_connection(load.host, load.port)
    accepted = duplicates = 0
    while requests:
        writer.write(requests.pop())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        said = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"answered {head.splitlines()[0].decode()}: {said.decode()}")
        counts = msgspec.json.decode(said)
        accepted += counts["accepted"]
        duplicates += counts["duplicates"]
    writer.close()
    return accepted, duplicates
