"""sweep: let go of what is old, once a day, and give back the room.

    claim the day → the steps of storage/keeping.py → if much went: the planner's figures anew → the file anew, where
    that is worth it and nobody sends

A sweep that is stopped or killed is claimed again and goes on where it was.
"""

import logging
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from domain.clock import Clock
from domain.errors import StorageError
from storage.keeping import Ages, Keeping, Swept
from storage.runs import Runs
from storage.space import Space
from worker.liveness import is_alive

log = logging.getLogger("paperround.worker")
_JOB = "sweep"
_LEASE = timedelta(hours=1)
_MUCH = 1_000  # rows, after which the planner's figures are old


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep did."""

    swept: Swept
    given_back: int  #: bytes of the file
    not_done: str  #: why the file was not written anew; "" where it was, or was not worth it


class Sweeper:
    """Keeps an archive from growing by what nobody needs."""

    def __init__(
        self, *, keeping: Keeping, space: Space, runs: Runs, ages: Ages, clock: Clock, owner: str, stop: threading.Event
    ) -> None:
        self._keeping = keeping
        self._space = space
        self._runs = runs
        self._ages = ages
        self._clock = clock
        self._owner = owner
        self._stop = stop
        self._looked: date | None = None

    def sweep_due(self) -> SweepReport | None:
        """Sweep, if nobody has done so this day (UTC); None if somebody has, or does."""
        now = self._clock.now()
        if self._looked == now.date():
            return None
        number = self._runs.claim(_JOB, now.date().isoformat(), self._owner, now, _LEASE, is_alive=is_alive)
        self._looked = now.date()
        if number is None:
            return None
        try:
            done = self.sweep(now)
        except BaseException:
            self._again(number)
            raise
        if self._stop.is_set():
            self._again(number)
        else:
            counts = {**asdict(done.swept), "given_back": done.given_back, "not_done": done.not_done}
            self._runs.finish(number, self._clock.now(), "ok", counts)
        return done

    def sweep(self, now: datetime, *, compact: bool = False) -> SweepReport:
        """Sweep now, whoever has done so before; with `compact` the file is written anew however little is free."""
        swept = self._keeping.sweep(self._ages, now, is_stopped=self._stop.is_set)
        if swept.rows:
            numbers = {what: number for what, number in asdict(swept).items() if number}
            log.info("sweep: %s", ", ".join(f"{number} {what}" for what, number in numbers.items()), extra=numbers)
        if self._stop.is_set():
            return SweepReport(swept=swept, given_back=0, not_done="")
        if swept.rows >= _MUCH or compact:
            self._space.refresh()
        given_back, not_done = self._space.give_back(anyway=compact)
        if not_done:
            log.info("sweep: %s", not_done)
        return SweepReport(swept=swept, given_back=given_back, not_done=not_done)

    def finish_erasing(self) -> None:
        """Let go of the pieces of letters that only an erased reader had."""
        self._keeping.sweep_fragments(is_stopped=self._stop.is_set)

    def _again(self, number: int) -> None:
        self._looked = None
        with suppress(StorageError):  # where even that cannot be written, the lease ends it
            self._runs.give_up(number, self._clock.now())
