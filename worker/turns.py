"""One owner a slot for what comes round: the first process to ask in a slot does it, whichever that is.

whose slot is it? → claimed in the database, by nobody else → done → finished; what fails is given up, for another
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from domain.clock import Clock
from storage.runs import Runs
from worker.liveness import is_alive

_LEASE = timedelta(minutes=30)
T = TypeVar("T")


class Turns:
    """The turns of one job among all processes over one archive; its slots begin each `every`, counted from 1970."""

    def __init__(self, *, runs: Runs, job: str, every: timedelta, owner: str, clock: Clock) -> None:
        self._runs = runs
        self._job = job
        self._every = every
        self._owner = owner
        self._clock = clock
        self._asked: datetime | None = None

    def take(self, deed: Callable[[], T]) -> T | None:
        """Do it if this slot is ours; None if it is somebody else's, or done. Raises StorageError, and what it does."""
        now = self._clock.now()
        seconds = self._every.total_seconds()
        slot = datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
        if slot == self._asked:
            return None  # as nearly always: nothing is asked of the database
        number = self._runs.claim(self._job, slot.isoformat(), self._owner, now, _LEASE, is_alive=is_alive)
        self._asked = slot
        if number is None:
            return None
        try:
            done = deed()
        except BaseException:
            self._runs.give_up(number, self._clock.now())
            raise
        self._runs.finish(number, self._clock.now(), "ok", {})
        return done
