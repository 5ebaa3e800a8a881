"""replay: raw pages that were kept → papers, read by this version; what was read before is only met again.

So a page that came while its layout was not yet understood is not lost: mend the reader, then replay.
"""

from dataclasses import replace

from domain.clock import Clock
from domain.errors import CollectError
from domain.papers import FetchStatus
from scrapers.source import Page, Source, Visit
from storage.archive import Archive
from storage.fetches import Fetches
from storage.sources import Sources
from worker.days import is_backlog
from worker.reports import SourceReport, joined, report_of


def replay(source: Source, archive: Archive, states: Sources, fetches: Fetches, clock: Clock) -> SourceReport:
    """Read the kept pages of a source into the archive, oldest first, and report them as one.

    What was backlog when the page came is backlog now.
    """
    state, newest = states.state(source.name), source.calendar.newest(clock.now())
    parts: list[SourceReport] = []
    for kept in fetches.kept(source.name):
        fetched = kept.fetched
        page = Page(fetched.url, fetched.http or 200, {"content-type": kept.content_type}, kept.body, fetched.at)
        try:
            listing = source.parse(page, Visit(day=fetched.day, newest=fetched.day, since=fetched.day))
        except CollectError as error:
            told = f"the page of {fetched.at:%Y-%m-%d %H:%M} UTC: {error}"
            parts.append(SourceReport(source=source.name, status=error.status, day=fetched.day, error=told))
            continue
        old = is_backlog(source.calendar, state, listing.day, newest)
        added = archive.add(replace(listing, backlog=old), clock.now())
        parts.append(replace(report_of(source.name, listing), new=len(added.new), updated=added.updated))
    nothing = SourceReport(source=source.name, status=FetchStatus.OK_EMPTY, day=None, error="no page of it is kept")
    return joined(source.name, parts or [nothing])
