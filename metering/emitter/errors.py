"""What can go wrong for a service that emits, sorted by what it does next (the tree is in the package's docstring)."""


class EmitterError(Exception):
    """Anything that the emitter raises."""


class InvalidEvent(EmitterError, ValueError):
    """The event can't be written as JSON or is too large to hold: correct the call."""


class BufferFull(EmitterError):
    """Nothing was buffered: the service is behind or away, and `buffer_bytes_max` is reached."""


class Closed(EmitterError):
    """Nothing was buffered: the emitter takes no more events."""


class NotAcknowledged(EmitterError):
    """Some events have no answer yet (`pending`) or were refused with their whole batch (`refused`)."""

    def __init__(self, message: str, *, pending: int, refused: int) -> None:
        super().__init__(message)
        self.pending = pending
        self.refused = refused
