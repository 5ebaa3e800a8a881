"""collect: pages → papers.

    for each source: name the requests → polite conditional GET → read → add in one transaction → next page, until none

A source that fails is reported and stops nobody else. Every reading of a source is a run, which the receipt at a
letter's foot reads again.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from typing import Any, Protocol

from domain.clock import Clock
from domain.errors import CollectError, Interrupted, PermanentCollectError, UnknownError
from domain.papers import FetchStatus, Listing, PageRequest, Validators
from scrapers.source import Page, Source, validators_of
from storage.archive import Archive
from storage.runs import RunRecord, Runs
from worker.liveness import is_alive

LEASE = timedelta(minutes=15)
AGAIN = timedelta(minutes=15)  # after which a source that failed is asked again
STILL_FILLING = 3  # days that are read again while they may still change
LOOK_BACK = 31  # days that a source is refilled after an outage
_PAGES_AT_MOST = 200  # a source whose pages never end is a mistake, not a listing
_WORST_FIRST = (
    FetchStatus.FAILED,
    FetchStatus.BLOCKED,
    FetchStatus.LAYOUT_CHANGED,
    FetchStatus.THROTTLED,
    FetchStatus.STALE,
    FetchStatus.PARTIAL,
    FetchStatus.OK,
    FetchStatus.OK_EMPTY,
    FetchStatus.NOT_MODIFIED,
)


class Fetches(Protocol):
    """Brings pages."""

    def get(self, request: PageRequest, validators: Validators | None = None) -> Page:
        """Return the answer, or a page of status 304; raises CollectError."""
        ...


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What came of one source; one entry of the report that interface.md shows."""

    source: str
    status: FetchStatus
    day: date | None
    listed: int = 0
    new: int = 0
    updated: int = 0
    pages: int = 0
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the report's JSON object."""
        return {
            "source": self.source,
            "status": self.status.value,
            "day": self.day.isoformat() if self.day else None,
            "listed": self.listed,
            "new": self.new,
            "updated": self.updated,
            "pages": self.pages,
            "error": self.error,
        }


class Collector:
    """Reads the configured sources into the archive."""

    def __init__(
        self,
        *,
        sources: Sequence[Source],
        fetcher: Fetches,
        archive: Archive,
        runs: Runs,
        clock: Clock,
        owner: str,
    ) -> None:
        self._sources = sources
        self._fetcher = fetcher
        self._archive = archive
        self._runs = runs
        self._clock = clock
        self._owner = owner

    def collect(
        self,
        names: Sequence[str] = (),
        days: Sequence[date] = (),
        *,
        on_source: Callable[[str], None] = lambda _: None,
    ) -> tuple[SourceReport, ...]:
        """Read these sources (all for none named) for these days (today, UTC, for none), however fresh the last answer.

        Raises UnknownError for a name that is not configured, before anything is asked.
        """
        chosen = [self._named(name) for name in names] or list(self._sources)
        reports = []
        for source in chosen:
            on_source(source.name)
            now = self._clock.now()
            slot = f"by hand {now.isoformat()}"
            number = self._runs.claim(_job(source), slot, self._owner, now, LEASE)
            reports.append(self._run(source, _asked(source, days, now.date()), number))
        return tuple(reports)

    def check(self, names: Sequence[str] = ()) -> tuple[SourceReport, ...]:
        """Fetch and read today's pages of these sources (all for none named) unconditionally, and keep nothing.

        Raises UnknownError for a name that is not configured.
        """
        today = self._clock.now().date()
        reports = []
        for source in [self._named(name) for name in names] or self._sources:
            parts = [SourceReport(source=source.name, status=FetchStatus.OK_EMPTY, day=today)]
            try:
                for request in source.requests(today):
                    listing = source.parse(self._fetcher.get(request), today)
                    parts.append(_report(source, listing))
            except CollectError as error:
                parts.append(SourceReport(source=source.name, status=error.status, day=None, error=str(error)))
            reports.append(joined(source.name, parts))
        return tuple(reports)

    def has_read(self) -> bool:
        """Whether there is anything to tell readers: a paper, or a whole answer; True where no source is configured."""
        known = self._archive.newest_day() is not None
        return known or not self._sources or any(self._archive.cursor(source.name) for source in self._sources)

    def collect_due(self, stop: threading.Event) -> tuple[tuple[SourceReport, ...], bool]:
        """Read the sources whose interval has come round and whom nobody else has claimed.

        A source that failed the last time is asked again sooner. Return the reports, and whether every source that was
        due has been asked: False where another worker is at one, or a stop came first.
        """
        reports: list[SourceReport] = []
        complete = True
        for source in self._sources:
            if stop.is_set():
                return tuple(reports), False
            now = self._clock.now()
            if not is_due(self._runs.latest(_job(source)), source.every, now):
                continue
            slot = datetime.fromtimestamp(_step(now, min(source.every, AGAIN)), UTC).isoformat()
            number = self._runs.claim(_job(source), slot, self._owner, now, LEASE, is_alive=is_alive)
            if number is None:
                complete = False
            else:
                days = due_days(self._archive.cursor(source.name), now.date()) if source.is_dated else [now.date()]
                reports.append(self._run(source, days, number, rereads=True))
        return tuple(reports), complete

    def _named(self, name: str) -> Source:
        for source in self._sources:
            if source.name == name:
                return source
        known = ", ".join(source.name for source in self._sources) or "none"
        raise UnknownError(f"there is no source {name!r}; configured: {known}")

    def _run(self, source: Source, days: Sequence[date], number: int | None, *, rereads: bool = False) -> SourceReport:
        try:
            parts = [self._read(source, day, may_be_gone=rereads and day != days[-1]) for day in days]
        except Interrupted:
            if number is not None:
                self._runs.give_up(number, self._clock.now())
            raise
        if rereads:
            self._move_cursor(source, days, parts)
        report = joined(source.name, parts)
        if number is not None:
            counts = {**report.as_json(), "newest": _newest(parts)}
            self._runs.finish(number, self._clock.now(), report.status.value, counts, report.error)
        return report

    def _move_cursor(self, source: Source, days: Sequence[date], parts: Sequence[SourceReport]) -> None:
        """Move the source's cursor to the last day before the first that could not be read whole."""
        whole = list(takewhile(lambda read: read[1].status.is_good, zip(days, parts, strict=True)))
        if whole and any(part.pages for part in parts):
            self._archive.move_cursor(source.name, whole[-1][0])

    def _read(self, source: Source, day: date, *, may_be_gone: bool) -> SourceReport:
        report = SourceReport(source=source.name, status=FetchStatus.NOT_MODIFIED, day=day)
        parts: list[SourceReport] = []
        queue = list(source.requests(day))
        try:
            while queue:
                if len(parts) >= _PAGES_AT_MOST:
                    raise CollectError(f"more than {_PAGES_AT_MOST} pages for {day}")  # noqa: TRY301 one place tells all failures
                listing, part = self._page(source, queue.pop(0), day)
                parts.append(part)
                if listing is not None and listing.next is not None:
                    queue.insert(0, listing.next)
        except CollectError as error:
            # A site that has no page for an earlier day (a weekend, say) is no failure of today's.
            if not (may_be_gone and type(error) is PermanentCollectError):
                parts.append(replace(report, status=error.status, error=str(error)))
        return joined(source.name, parts or [report])

    def _page(self, source: Source, request: PageRequest, day: date) -> tuple[Listing | None, SourceReport]:
        page = self._fetcher.get(request, self._archive.validators(source.name, request.url))
        if page.status == 304:
            return None, SourceReport(source=source.name, status=FetchStatus.NOT_MODIFIED, day=day, pages=1)
        listing = source.parse(page, day)
        # After a redirect the validators are another page's.
        validators = [validators_of(page)] if page.url == request.url else []
        added = self._archive.add(listing, self._clock.now(), validators)
        return listing, replace(_report(source, listing), new=len(added.new), updated=added.updated)


def is_due(last: RunRecord | None, every: timedelta, now: datetime) -> bool:
    """Whether a source's interval has come round since its last run; one that failed is asked again sooner."""
    if last is None:
        return True
    status = FetchStatus(last.status)
    patient = status.is_good or status is FetchStatus.THROTTLED
    interval = every if patient else min(every, AGAIN)
    return _step(now, interval) != _step(last.finished_at, interval)


def _step(moment: datetime, interval: timedelta) -> int:
    """Return the beginning, in seconds since 1970, of the interval that an instant falls into."""
    seconds = max(1, int(interval.total_seconds()))
    return int(moment.timestamp()) // seconds * seconds


def due_days(cursor: date | None, today: date) -> list[date]:
    """Return the listing days to read, oldest first: from the cursor on, and always the last few again.

    A listing fills through its day and is corrected after it (sources.md 1.5).
    """
    first = today - timedelta(days=STILL_FILLING - 1)
    if cursor is not None:
        first = max(min(first, cursor), today - timedelta(days=LOOK_BACK))
    return [first + timedelta(days=n) for n in range((today - first).days + 1)]


def _asked(source: Source, days: Sequence[date], today: date) -> Sequence[date]:
    """Return the days that were asked for; a source without days is visited once, for the newest of them."""
    return (days or [today]) if source.is_dated else [max(days, default=today)]


def _newest(parts: Sequence[SourceReport]) -> dict[str, Any] | None:
    """Return the newest day of which a page was read, and how many stood on it."""
    read = [
        part
        for part in parts
        if part.day and part.pages and (part.status.moves_cursor or part.status is FetchStatus.PARTIAL)
    ]
    newest = max(read, key=lambda part: str(part.day), default=None)
    return {"day": str(newest.day), "listed": newest.listed} if newest else None


def _report(source: Source, listing: Listing) -> SourceReport:
    return SourceReport(
        source=source.name,
        status=listing.status,
        day=listing.day,
        listed=len(listing.papers),
        pages=1,
        error=listing.note,
    )


def _job(source: Source) -> str:
    return f"collect:{source.name}"


def joined(name: str, parts: Sequence[SourceReport]) -> SourceReport:
    """Return one report of many pages: sums, the newest day, and the status that most needs to be seen."""
    days = [part.day for part in parts if part.day]
    return SourceReport(
        source=name,
        status=min((part.status for part in parts), key=_WORST_FIRST.index),
        day=max(days) if days else None,
        listed=sum(part.listed for part in parts),
        new=sum(part.new for part in parts),
        updated=sum(part.updated for part in parts),
        pages=sum(part.pages for part in parts),
        error="; ".join(dict.fromkeys(part.error for part in parts if part.error)),
    )
