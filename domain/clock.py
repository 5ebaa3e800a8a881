"""Time as an argument: whoever needs the instant is handed a Clock."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is set; for tests and for `publish --now`."""

    def __init__(self, instant: datetime) -> None:
        self.set(instant)

    def now(self) -> datetime:
        """Return the instant that was set last."""
        return self._instant

    def set(self, instant: datetime) -> None:
        """Move the clock to `instant`, which must be aware.

        Raises ValueError for a naive instant.
        """
        self._instant = utc(instant)


def utc(instant: datetime) -> datetime:
    """Return an aware instant in UTC; raises ValueError for a naive one."""
    if instant.tzinfo is None:
        message = f"an instant without a time zone is ambiguous: {instant.isoformat()}"
        raise ValueError(message)
    return instant.astimezone(UTC)
