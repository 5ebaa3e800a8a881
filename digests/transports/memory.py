"""Letters kept in a list: for tests, and for trying things out."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from domain.deliveries import Acceptance, Message


class MemoryTransport:
    """Keeps every message that was sent, in order; it is its own connection."""

    name = "memory"

    def __init__(self) -> None:
        #: What has left, oldest first.
        self.messages: list[Message] = []

    def connect(self) -> Self:
        """Return itself: a list needs no connection."""
        return self

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Keep the list."""

    def send(self, message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:
        """Keep the message, unless `before_dot` says no."""
        if not before_dot():
            return None
        self.messages.append(message)
        return Acceptance(reply="kept in memory")
