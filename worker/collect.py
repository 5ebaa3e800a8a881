"""collect: pages → papers.

    which sources are due → for each, which days (days.py) → read each day (reading.py) → what came of it on record,
    and the cursor moved over what has no gap → the run on record, which the receipt at a letter's foot reads again

A source that fails is reported and stops nobody else: sites are asked side by side, the sources of one site in turn.
The days of a source are read from its cursor on, so an outage is refilled; what its first run brings is backlog.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial

from domain.clock import Clock
from domain.errors import Interrupted, StorageError, UnknownError
from domain.papers import FetchStatus
from scrapers.pace import site_of
from scrapers.source import Source, Visit
from storage.archive import Archive
from storage.fetches import Fetches
from storage.runs import Runs
from storage.sources import Sources
from worker.daysreading import LEASE, DaysReader, go_on
from worker.dueness import AGAIN, addresses, asks, is_due, patience, step
from worker.lateness import WEEKS, Health, health, silence
from worker.liveness import is_alive
from worker.reading import Reader
from worker.reports import SOME_DAYS, SourceReport, joined, newest_read
from worker.sidebyside import side_by_side


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
        self._days = DaysReader(reader=reader, states=states, runs=runs, clock=clock, stop=stop)
        self._archive = archive
        self._states = states
        self._fetches = fetches
        self._runs = runs
        self._clock = clock
        self._owner = owner
        self._stop = stop
        #: By source: the site that it asks. The sources of one site take turns.
        self._site = {source.name: site_of(next(iter(addresses(source)), source.name)) for source in sources}

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites that the sources ask, each once; one that fails or dawdles need delay no other."""
        return tuple(dict.fromkeys(self._site.values()))

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
            slot = f"{SOME_DAYS if days else 'by hand'} {now.isoformat()}"
            number = self._runs.claim(_job(source), slot, self._owner, now, LEASE, beside=True)
            report = self._run(source, days, number, scheduled=False)
            on_source(source.name)
            return report

        found = side_by_side([(self._site[each.name], partial(by_hand, each)) for each in chosen], self._stop)
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
            go_on(self._stop)
            return report, health(report, self._fetches.last_new(source.name), self._silence(source, now), now)

        found = side_by_side([(self._site[each.name], partial(look, each)) for each in chosen], self._stop)
        return tuple(found)

    def has_read(self) -> bool:
        """Whether there is anything to tell readers: a paper, or a whole answer; True where no source is configured."""
        known = self._archive.newest_day() is not None
        return known or not self._sources or any(self._states.state(each.name).cursor for each in self._sources)

    def collect_due(self, stop: threading.Event, site: str = "") -> tuple[tuple[SourceReport, ...], bool]:
        """Read the sources (of one site, or of all for "") that are due and that nobody else has claimed.

        A source is due when its interval has come round, or when the operator wished for it since its last run; one
        that failed the last time is asked again sooner, and none before its site said it may be. Return the reports,
        and whether every source that was due has been asked: False where another worker is at one, or a stop came
        first.
        """
        now = self._clock.now()
        ours = [each for each in self._sources if site in {"", self._site[each.name]}]
        wish = self._states.wished()
        due = [each for each in ours if self._is_due(each, now) or self._is_wished(each, wish, now)]
        jobs = [(self._site[each.name], partial(self._scheduled, each, wish, stop)) for each in due]
        found = side_by_side(jobs, stop)
        reports = tuple(report for report in found if report is not None)
        return reports, len(reports) == len(due)

    def is_due(self, site: str = "") -> bool:
        """Whether a source of a site, or of any for "", is to be asked now."""
        now, wish = self._clock.now(), self._states.wished()
        ours = (each for each in self._sources if site in {"", self._site[each.name]})
        return any(self._is_due(each, now) or self._is_wished(each, wish, now) for each in ours)

    def _is_due(self, source: Source, now: datetime) -> bool:
        last = self._runs.latest(_job(source), but=SOME_DAYS)
        asked = last.counts.get("asks") if last else None
        return (asked is not None and asked != asks(source)) or is_due(last, source.every, now)

    def _is_wished(self, source: Source, wish: datetime | None, now: datetime) -> bool:
        """Whether the operator wished for a source since its last run ended; its site's own wish goes before."""
        if wish is None or wish > now:
            return False
        last = self._runs.latest(_job(source), but=SOME_DAYS)
        if last is None:
            return True
        until = patience(last)
        return last.finished_at < wish and (until is None or until <= now)

    def _scheduled(self, source: Source, wish: datetime | None, stop: threading.Event) -> SourceReport | None:
        now = self._clock.now()
        if stop.is_set():
            return None
        slot = datetime.fromtimestamp(step(now, min(source.every, AGAIN)), UTC).isoformat()
        if wish is not None and not self._is_due(source, now) and self._is_wished(source, wish, now):
            slot = f"wished {wish.isoformat()}"  # of its own: one worker takes it, once
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

    def _run(self, source: Source, asked: Sequence[date], number: int | None, *, scheduled: bool) -> SourceReport:
        try:
            parts = self._days.read(source, asked, number, scheduled=scheduled)
        except Exception as error:
            if isinstance(error, Interrupted) or not self._failed(number, error):
                self._give_up(number)
            if not isinstance(error, StorageError):
                raise
            return SourceReport(source=source.name, status=FetchStatus.FAILED, day=None, error=str(error))
        except BaseException:
            self._give_up(number)
            raise
        now = self._clock.now()
        report = joined(source.name, parts)
        if report.status.is_good:
            warning = self._silence(source, now)
            report = joined(source.name, [*parts, _warned(parts[-1], warning)]) if warning else report
        if number is not None:
            counts = {
                **report.as_json(),
                "backlog": report.backlog,
                "newest": newest_read(parts),
                "detour": report.detour,
                "asks": asks(source),
                "retry_at": report.retry_at.isoformat() if report.retry_at else None,
            }
            self._runs.finish(number, now, report.status.value, counts, report.error)
        return report

    def _failed(self, number: int | None, error: Exception) -> bool:
        """Write down that a run failed, so that it is not tried again at once; return whether that could be done."""
        with suppress(StorageError):
            if number is not None:
                counts = {"new": 0, "backlog": 0}
                self._runs.finish(number, self._clock.now(), FetchStatus.FAILED.value, counts, str(error))
            return True
        return False

    def _give_up(self, number: int | None) -> None:
        """Let others claim what could not be done; where even that cannot be written, the lease ends it."""
        with suppress(StorageError):
            if number is not None:
                self._runs.give_up(number, self._clock.now())

    def _silence(self, source: Source, now: datetime) -> str:
        newest = source.calendar.newest(now)
        over = source.calendar.days(newest - timedelta(days=7), newest - timedelta(days=1))[-1]
        counts = self._fetches.days(source.name, over - timedelta(weeks=WEEKS))
        return silence(counts, over, is_dated=source.calendar.is_dated, read_after=self._fetches.last_good(source.name))


def _warned(part: SourceReport, warning: str) -> SourceReport:
    return SourceReport(source=part.source, status=FetchStatus.NOT_MODIFIED, day=part.day, warning=warning)


def _job(source: Source) -> str:
    return f"collect:{source.name}"
