"""collect: pages → papers.

    which sources are due → for each, which days → read each day (reading.py) → move the cursor over what is whole
    → the run on record, which the receipt at a letter's foot reads again

A source that fails is reported and stops nobody else: sites are asked side by side, the sources of one site in turn.
The days of a source are read from its cursor on, so an outage is refilled; what its first run brings is backlog.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial

from domain.clock import Clock
from domain.errors import Interrupted, UnknownError
from domain.papers import FetchStatus
from scrapers.pace import site_of
from scrapers.source import Calendar, Source, Visit
from storage.archive import Archive
from storage.fetches import Fetches
from storage.runs import RunRecord, Runs
from storage.sources import Sources
from worker.lateness import WEEKS, Health, health, silence
from worker.liveness import is_alive
from worker.reading import Reader
from worker.reports import SourceReport, joined, newest_read
from worker.sidebyside import side_by_side

LEASE = timedelta(hours=2)  # a long outage of arXiv is refilled in so long, at a page every 15 s
AGAIN = timedelta(minutes=15)  # after which a source that failed is asked again
AGAIN_STALE = timedelta(minutes=30)  # after which a source whose new batch is late is asked again
OVERLAP = timedelta(days=7)  # by which a search is read again beyond its cursor: arXiv announces days after submission
FIRST_SEARCH = timedelta(days=14)  # how far back the first reading of a search goes
FETCHES_KEPT = timedelta(days=400)


class Collector:
    """Reads the configured sources into the archive."""

    def __init__(
        self,
        *,
        sources: Sequence[Source],
        reader: Reader,
        archive: Archive,
        states: Sources,
        fetches: Fetches,
        runs: Runs,
        clock: Clock,
        owner: str,
        stop: threading.Event,
    ) -> None:
        self._sources = sources
        self._reader = reader
        self._archive = archive
        self._states = states
        self._fetches = fetches
        self._runs = runs
        self._clock = clock
        self._owner = owner
        self._stop = stop

    def collect(
        self,
        names: Sequence[str] = (),
        days: Sequence[date] = (),
        *,
        on_source: Callable[[str], None] = lambda _: None,
    ) -> tuple[SourceReport, ...]:
        """Read these sources (all for none named) for these days (the newest for none), however fresh the last answer.

        Raises UnknownError for a name that is not configured, before anything is asked.
        """
        chosen = [self._named(name) for name in names] or list(self._sources)

        def by_hand(source: Source) -> SourceReport:
            now = self._clock.now()
            slot = f"by hand {now.isoformat()}"
            number = self._runs.claim(_job(source), slot, self._owner, now, LEASE, is_alive=is_alive)
            report = self._run(source, days, number, scheduled=False)
            on_source(source.name)
            return report

        found = side_by_side([(self._site(each), partial(by_hand, each)) for each in chosen], self._stop)
        return tuple(found)

    def check(self, names: Sequence[str] = ()) -> tuple[tuple[SourceReport, Health], ...]:
        """Fetch and read the newest pages of these sources (all for none named) unconditionally, and keep nothing.

        Return what was read, and what the source's past says of it. Raises UnknownError for a name not configured.
        """
        chosen = [self._named(name) for name in names] or list(self._sources)

        def look(source: Source) -> tuple[SourceReport, Health]:
            now = self._clock.now()
            newest = source.calendar.newest(now)
            report = self._reader.look(source, Visit(day=newest, newest=newest, since=newest))
            return report, health(report, self._fetches.last_new(source.name), self._silence(source, now), now)

        found = side_by_side([(self._site(each), partial(look, each)) for each in chosen], self._stop)
        return tuple(found)

    def has_read(self) -> bool:
        """Whether there is anything to tell readers: a paper, or a whole answer; True where no source is configured."""
        known = self._archive.newest_day() is not None
        return known or not self._sources or any(self._states.cursor(source.name) for source in self._sources)

    def collect_due(self, stop: threading.Event) -> tuple[tuple[SourceReport, ...], bool]:
        """Read the sources whose interval has come round and whom nobody else has claimed.

        A source that failed the last time is asked again sooner. Return the reports, and whether every source that was
        due has been asked: False where another worker is at one, or a stop came first.
        """
        now = self._clock.now()
        due = [each for each in self._sources if is_due(self._runs.latest(_job(each)), each.every, now)]
        jobs = [(self._site(source), partial(self._scheduled, source, stop)) for source in due]
        found = side_by_side(jobs, stop)
        reports = tuple(report for report in found if report is not None)
        self._forget(now)
        return reports, len(reports) == len(due)

    def _forget(self, now: datetime) -> None:
        """Once a day let go of the records of long ago."""
        number = self._runs.claim("forget fetches", now.date().isoformat(), self._owner, now, LEASE)
        if number is not None:
            gone = self._fetches.prune(now - FETCHES_KEPT)
            self._runs.finish(number, self._clock.now(), FetchStatus.OK.value, {"fetches": gone})

    def _scheduled(self, source: Source, stop: threading.Event) -> SourceReport | None:
        if stop.is_set():
            return None
        now = self._clock.now()
        slot = datetime.fromtimestamp(_step(now, min(source.every, AGAIN)), UTC).isoformat()
        number = self._runs.claim(_job(source), slot, self._owner, now, LEASE, is_alive=is_alive)
        if number is None:
            return None
        try:
            return self._run(source, (), number, scheduled=True)
        except Interrupted:
            return None

    def _named(self, name: str) -> Source:
        for source in self._sources:
            if source.name == name:
                return source
        known = ", ".join(source.name for source in self._sources) or "none"
        raise UnknownError(f"there is no source {name!r}; configured: {known}")

    def _site(self, source: Source) -> str:
        """Return the site that a source asks: its sources take turns."""
        newest = source.calendar.newest(self._clock.now())
        first = next(iter(source.requests(Visit(day=newest, newest=newest, since=newest))), None)
        return site_of(first.url) if first else source.name

    def _run(self, source: Source, asked: Sequence[date], number: int | None, *, scheduled: bool) -> SourceReport:
        try:
            parts = self._read_days(source, asked, scheduled=scheduled)
        except Interrupted:
            if number is not None:
                self._runs.give_up(number, self._clock.now())
            raise
        now = self._clock.now()
        report = joined(source.name, parts)
        if report.status.is_good:
            warning = self._silence(source, now)
            report = joined(source.name, [*parts, _warned(parts[-1], warning)]) if warning else report
        if number is not None:
            retry_at = report.retry_at.isoformat() if report.retry_at else None
            counts = {**report.as_json(), "newest": newest_read(parts), "detour": report.detour, "retry_at": retry_at}
            self._runs.finish(number, now, report.status.value, counts, report.error)
        return report

    def _read_days(self, source: Source, asked: Sequence[date], *, scheduled: bool) -> list[SourceReport]:
        """Read the days that were asked for by hand, or those that are due; a first run's papers are backlog."""
        calendar, name = source.calendar, source.name
        newest = calendar.newest(self._clock.now())
        cursor, loaded = self._states.cursor(name), self._states.first_load(name)
        untouched = loaded is None and cursor is None
        if calendar.is_dated:
            days = due_days(calendar, cursor, newest) if scheduled else list(asked or [newest])
            first = untouched and scheduled
        else:
            days = [max(asked, default=newest)]
            first = untouched and not self._states.days(name)
        since = (cursor or newest - FIRST_SEARCH) - OVERLAP
        parts: list[SourceReport] = []
        for day in days:
            visit = Visit(day=day, newest=max(newest, day), since=since)
            old = first or (calendar.is_dated and loaded is not None and is_before(calendar, day, loaded))
            may_be_gone = scheduled and day != days[-1]
            parts.append(self._reader.read(source, visit, backlog=old, may_be_gone=may_be_gone))
            whole = all(part.status.is_good for part in parts) and any(part.pages for part in parts)
            if whole and not asked and (scheduled or not calendar.is_dated):
                self._states.move_cursor(name, day)
            if parts[-1].status is FetchStatus.THROTTLED:
                break  # the rest is asked for from the cursor on
        if first and any(part.pages for part in parts):
            self._states.mark_loaded(name, newest)
        return parts

    def _silence(self, source: Source, now: datetime) -> str:
        newest = source.calendar.newest(now)
        over = source.calendar.days(newest - timedelta(days=7), newest - timedelta(days=1))[-1]
        counts = self._fetches.days(source.name, over - timedelta(weeks=WEEKS))
        return silence(counts, over, is_dated=source.calendar.is_dated, read_after=self._fetches.last_good(source.name))


def is_due(last: RunRecord | None, every: timedelta, now: datetime) -> bool:
    """Whether a source's interval has come round since its last run; one that failed is asked again sooner.

    A site that asked for patience is asked again when that is over.
    """
    if last is None:
        return True
    status = FetchStatus(last.status)
    if status is FetchStatus.THROTTLED:
        retry_at = last.counts.get("retry_at")
        if retry_at is not None:
            return now >= datetime.fromisoformat(str(retry_at))
        interval = every
    elif status is FetchStatus.STALE:
        interval = min(every, AGAIN_STALE)
    else:
        interval = every if status.is_good else min(every, AGAIN)
    return _step(now, interval) != _step(last.finished_at, interval)


def _step(moment: datetime, interval: timedelta) -> int:
    """Return the beginning, in seconds since 1970, of the interval that an instant falls into."""
    seconds = max(1, int(interval.total_seconds()))
    return int(moment.timestamp()) // seconds * seconds


def due_days(calendar: Calendar, cursor: date | None, newest: date) -> list[date]:
    """Return the listing days to read, oldest first: from the cursor on, and always the last few again.

    A listing fills through its day and is corrected after it (sources.md 1.5). Without a cursor it is the first load.
    """
    back = calendar.first_load if cursor is None else calendar.still_filling
    window = calendar.days(newest - timedelta(days=2 * back + 7), newest)[-back:]
    first = window[0]
    if cursor is not None:
        first = max(min(first, cursor), newest - timedelta(days=calendar.look_back))
    return calendar.days(first, newest)


def is_before(calendar: Calendar, day: date, loaded: date) -> bool:
    """Whether a day's listing was complete before the source's first run: what it brings later is still no news."""
    return day < loaded - timedelta(days=calendar.still_filling)


def _warned(part: SourceReport, warning: str) -> SourceReport:
    return SourceReport(source=part.source, status=FetchStatus.NOT_MODIFIED, day=part.day, warning=warning)


def _job(source: Source) -> str:
    return f"collect:{source.name}"
