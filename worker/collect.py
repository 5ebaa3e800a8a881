"""collect: pages → papers.

    for each source: name the requests → polite conditional GET → read → add in one transaction → next page, until none

A source that fails is reported and stops nobody else. Every reading of a source is a run, which the receipt at a
letter's foot reads again.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Protocol

from domain.clock import Clock
from domain.errors import CollectError, Interrupted, UnknownError
from domain.papers import FetchStatus, Listing, PageRequest, Validators
from scrapers.source import Page, Source, validators_of
from storage.archive import Archive
from storage.runs import Runs

LEASE = timedelta(minutes=15)
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
            reports.append(self._run(source, days or [now.date()], number))
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

    def collect_due(self, stop: threading.Event) -> tuple[SourceReport, ...]:
        """Read the sources whose interval has come round and whom nobody else has claimed."""
        reports = []
        for source in self._sources:
            if stop.is_set():
                break
            now = self._clock.now()
            interval = max(1, int(source.every.total_seconds()))
            slot = f"{int(now.timestamp()) // interval * interval} every {interval} s"
            number = self._runs.claim(_job(source), slot, self._owner, now, LEASE)
            if number is not None:
                reports.append(self._run(source, [now.date()], number))
        return tuple(reports)

    def _named(self, name: str) -> Source:
        for source in self._sources:
            if source.name == name:
                return source
        known = ", ".join(source.name for source in self._sources) or "none"
        raise UnknownError(f"there is no source {name!r}; configured: {known}")

    def _run(self, source: Source, days: Iterable[date], number: int | None) -> SourceReport:
        try:
            report = joined(source.name, [self._read(source, day) for day in days])
        except Interrupted:
            if number is not None:
                self._runs.give_up(number, self._clock.now())
            raise
        if number is not None:
            self._runs.finish(number, self._clock.now(), report.status.value, report.as_json(), report.error)
        return report

    def _read(self, source: Source, day: date) -> SourceReport:
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
