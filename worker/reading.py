"""Reading one source for one visit: pages → papers, and every answer on record.

    name the requests → polite conditional GET → read → is it what was asked for? → add in one transaction
    → the next page, until there is none → where that way failed, or brought an old batch: the source's other way
    → what the listings left out: a page for each such paper

A chain of pages that fails stops no other chain of the same visit, unless the site asks for patience.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Protocol

from domain.clock import Clock
from domain.errors import CollectError, NotThere, Throttled
from domain.papers import FetchStatus, Listing, PageRequest, Paper, Validators
from scrapers.pace import site_of
from scrapers.source import (
    HasAlternatives,
    HasPaperPages,
    Page,
    ServesBatches,
    Source,
    Visit,
    validators_of,
)
from scrapers.standing import standing_of
from storage.archive import Archive
from storage.fetches import Fetches
from storage.sources import Sources
from worker.lateness import lateness
from worker.logbook import Logbook
from worker.reports import SourceReport, joined, report_of
from worker.steps import Step, counting, noted

_PAGES_AT_MOST = 200  # a source whose pages never end is a mistake, not a listing
_PAPER_PAGES = 10  # asked for in one run
_BARE_AT_MOST = 200  # papers without an abstract that are looked at
_STILL_BARE = timedelta(days=7)  # for so long a missing abstract is asked for
_ASKED_LATELY = timedelta(days=1)  # a paper's page is not asked for again within it


class PageFetcher(Protocol):
    """Brings pages."""

    def get(self, request: PageRequest, validators: Validators | None = None) -> Page:
        """Return the answer, or a page of status 304; raises CollectError."""
        ...


class Patience(Protocol):
    """Leaves sites alone."""

    def hold(self, site: str, asked: timedelta | None) -> Throttled:
        """Let nobody ask a site for a while; return the error that says until when."""
        ...

    def welcome(self, site: str) -> None:
        """Forget that a site asked for patience before."""
        ...


class Reader:
    """Reads sources into the archive; `keep` raw pages of each are kept."""

    def __init__(
        self,
        *,
        fetcher: PageFetcher,
        archive: Archive,
        sources: Sources,
        fetches: Fetches,
        patience: Patience,
        clock: Clock,
        keep: int,
    ) -> None:
        self._fetcher = fetcher
        self._patience = patience
        self._archive = archive
        self._sources = sources
        self._fetches = fetches
        self._logbook = Logbook(fetches, clock, keep)
        self._clock = clock

    def read(
        self, source: Source, visit: Visit, *, is_backlog: Callable[[date], bool], may_be_gone: bool = False
    ) -> list[SourceReport]:
        """Read what a visit asks for into the archive; return a report a page, and one at least.

        `is_backlog` says of a listing's day whether its papers are no news; `may_be_gone` that a site without a page
        for that day is no failure. Raises StorageError, and Interrupted where a wait was cut short: what was read
        before stays.
        """
        steps = self._follow(source, visit, source.requests(visit), is_backlog=is_backlog, asked=set())
        steps = self._mended(source, visit, steps, is_backlog=is_backlog)
        if may_be_gone:
            # A site that has no page for an earlier day (a weekend, say) is no failure of today's.
            steps = [step for step in steps if not isinstance(step.seen, NotThere)]
        nothing = SourceReport(source=source.name, status=FetchStatus.NOT_MODIFIED, day=visit.day)
        return [step.report for step in steps] or [nothing]

    def look(self, source: Source, visit: Visit) -> SourceReport:
        """Fetch and read a visit's first pages unconditionally, and keep nothing."""
        parts = [SourceReport(source=source.name, status=FetchStatus.OK_EMPTY, day=visit.day)]
        for request in source.requests(visit):
            try:
                listing = self._judged(source, visit, self._parsed(source, visit, self._fetcher.get(request)))
                parts.append(report_of(source.name, listing))
            except CollectError as error:
                parts.append(self._failed(source, visit, error))
        return joined(source.name, parts[1:] or parts)

    def complete(self, source: Source, visit: Visit) -> None:
        """Ask for the pages of papers whose abstract no listing told; what fails is on record and no failure."""
        if not isinstance(source, HasPaperPages):
            return
        lacking = self._archive.without_abstract(source.name, visit.newest - _STILL_BARE, limit=_BARE_AT_MOST)
        asked = 0
        for paper in reversed(lacking):
            request = source.paper_request(paper.ids)
            since = self._clock.now() - _ASKED_LATELY
            if request is None or self._fetches.asked_since(source.name, request.url, since):
                continue
            asked += 1
            if asked > _PAPER_PAGES or not self._ask_paper(source, visit, paper, request):
                return

    def _follow(
        self,
        source: Source,
        visit: Visit,
        requests: Iterable[PageRequest],
        *,
        is_backlog: Callable[[date], bool],
        asked: set[str],
    ) -> list[Step]:
        """Ask for pages and the pages that follow them; no address twice."""
        steps: list[Step] = []
        for first in requests:
            request: PageRequest | None = first
            while request is not None and request.url not in asked:
                asked.add(request.url)
                if len(steps) == _PAGES_AT_MOST:
                    error = CollectError(f"more than {_PAGES_AT_MOST} pages for {visit.day}")
                    return [*steps, Step(request, self._failed(source, visit, error), error)]
                step = self._step(source, visit, request, is_backlog=is_backlog, leads=request is first)
                steps.append(step)
                if isinstance(step.seen, Throttled):
                    return steps
                request = step.seen.next if isinstance(step.seen, Listing) else None
        return steps

    def _step(
        self, source: Source, visit: Visit, request: PageRequest, *, is_backlog: Callable[[date], bool], leads: bool
    ) -> Step:
        page: Page | None = None
        marks = self._sources.validators(source.name, request.url)
        try:
            page = self._fetcher.get(request, marks)
            if page.status == 304:
                return self._unchanged(source, visit, request, page, marks)
            listing = self._judged(source, visit, self._parsed(source, visit, page), leads=leads)
        except CollectError as error:
            self._logbook.record(source, visit, request, page, error)
            return Step(request, self._failed(source, visit, error), error, _ways(source, visit, error))
        ways = _ways(source, visit, listing)
        # A page that goes on, or sends us elsewhere, is asked for whole the next time: what follows may not have come.
        whole = listing.next is None and not ways
        now = self._clock.now()
        listing = replace(listing, backlog=listing.backlog or is_backlog(listing.day))
        added = self._archive.add(listing, now, [validators_of(page, request.url)] if whole else [])
        new = len(added.new)
        report = replace(
            report_of(source.name, listing),
            new=new,
            backlog=sum(paper.backlog for paper in added.new),
            updated=added.updated,
        )
        self._logbook.record(source, visit, request, page, listing, new=new)
        return Step(request, report, listing, ways)

    def _unchanged(
        self, source: Source, visit: Visit, request: PageRequest, page: Page, marks: Validators | None
    ) -> Step:
        """Return what "not modified" comes to: the day that was read then, which may be late by now."""
        self._patience.welcome(site_of(request.url))
        day = (marks.day if marks else None) or visit.day
        note = lateness(source.calendar, visit, day, self._clock.now())
        self._logbook.record(source, replace(visit, day=day), request, page, None)
        if not note:
            report = SourceReport(source=source.name, status=FetchStatus.NOT_MODIFIED, day=day, pages=1)
            return Step(request, report, None)
        old = Listing(source=source.name, day=day, papers=(), status=FetchStatus.STALE, note=note)
        return Step(request, report_of(source.name, old), old, _ways(source, visit, old))

    def _parsed(self, source: Source, visit: Visit, page: Page) -> Listing:
        """Read a page; a text that asks for patience counts as a status that does."""
        site = site_of(page.url)
        try:
            listing = source.parse(page, visit)
        except Throttled as error:
            raise self._patience.hold(site, error.retry_after) from error
        self._patience.welcome(site)
        return replace(listing, standing=standing_of(source.kind))

    def _judged(self, source: Source, visit: Visit, listing: Listing, *, leads: bool = True) -> Listing:
        """Return the listing, as stale where it is an old batch; only the page that leads a chain can be late.

        Raises CollectError for a listing of a day that has not come.
        """
        if listing.day > source.calendar.today(self._clock.now()) + timedelta(days=1):
            raise CollectError(f"the listing is of {listing.day}, which has not come: is this machine's clock right?")
        note = ""
        if isinstance(source, ServesBatches):
            arxiv = [paper.ids.arxiv for paper in listing.papers if paper.ids.arxiv]
            if source.repeats(listing, self._sources.announced_before(arxiv, listing.day)):
                note = f"it serves an earlier batch as that of {listing.day}"
        if leads and not note:
            note = lateness(source.calendar, visit, listing.day, self._clock.now())
        if not note or not listing.status.moves_cursor:
            return listing
        return replace(listing, status=FetchStatus.STALE, note=note)

    def _mended(
        self, source: Source, visit: Visit, steps: list[Step], *, is_backlog: Callable[[date], bool]
    ) -> list[Step]:
        """Go the other way for what the first way did not bring."""
        kept: list[Step] = []
        asked = {step.request.url for step in steps}
        for step in steps:
            found = self._follow(source, visit, step.ways, is_backlog=is_backlog, asked=asked)
            read = [each for each in found if isinstance(each.seen, Listing)]
            lost = [each for each in found if isinstance(each.seen, CollectError)]
            if isinstance(step.seen, Listing) and step.seen.day > visit.day:
                kept += [step, *found]  # the page has moved on, and the day asked for is had here or not at all
            elif isinstance(step.seen, CollectError) or step.report.status is FetchStatus.PARTIAL:
                # Only the same day's listing makes up for what failed; what is left is as it was.
                instead = [each for each in read if isinstance(each.seen, Listing) and each.seen.day == visit.day]
                dropped = [each for each in read if each not in instead]
                if instead:
                    kept += [*noted(instead, [step, *dropped]), *lost]
                else:
                    slow = [each for each in lost if isinstance(each.seen, Throttled)]
                    kept += [counting(step, dropped), *slow]
            elif read:
                listed = step.report.listed if step.report.new else 0  # else the other way told of the same papers
                kept += [replace(step, report=replace(step.report, listed=listed, detour=True)), *read]
            else:
                kept.append(step)
        return kept

    def _ask_paper(self, source: Source, visit: Visit, paper: Paper, request: PageRequest) -> bool:
        """Let the archive learn what a paper's own page tells; return whether the site may be asked on."""
        page: Page | None = None
        try:
            page = self._fetcher.get(request)
            told = self._parsed(source, visit, page)
        except CollectError as error:
            self._logbook.record(source, visit, request, page, error)
            return not isinstance(error, Throttled)
        mine = set(paper.ids.pairs())
        same = tuple(replace(each, only_if_known=True) for each in told.papers if mine & set(each.ids.pairs()))
        self._archive.add(replace(told, papers=same), self._clock.now(), sight=False)
        # A page that was understood is not worth a place among those that are kept.
        self._logbook.record(source, visit, request, page, told, is_kept=False)
        return True

    def _failed(self, source: Source, visit: Visit, error: CollectError) -> SourceReport:
        wait = error.retry_after if isinstance(error, Throttled) else None
        return SourceReport(
            source=source.name,
            status=error.status,
            day=visit.day,
            error=str(error),
            retry_at=self._clock.now() + wait if wait else None,
        )


def _ways(source: Source, visit: Visit, seen: Listing | CollectError) -> tuple[PageRequest, ...]:
    return tuple(source.alternatives(visit, seen)) if isinstance(source, HasAlternatives) else ()
