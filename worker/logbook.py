"""Every answer on record: what was asked, what came, and the page itself, so that it can be read again."""

from domain.clock import Clock
from domain.errors import CollectError
from domain.papers import Fetched, FetchStatus, Listing, PageRequest, Validators
from scrapers.source import Page, Source, Visit, validators_of
from storage.fetches import Fetches


class Logbook:
    """Keeps the records of fetches, and the last `keep` pages of each source."""

    def __init__(self, fetches: Fetches, clock: Clock, keep: int) -> None:
        self._fetches = fetches
        self._clock = clock
        self._keep = keep

    def record(
        self,
        source: Source,
        visit: Visit,
        request: PageRequest,
        page: Page | None,
        outcome: Listing | CollectError | None,
        *,
        new: int = 0,
        is_kept: bool = True,
    ) -> None:
        """Write down one answer: a `page` of None never came, an `outcome` of None was "not modified"."""
        listing = outcome if isinstance(outcome, Listing) else None
        marks = validators_of(page, request.url) if page else Validators(url=request.url)
        self._fetches.record(
            Fetched(
                source=source.name,
                url=request.url,
                day=listing.day if listing else visit.day,
                at=self._clock.now(),
                seconds=page.seconds if page else 0.0,
                bytes=len(page.body) if page else 0,
                http=page.status if page else None,
                status=FetchStatus.NOT_MODIFIED if outcome is None else outcome.status,
                declared=listing.declared if listing else None,
                read=len(listing.papers) if listing else 0,
                rejected=listing.rejected if listing else 0,
                new=new,
                etag=marks.etag,
                last_modified=marks.last_modified,
                error=str(outcome) if isinstance(outcome, CollectError) else listing.note if listing else "",
            ),
            body=page.body if page and is_kept else b"",
            content_type=page.headers.get("content-type", "") if page else "",
            keep=self._keep,
        )
