"""What every pass did and how long it took is kept, so that the site's figures tell of workers in other processes.

    a verb's work → timed by the clock → its counts, its seconds, whether it failed (storage/passes.py)

A pass that found nothing to do is not kept: an idle worker writes one line a minute, that it lives. What cannot be
kept is a line in the log, and never ends the pass that it is about.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from domain.clock import Clock
from domain.deliveries import DeliveryCounts
from domain.errors import Interrupted, StorageError
from domain.issues import PublishCounts
from worker.match import MatchReport
from worker.reports import SourceReport

log = logging.getLogger("paperround.worker")
BEAT = timedelta(minutes=1)
_T = TypeVar("_T")


class Records(Protocol):
    """Where it is kept; each may raise StorageError."""

    def add(
        self, verb: str, began: datetime, ended: datetime, counts: Mapping[str, int], owner: str, *, failed: bool = ...
    ) -> None:
        """Add what a pass did."""
        ...

    def beat(self, owner: str, now: datetime) -> None:
        """Take note that a worker lives."""
        ...

    def leave(self, owner: str) -> None:
        """Take note that a worker ended by itself."""
        ...


class Tally:
    """Keeps what the passes of one worker did; each method does the work that it is handed and returns what came."""

    def __init__(self, *, records: Records, clock: Clock, owner: str) -> None:
        self._records = records
        self._clock = clock
        self._owner = owner
        self._beaten: datetime | None = None

    def collect(
        self, work: Callable[[], tuple[tuple[SourceReport, ...], bool]]
    ) -> tuple[tuple[SourceReport, ...], bool]:
        """Keep what asking sources brought."""
        return self._kept("collect", work, lambda done: collected(done[0]))

    def match(self, work: Callable[[], MatchReport]) -> MatchReport:
        """Keep what matching found."""
        return self._kept("match", work, matched)

    def publish(self, work: Callable[[], PublishCounts]) -> PublishCounts:
        """Keep what planning made."""
        return self._kept("publish", work, published)

    def deliver(self, work: Callable[[], DeliveryCounts]) -> DeliveryCounts:
        """Keep what became of letters."""
        return self._kept("deliver", work, lambda done: done.numbers)

    def beat(self) -> None:
        """Take note, once a minute, that this worker lives."""
        now = self._clock.now()
        if self._beaten is None or not self._beaten <= now < self._beaten + BEAT:
            self._beaten = now
            self._try(lambda: self._records.beat(self._owner, now))

    def leave(self) -> None:
        """Take note that this worker ends."""
        if self._beaten is not None:
            self._try(lambda: self._records.leave(self._owner))

    def _kept(self, verb: str, work: Callable[[], _T], counted: Callable[[_T], Mapping[str, int]]) -> _T:
        began = self._clock.now()
        try:
            done = work()
        except Interrupted:
            raise
        except Exception:
            self._add(verb, began, {}, failed=True)
            raise
        counts = {name: number for name, number in counted(done).items() if number}
        if counts:
            self._add(verb, began, counts)
        return done

    def _add(self, verb: str, began: datetime, counts: Mapping[str, int], *, failed: bool = False) -> None:
        ended = self._clock.now()
        self._try(lambda: self._records.add(verb, began, ended, counts, self._owner, failed=failed))

    @staticmethod
    def _try(keep: Callable[[], None]) -> None:
        try:
            keep()
        except StorageError as error:
            log.warning("what a pass did could not be kept: %s", error)


def collected(reports: tuple[SourceReport, ...]) -> dict[str, int]:
    """Return the counts of a pass of collect."""
    return {
        "sources": len(reports),
        "bad": sum(not each.status.is_good for each in reports),
        "listed": sum(each.listed for each in reports),
        "new": sum(each.new for each in reports),
    }


def matched(report: MatchReport) -> dict[str, int]:
    """Return the counts of a pass of match; none where nothing was new."""
    if not (report.papers or report.new_topics):
        return {}
    return {"papers": report.papers, "topics": report.topics, "matches": report.matches}


def published(counts: PublishCounts) -> dict[str, int]:
    """Return the counts of a pass of publish."""
    return {"due": counts.due, "issues": counts.issues, "papers": counts.papers, "quiet": counts.quiet}
