"""Reading one source for one visit: pages → papers, and every answer on record.

    name the requests → polite conditional GET → read → is it what was asked for? → add in one transaction
    → the next page, until there is none → where that way failed, or brought an old batch: the source's other way
    → what the listings left out: a page for each such paper

A chain of pages that fails stops no other chain of the same visit, unless the site asks for patience.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from domain.clock import Clock
from domain.errors import CollectError, PermanentCollectError, Throttled
from domain.papers import AbstractKind, Fetched, FetchStatus, ListedPaper, Listing, PageRequest, Validators
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
from storage.archive import Archive
from storage.fetches import Fetches
from storage.sources import Sources
from worker.lateness import lateness
from worker.reports import SourceReport, joined, report_of

_PAGES_AT_MOST = 200  # a source whose pages never end is a mistake, not a listing
_PAPER_PAGES = 10  # asked for in one visit
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


@dataclass(frozen=True, slots=True)
class _Step:
    """One request and what came of it."""

    request: PageRequest
    report: SourceReport
    seen: Listing | CollectError | None  #: None where nothing changed since the last visit


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
        self._clock = clock
        self._keep = keep

    def read(self, source: Source, visit: Visit, *, backlog: bool, may_be_gone: bool = False) -> SourceReport:
        """Read what a visit asks for into the archive.

        `backlog` says that its papers are no news; `may_be_gone` that a site without a page for that day is no failure.
        Raises StorageError, and Interrupted where a wait was cut short: what was read before stays.
        """
        steps = self._follow(source, visit, source.requests(visit), backlog=backlog, asked=set())
        if isinstance(source, HasAlternatives):
            steps = self._mended(source, source, visit, steps, backlog=backlog)
        if isinstance(source, HasPaperPages):
            self._complete(source, source, visit, steps)
        if may_be_gone:
            # A site that has no page for an earlier day (a weekend, say) is no failure of today's.
            steps = [step for step in steps if type(step.seen) is not PermanentCollectError]
        nothing = SourceReport(source=source.name, status=FetchStatus.NOT_MODIFIED, day=visit.day)
        return joined(source.name, [step.report for step in steps] or [nothing])

    def look(self, source: Source, visit: Visit) -> SourceReport:
        """Fetch and read a visit's first pages unconditionally, and keep nothing."""
        parts = [SourceReport(source=source.name, status=FetchStatus.OK_EMPTY, day=visit.day)]
        try:
            parts = [
                report_of(source.name, self._judged(source, visit, source.parse(self._fetcher.get(request), visit)))
                for request in source.requests(visit)
            ]
        except CollectError as error:
            parts.append(self._failed(source, visit, error))
        return joined(source.name, parts)

    def _follow(
        self, source: Source, visit: Visit, requests: Iterable[PageRequest], *, backlog: bool, asked: set[str]
    ) -> list[_Step]:
        """Ask for pages and the pages that follow them; no address twice."""
        steps: list[_Step] = []
        for first in requests:
            request: PageRequest | None = first
            while request is not None and request.url not in asked:
                asked.add(request.url)
                if len(steps) == _PAGES_AT_MOST:
                    error = CollectError(f"more than {_PAGES_AT_MOST} pages for {visit.day}")
                    return [*steps, _Step(request, self._failed(source, visit, error), error)]
                step = self._step(source, visit, request, backlog=backlog)
                steps.append(step)
                if isinstance(step.seen, Throttled):
                    return steps
                request = step.seen.next if isinstance(step.seen, Listing) else None
        return steps

    def _step(self, source: Source, visit: Visit, request: PageRequest, *, backlog: bool) -> _Step:
        page: Page | None = None
        try:
            page = self._fetcher.get(request, self._sources.validators(source.name, request.url))
            if page.status == 304:
                return self._unchanged(source, visit, request, page)
            listing = self._judged(source, visit, source.parse(page, visit))
        except CollectError as error:
            self._record(source, visit, request, page, error)
            if page is not None and isinstance(error, Throttled):
                # It was the page's text, not its status, that asked for patience.
                error = self._patience.hold(site_of(page.url), error.retry_after)
            return _Step(request, self._failed(source, visit, error), error)
        # After a redirect the validators are another page's; a page that goes on is asked for whole the next time,
        # since what follows it may not have come.
        whole = page.url == request.url and listing.next is None
        now = self._clock.now()
        added = self._archive.add(
            replace(listing, backlog=listing.backlog or backlog), now, [validators_of(page)] if whole else []
        )
        report = replace(report_of(source.name, listing), new=len(added.new), updated=added.updated)
        self._record(source, visit, request, page, listing, new=report.new)
        return _Step(request, report, listing)

    def _unchanged(self, source: Source, visit: Visit, request: PageRequest, page: Page) -> _Step:
        """Return what "not modified" comes to: the day that was read then, which may be late by now."""
        day = self._fetches.last_day(source.name, request.url) or visit.day
        note = lateness(source.calendar, visit, day, self._clock.now())
        status = FetchStatus.STALE if note else FetchStatus.NOT_MODIFIED
        self._record(source, replace(visit, day=day), request, page, None)
        return _Step(request, SourceReport(source=source.name, status=status, day=day, pages=1, error=note), None)

    def _judged(self, source: Source, visit: Visit, listing: Listing) -> Listing:
        """Return the listing, as stale where it is an old batch."""
        note = ""
        if isinstance(source, ServesBatches):
            arxiv = [paper.ids.arxiv for paper in listing.papers if paper.ids.arxiv]
            if source.repeats(listing, self._sources.announced_before(arxiv, listing.day)):
                note = f"it serves an earlier batch as that of {listing.day}"
        note = note or lateness(source.calendar, visit, listing.day, self._clock.now())
        if not note or not listing.status.moves_cursor:
            return listing
        return replace(listing, status=FetchStatus.STALE, note=note)

    def _mended(
        self, source: Source, other: HasAlternatives, visit: Visit, steps: list[_Step], *, backlog: bool
    ) -> list[_Step]:
        """Go the other way for what the first way did not bring."""
        kept: list[_Step] = []
        asked = {step.request.url for step in steps}
        for step in steps:
            ways = list(other.alternatives(visit, step.seen)) if step.seen is not None else []
            found = self._follow(source, visit, ways, backlog=backlog, asked=asked)
            read = [each for each in found if isinstance(each.seen, Listing)]
            if isinstance(step.seen, Listing) and step.seen.day > visit.day:
                kept += [step, *found]  # the page has moved on, and the day asked for is had here or not at all
            elif not isinstance(step.seen, Listing) or step.seen.status is FetchStatus.PARTIAL:
                # Only the same day's listing makes up for what failed; what is left is as it was.
                instead = [each for each in read if isinstance(each.seen, Listing) and each.seen.day == visit.day]
                kept += _noted(instead, step) if instead else [step]
            else:
                report = replace(step.report, listed=0) if read else step.report
                kept += [replace(step, report=report), *read]
        return kept

    def _complete(self, source: Source, pages: HasPaperPages, visit: Visit, steps: Sequence[_Step]) -> None:
        """Ask for the pages of papers whose abstract no listing told; what fails is on record and no failure."""
        listings = [step.seen for step in steps if isinstance(step.seen, Listing)]
        for listing in listings:
            bare = {
                paper.ids: paper
                for paper in listing.papers
                if paper.abstract_kind is not AbstractKind.AUTHORS and not paper.only_if_known
            }
            if not bare:
                continue
            lacking = self._archive.without_abstract(source.name, listing.day, limit=len(bare))
            known = {identifier for paper in lacking for identifier in paper.ids.pairs()}
            wanted = [paper for ids, paper in bare.items() if known & set(ids.pairs())]
            for paper in wanted[:_PAPER_PAGES]:
                request = pages.paper_request(paper.ids)
                if request is not None and not self._ask_paper(source, visit, listing, paper, request):
                    return

    def _ask_paper(
        self, source: Source, visit: Visit, listing: Listing, paper: ListedPaper, request: PageRequest
    ) -> bool:
        """Add what a paper's own page tells to its place on the listing; return whether the site may be asked on."""
        if self._fetches.asked_since(source.name, request.url, self._clock.now() - _ASKED_LATELY):
            return True
        page: Page | None = None
        try:
            page = self._fetcher.get(request)
            told = source.parse(page, visit)
        except CollectError as error:
            self._record(source, visit, request, page, error)
            return not isinstance(error, Throttled)
        same = [
            replace(
                each,
                rank=paper.rank,
                day=paper.day,
                announcement=paper.announcement,
                upvotes=paper.upvotes if each.upvotes is None else each.upvotes,
                comments=paper.comments if each.comments is None else each.comments,
                only_if_known=True,
            )
            for each in told.papers
            if set(each.ids.pairs()) & set(paper.ids.pairs())
        ]
        self._archive.add(replace(told, day=listing.day, papers=tuple(same)), self._clock.now())
        self._record(source, visit, request, page, replace(told, day=listing.day))
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

    def _record(
        self,
        source: Source,
        visit: Visit,
        request: PageRequest,
        page: Page | None,
        outcome: Listing | CollectError | None,
        *,
        new: int = 0,
    ) -> None:
        listing = outcome if isinstance(outcome, Listing) else None
        status = FetchStatus.NOT_MODIFIED if outcome is None else outcome.status
        marks = validators_of(page) if page else Validators(url=request.url)
        self._fetches.record(
            Fetched(
                source=source.name,
                url=request.url,
                day=listing.day if listing else visit.day,
                at=self._clock.now(),
                seconds=page.seconds if page else 0.0,
                bytes=len(page.body) if page else 0,
                http=page.status if page else None,
                status=status,
                declared=listing.declared if listing else None,
                read=len(listing.papers) if listing else 0,
                rejected=listing.rejected if listing else 0,
                new=new,
                etag=marks.etag,
                last_modified=marks.last_modified,
                error=str(outcome) if isinstance(outcome, CollectError) else listing.note if listing else "",
            ),
            body=page.body if page else b"",
            content_type=page.headers.get("content-type", "") if page else "",
            keep=self._keep,
        )


def _noted(steps: Sequence[_Step], instead_of: _Step) -> list[_Step]:
    """Return the steps of the other way, with a word on why it was gone."""
    first = steps[0]
    note = f"{instead_of.report.error}; read from {first.request.url} instead"
    told = "; ".join(each for each in (first.report.error, note) if each)
    return [replace(first, report=replace(first.report, error=told, detour=True)), *steps[1:]]
