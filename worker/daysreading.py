"""The days of one source: which are read, in what order, and what is kept of how that went.

is this its first run? → the days that are due, or were asked for by hand → read each (reading.py)
→ what was read in full on record, and the cursor moved over what has no gap → the end of a first run on record
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from domain.clock import Clock
from domain.errors import Interrupted
from domain.papers import FetchStatus
from scrapers.source import Source, Visit
from storage.runs import Runs
from storage.sources import Sources, SourceState
from worker.days import due_days, ends_load, is_backlog, is_whole, reached
from worker.reading import Reader
from worker.reports import SourceReport

LEASE = timedelta(minutes=30)  # renewed with every day: 40 categories of arXiv take ten minutes at its pace
OVERLAP = timedelta(days=7)  # by which a search is read again beyond its cursor: arXiv announces days after submission
FIRST_SEARCH = timedelta(days=14)  # how far back the first reading of a search goes

log = logging.getLogger("paperround.worker")


class DaysReader:
    """Reads the days of sources."""

    def __init__(self, *, reader: Reader, states: Sources, runs: Runs, clock: Clock, stop: threading.Event) -> None:
        self._reader = reader
        self._states = states
        self._runs = runs
        self._clock = clock
        self._stop = stop

    def read(self, source: Source, asked: Sequence[date], number: int | None, *, scheduled: bool) -> list[SourceReport]:
        """Read the days that were asked for by hand, or those that are due."""
        calendar, name = source.calendar, source.name
        newest = calendar.newest(self._clock.now())
        state = self._states.state(name) if asked else self._begun(source, newest, scheduled=scheduled)
        days = self._days(source, state, asked, newest, scheduled=scheduled)
        since = min(state.cursor or newest - FIRST_SEARCH, newest) - OVERLAP
        since = max(since, newest - timedelta(days=calendar.look_back))
        settles = not asked and (scheduled or not calendar.is_dated)
        came: dict[date, Sequence[SourceReport]] = {}
        for day in days:
            began = self._clock.now()
            if len(days) > calendar.still_filling:
                log.info("collect %s: %s, the last of %d days is %s", name, day, len(days), days[-1])
            if number is not None:
                self._runs.renew(number, self._clock.now() + LEASE)
            came[day] = self._reader.read(
                source,
                Visit(day=day, newest=max(newest, day), since=since),
                is_backlog=lambda listed: is_backlog(calendar, state, listed, newest),
                may_be_gone=scheduled and day != days[-1] and calendar.lists_daily,
            )
            go_on(self._stop)
            if settles:
                self._settle(source, state, came, newest, began)
            if any(part.status is FetchStatus.THROTTLED for part in came[day]):
                break  # the rest is asked for when the site allows
        parts = [part for read in came.values() for part in read]
        if settles:
            self._settle_bad(source, came, newest)
        if not any(part.status is FetchStatus.THROTTLED for part in parts):
            if not asked and state.begun is not None and not state.loaded and ends_load(calendar, parts):
                self._states.end_load(name)
            self._reader.complete(source, Visit(day=newest, newest=newest, since=since))
        return parts

    def _begun(self, source: Source, newest: date, *, scheduled: bool) -> SourceState:
        """Return a source's state, once it is on record that its first run has begun, if this is it."""
        name, is_dated = source.name, source.calendar.is_dated
        state = self._states.state(name)
        if state.begun is None and state.cursor is not None:  # it was read before first runs were on record
            self._states.begin_load(name, min(state.cursor, newest))
            self._states.end_load(name)
        elif state.begun is None and (scheduled or not is_dated):
            self._states.begin_load(name, newest)
        elif state.begun is not None and (state.begun > newest or (not state.loaded and state.is_untouched)):
            self._states.begin_load(name, newest)  # the clock was ahead, or nothing could be read so far
        else:
            return state
        return self._states.state(name)

    def _settle(
        self,
        source: Source,
        state: SourceState,
        came: Mapping[date, Sequence[SourceReport]],
        newest: date,
        began: datetime,
    ) -> None:
        """Keep that the day read last was read in full, if it was, and how far there is no gap now."""
        calendar, day = source.calendar, list(came)[-1]
        if is_whole(calendar, day, came[day]):
            reach = reached(calendar, state, came, newest)
            self._states.settle(source.name, day, whole=True, cursor=reach, newest=newest, now=began)

    def _settle_bad(self, source: Source, came: Mapping[date, Sequence[SourceReport]], newest: date) -> None:
        """Keep which days could not be read: where others could, the fault is their own."""
        slow = {day for day, read in came.items() for part in read if part.status is FetchStatus.THROTTLED}
        bad = [day for day, read in came.items() if day not in slow and not is_whole(source.calendar, day, read)]
        if len(bad) < len(came):
            for day in bad:
                self._states.settle(source.name, day, whole=False, cursor=None, newest=newest, now=self._clock.now())

    def _days(
        self, source: Source, state: SourceState, asked: Sequence[date], newest: date, *, scheduled: bool
    ) -> list[date]:
        """Return the days to read; a source without days is visited once, for the newest of them."""
        calendar = source.calendar
        if not calendar.is_dated:
            return [min(max(asked, default=newest), newest)]
        if scheduled:
            return due_days(calendar, state, newest, self._clock.now())
        if len(asked) > 1:  # of a span, those that have a listing
            return [day for day in asked if day.weekday() in calendar.weekdays] or [newest]
        return list(asked or [newest])


def go_on(stop: threading.Event) -> None:
    """Raise Interrupted where a stop was asked for: what failed since is no fault of the site's."""
    if stop.is_set():
        raise Interrupted("stopped; what was read stays, and the rest is read the next time")
