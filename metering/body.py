"""Turn a request's body into raw events: undo the compression, see the syntax is JSON, find where each event is.

A body that can't be read as events is refused whole, with what was expected and where reading stopped. What it
decompresses to is bounded while it is decompressed, not afterwards.
"""

import re
import zlib
from collections.abc import Callable
from typing import Literal, Protocol

import msgspec
import numpy as np
import zstandard

from metering.errors import BodyRefusedError
from metering.grammar import levels

Form = Literal["array", "lines", "one"]

FORMS: dict[str, Form] = {
    "application/json": "array",
    "application/cloudevents-batch+json": "array",
    "application/cloudevents+json": "one",
    "application/x-ndjson": "lines",
    "application/ndjson": "lines",
    "application/jsonl": "lines",
}
STEP_BYTES = 512
"""How much is unpacked at a time: 512 bytes of zstd are at most 16 MiB, the most that is held beyond the limit."""
MEMBERS_MAX = 10_000
LEVELS_MAX = 500
WINDOW_BYTES_MAX = 2**27
LONE_SURROGATE = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|[c-fC-F][0-9a-fA-F]{2}(?<!\\u[dD][89abAB]..\\u[dD]...))"
)


class Member(Protocol):
    """One compressed stream of a body, which may have several, one after the other."""

    @property
    def eof(self) -> bool:
        """Whether it is complete."""

    @property
    def unused_data(self) -> bytes:
        """What was given beyond its end."""

    def decompress(self, data: memoryview, /) -> bytes:
        """What `data`, which goes on from before, holds."""


def form_of(content_type: str) -> Form:
    """How a body of `content_type` holds its events."""
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip('" ') not in ("utf-8", "utf8", "us-ascii"):
            raise BodyRefusedError(415, "Unsupported charset", f"the charset is {value}: send JSON as UTF-8")
    if media_type not in FORMS:
        expected = ", ".join(FORMS)
        named = f"is {media_type}" if media_type else "is missing"
        raise BodyRefusedError(415, "Unsupported media type", f"Content-Type {named}: expected one of {expected}")
    return FORMS[media_type]


def decompressed(body: bytes, encoding: str, bytes_max: int) -> bytes:
    """`body` without its Content-Encoding, at most `bytes_max` of it."""
    encoding = encoding.strip().lower()
    try:
        if encoding in ("", "identity"):
            plain = body
        elif encoding == "gzip":
            plain = _unpacked(body, bytes_max, _gzip_member)
        elif encoding == "zstd":
            plain = _unpacked(body, bytes_max, _zstd_frame)
        else:
            detail = f"Content-Encoding is {encoding}: expected identity, gzip or zstd"
            raise BodyRefusedError(415, "Unsupported encoding", detail)
    except (zlib.error, zstandard.ZstdError) as error:
        raise BodyRefusedError(400, "Unreadable compression", f"the body is not {encoding}: {error}") from error
    if len(plain) > bytes_max:
        raise too_large(bytes_max)
    return plain


def too_large(bytes_max: int) -> BodyRefusedError:
    """The refusal of a body beyond the limit."""
    detail = f"the body is more than {bytes_max} bytes (body_bytes_max), decompressed: send fewer events a request"
    return BodyRefusedError(413, "Body too large", detail)


def _gzip_member() -> Member:
    return zlib.decompressobj(31)


def _zstd_frame() -> Member:
    return zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX).decompressobj()


def _unpacked(body: bytes, bytes_max: int, begin: Callable[[], Member]) -> bytes:
    """All members (frames) of a compressed body; refused right after the limit, or when the last one is cut short."""
    parts: list[bytes] = []
    nbytes = members = at = 0
    member = None
    view = memoryview(body)
    while at < len(body):
        if member is None:
            member, members = begin(), members + 1
        piece = view[at : at + STEP_BYTES]
        parts.append(member.decompress(piece))
        at += len(piece) - len(member.unused_data)
        if member.eof:
            member = None
        nbytes += len(parts[-1])
        if nbytes > bytes_max:
            raise too_large(bytes_max)
        if members > MEMBERS_MAX:
            raise zlib.error(f"it has more than {MEMBERS_MAX} members")
    if member is not None or not body:
        raise zlib.error("it ends in the middle")
    return b"".join(parts)


def is_single(body: bytes, form: Form) -> bool:
    """Whether `body` is one event: a plain JSON body may be, when it is an object."""
    return form == "one" or (form == "array" and body.lstrip()[:1] == b"{")


def binary_event(attributes: dict[str, str], data: bytes) -> bytes:
    """The event whose attributes came in headers and whose data is the body."""
    # Alone first: data that ends its own value could go on with attributes of its own.
    if data.strip() and (error := _syntax_error(data)) is not None:
        raise syntax_refusal(data, error)
    head = msgspec.json.encode(attributes)
    return head[:-1] + (b"," if attributes else b"") + b'"data":' + (data.strip() or b"null") + b"}"


def checked_utf8(body: bytes) -> None:
    """Refuse a body that is not UTF-8: the decoder below keeps such bytes in what it does not look into."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        detail = f"the body is not UTF-8 at byte {error.start}: {error.reason}"
        raise BodyRefusedError(400, "Not UTF-8", detail) from error


def raw_events(body: bytes, form: Form) -> list[bytes]:
    """Each item of `body` as it was written, one by one: the careful way, for bodies with a mistake in them.

    Of lines, one that is not JSON is an item like any other, to be rejected by its index, unless none is JSON.
    """
    if form == "lines":
        lines = [line for line in body.split(b"\n") if line.strip()]
        if lines and not any(_is_json(line) for line in lines):
            raise syntax_refusal(lines[0], _syntax_error(lines[0]))
        return lines
    try:
        if is_single(body, form):
            msgspec.json.decode(body, type=msgspec.Raw)
            return [body]
        return [bytes(raw) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, RecursionError) as error:
        raise syntax_refusal(body, error) from error


def _is_json(text: bytes) -> bool:
    return _syntax_error(text) is None


def _syntax_error(text: bytes) -> Exception | None:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError) as error:
        return error
    return None


def is_too_deep(text: bytes) -> bool:
    """Whether `text` is nested deeper than an event may be: the decoder's own bound moves with the stack."""
    return levels(np.frombuffer(text, np.uint8)) > LEVELS_MAX


def syntax_refusal(body: bytes, error: Exception | None) -> BodyRefusedError:
    """The refusal of a body that is not JSON, or not an array of events."""
    return BodyRefusedError(400, "Not a body of events", syntax_reason(body, error))


def syntax_reason(text: bytes, error: Exception | None) -> str:
    """What is wrong with the syntax of `text`, in words."""
    if isinstance(error, RecursionError):
        return f"the JSON is nested too deeply to be an event: expected at most {LEVELS_MAX} levels"
    if text[:3] == b"\xef\xbb\xbf":
        return "the body begins with a byte order mark: send UTF-8 without one"
    if surrogate := LONE_SURROGATE.search(text):
        return f"a lone surrogate stands at byte {surrogate.start()}: JSON text must be valid Unicode"
    if not text.strip():
        return "the body is empty: expected a JSON array of events, or one event"
    return f"{error}: expected a JSON array of events, one event, or lines of events"
