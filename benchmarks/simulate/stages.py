"""Days in minutes: the verbs of the house, each when there is something for it to do, and what each of them costs.

    the clock jumps to the next event: a listing is to be seen, a reader is to be looked at, a letter is due again
    → import → match → plan → deliver → sweep, each through the house's own object, each measured

While a stage works, the clock runs by its CPU; so letters wait for those before them as they would on one machine with
nothing between itself and the relay.
"""

from __future__ import annotations

import resource
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, and_, event, func, select, text

from domain.deliveries import DeliveryState
from storage.tables import DELIVERY, OPEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from benchmarks.simulate.world import Papers, VirtualClock
    from paperround.wiring import House

S = DeliveryState
STAGES = ("import", "match", "plan", "deliver", "sweep")
_AGAIN = timedelta(minutes=2)  # between two looks at letters that are due and may not leave: their keeper is slow
_DUE = and_(
    text(OPEN),
    DELIVERY.c.state.in_([S.PLANNED.value, S.DEFERRED.value, S.UNCERTAIN.value]),
    DELIVERY.c.not_before.is_not(None),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stood at one event, before letters left."""

    at: datetime
    backlog: int  #: letters due and not sent
    oldest: float  #: seconds that the first of them has been due for
    megabytes: float  #: of RAM held


@dataclass(slots=True)
class Costs:
    """What was spent since the costs were last set back."""

    cpu: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(STAGES, 0.0)
    )  #: stage → seconds of this process
    wall: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    statements: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    papers: int = 0
    matches: int = 0
    due: int = 0
    issues: int = 0
    quiet: int = 0
    accepted: int = 0
    moments: list[Moment] = field(default_factory=list)


class Simulation:
    """One house, and the events of its days."""

    def __init__(self, house: House, clock: VirtualClock, papers: Papers) -> None:
        self._house = house
        self._clock = clock
        self._papers = papers
        self._listed = 0
        self._stage = ""
        self.costs = Costs()
        #: When the first publish and the last one with something to do were.
        self.first: datetime | None = None
        self.last: datetime | None = None

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count statements for as long as this lasts."""

        def heard(*_: object) -> None:
            self.costs.statements[self._stage] += 1

        event.listen(Engine, "before_cursor_execute", heard)
        try:
            yield
        finally:
            event.remove(Engine, "before_cursor_execute", heard)

    def past(self) -> None:
        """Let the archive have what was listed before; nothing is sent of it."""
        self._import()

    def until(
        self, end: datetime, told: Callable[[datetime], object] = lambda _: None, *, publish: bool = True
    ) -> None:
        """Go from event to event, until the first that comes after `end`; without `publish` letters only leave."""
        while self._clock.now() <= end:
            if publish:
                self._publish()
            backlog = self._moment()
            if backlog:
                with self._measured("deliver"):
                    counts = self._house.deliverer.deliver()
                self.costs.accepted += counts.accepted
            with self._measured("sweep"):
                self._house.sweeper.sweep_due()
            told(self._clock.now())
            following = self._next(publish=publish)
            if following is None or following > end:
                break
            self._clock.jump(following)
        if publish:
            self._clock.jump(end)

    def _publish(self) -> None:
        if self._import() or self.first is None:
            with self._measured("match"):
                matched = self._house.matcher.match(self._clock.now())
            self.costs.papers += matched.papers
            self.costs.matches += matched.matches
        with self._measured("plan"):
            now = self._clock.now()
            if not self._house.publisher.is_due(now):
                return
            counts = self._house.publisher.publish(now)
        self.first, self.last = self.first or now, now
        self.costs.due += counts.due
        self.costs.issues += counts.issues
        self.costs.quiet += counts.quiet

    def _import(self) -> bool:
        """Store the listings that are to be seen by now; return whether there were any."""
        before = self._listed
        with self._measured("import"):
            while self._listed < len(self._papers.listings):
                each = self._papers.listings[self._listed]
                if each.at > self._clock.now():
                    break
                self._house.archive.add(each.listing, self._clock.now())
                self._listed += 1
        return self._listed > before

    def _next(self, *, publish: bool) -> datetime | None:
        now = self._clock.now()
        with self._house.database.reading() as connection:
            due: datetime | None = connection.execute(select(func.min(DELIVERY.c.not_before)).where(_DUE)).scalar()
        known = [None if due is None else max(due, now + _AGAIN) if due <= now else due]
        if publish:
            known += [self._papers.next(now), self._house.looking.next()]
        # Whoever came to be looked at while a stage worked is looked at now.
        return min((max(each, now) for each in known if each is not None), default=None)

    def _moment(self) -> int:
        now = self._clock.now()
        query = select(func.count(), func.min(DELIVERY.c.not_before)).where(_DUE, DELIVERY.c.not_before <= now)
        with self._house.database.reading() as connection:
            backlog, oldest = connection.execute(query).one()
        age = (now - oldest).total_seconds() if oldest else 0.0
        self.costs.moments.append(Moment(now, backlog, age, resident()))
        return int(backlog)

    @contextmanager
    def _measured(self, stage: str) -> Iterator[None]:
        self._stage = stage
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            with self._clock.running():
                yield
        finally:
            self.costs.cpu[stage] += time.process_time() - cpu
            self.costs.wall[stage] += time.perf_counter() - wall
            self.costs.runs[stage] += 1
            self._stage = ""


def resident() -> float:
    """Return the MiB that this process holds in RAM; its most so far where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return peak()
    held = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS:"))
    return int(held.split()[1]) / 1024


def peak() -> float:
    """Return the most MiB that this process held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
