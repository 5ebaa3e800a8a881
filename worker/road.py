"""What delivering asks of the limits on it: how many letters may leave now, and to whom none may.

Declared by deliver.py, which needs it; kept by lanes.py, in the database. `OpenRoad` has no limits: for tests, and for
a transport that is a folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.deliveries import Acceptance
from domain.errors import DeliveryError


@dataclass(frozen=True, slots=True)
class Opening:
    """What may leave at one moment."""

    room: int  #: letters in all; 0 for none at present
    shut: frozenset[str] = frozenset()  #: keepers of mailboxes (domain/mailboxes.py) to whom none may leave
    caps: Mapping[str, int] = field(default_factory=dict)  #: keeper → at most so many; others have no cap of their own
    wait: float | None = None  #: where room is 0: seconds until there may be some; None: not in this pass
    reason: str = ""  #: where room is 0 because the lane is shut: why, in a sentence


class Road(Protocol):
    """The limits; shared by the threads of one process, its record by all processes."""

    def opening(self, now: datetime, wish: int) -> Opening:
        """Write down what was taken note of; return what may leave now, at most `wish` letters, and take it."""
        ...

    def told(self, keeper: str, result: Acceptance | DeliveryError, now: datetime) -> None:
        """Take note of how one try ended; cheap, called by every connection's thread."""
        ...

    def unused(self, letters: int) -> None:
        """Give back what an opening gave and nothing was sent with."""
        ...

    def end(self, now: datetime) -> None:
        """Write down, at the end of a pass, what was taken note of.

        What was given in it, and nobody told of or gave back, counts as sent.
        """
        ...


class OpenRoad:
    """A road without limits."""

    def opening(self, now: datetime, wish: int) -> Opening:  # noqa: ARG002 Road's signature
        """Return room for all."""
        return Opening(room=wish)

    def told(self, keeper: str, result: Acceptance | DeliveryError, now: datetime) -> None:
        """Remember nothing."""

    def unused(self, letters: int) -> None:
        """Remember nothing."""

    def end(self, now: datetime) -> None:
        """Write nothing."""
