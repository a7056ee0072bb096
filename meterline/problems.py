"""Answer errors as RFC 9457 problem details: what is wrong, where, and what to do."""

import msgspec

PROBLEM_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True):
    """One answer that is an error."""

    title: str
    status: int
    detail: str
    retry_after_s: int = 0

    def body(self) -> bytes:
        """The answer's body."""
        said = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        return msgspec.json.encode(said)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The answer's headers."""
        headers = [(b"content-type", PROBLEM_TYPE.encode())]
        if self.retry_after_s:
            headers.append((b"retry-after", str(self.retry_after_s).encode()))
        if self.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        return headers
