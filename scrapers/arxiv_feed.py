"""arXiv's feeds as a source: one request a day for any number of categories (sources.md 3.2).

The newest day is the feed; it has no past, so an earlier day is read from the catch-up page of each category. Where
the feed is of no use, the pages made for people help: the list of new papers where it serves an old batch or cannot
be trusted, the catch-up where it has moved on. Whether a batch is old cannot be seen in the feed, which bears today's
date whatever it holds (Polaris issue 414): `repeats` tells it by what the archive has seen.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from domain.errors import Blocked, CollectError, LayoutChanged, PermanentCollectError
from domain.papers import Announcement, FetchStatus, Identifiers, Listing, PageRequest
from scrapers.arxiv import ACCEPT_FEED, ANNOUNCED, FEED_PACE, FEEDS, abstract_request, list_request, roots
from scrapers.arxiv import catchup_request as catchup
from scrapers.arxiv_entries import NEW_YORK
from scrapers.arxiv_feed_page import looks_like_arxiv_feed, read_feed
from scrapers.arxiv_listing import ListingSource
from scrapers.source import Calendar, Page, Visit
from scrapers.xml import text_of

#: The kind of a source that is configured so.
FEED = "arxiv-feed"

_REPEATED_SHARE = 0.8  # of the new papers; from it on a batch is yesterday's
_FEW = 3  # new papers; of a smaller batch, all must be known
_REFUSED = 400  # the status of an error feed
_XML = re.compile(r"\s*<(?:\?xml|rss|feed|[a-z]{1,20}:(?:rss|feed))\b")


@dataclass(frozen=True, slots=True)
class FeedSource:
    """What arXiv announces in some categories: GET {url}/rss/{category}+{category}, and pages where that fails."""

    name: str
    url: str  #: the site's root, without a slash at its end
    categories: tuple[str, ...]  #: such as "cs.CL", or a whole archive such as "cs"
    every: timedelta
    announce: frozenset[Announcement] = ANNOUNCED  #: what is news; the rest only tells more of known papers
    kind: str = FEED
    calendar: Calendar = FEEDS

    @property
    def label(self) -> str:
        """What readers call it."""
        return f"arXiv {', '.join(self.categories)}"

    def requests(self, visit: Visit) -> Iterable[PageRequest]:
        """Name the feed for the newest day, and one catch-up page for each category for an earlier one."""
        return (self._feed(),) if visit.day == visit.newest else self._catchups(visit)

    def alternatives(self, visit: Visit, seen: Listing | CollectError) -> Iterable[PageRequest]:
        """Name the pages that may hold the visit's day where `seen` does not.

        The lists of new papers for a feed of the newest day that is stale, incomplete, not rebuilt or not to be read;
        catch-up pages where it is of a later day, such as an empty Saturday's; the feed itself where a catch-up page
        cannot be had. None after Blocked: who is refused does not ask elsewhere. To be asked once for a visit, with
        what the first way gave: what an alternative gives has no alternative of its own.
        """
        is_newest = visit.day == visit.newest
        if isinstance(seen, Listing):
            if seen.day > visit.day:
                return self._catchups(visit)
            is_short = seen.day < visit.day or seen.status in {FetchStatus.STALE, FetchStatus.PARTIAL}
            return self._lists() if is_newest and is_short else ()
        if is_newest:
            return self._lists() if isinstance(seen, LayoutChanged) else ()
        is_lost = isinstance(seen, PermanentCollectError) and not isinstance(seen, Blocked)
        return (self._feed(),) if is_lost else ()

    def repeats(self, listing: Listing, announced_before: frozenset[str]) -> bool:
        """Whether a listing is an earlier batch under today's date, as the function of this name tells."""
        return repeats(listing, announced_before, self.categories)

    def paper_request(self, ids: Identifiers) -> PageRequest | None:
        """Name the page of one paper; None without an arXiv id."""
        return abstract_request(roots(self.url).pages, ids.arxiv) if ids.arxiv else None

    def parse(self, page: Page, visit: Visit) -> Listing:
        """Read a feed, a list, a catch-up or a single paper's page: which it is, the page itself says.

        Raises as read_feed and ListingSource.parse do.
        """
        text = text_of(page)
        if looks_like_arxiv_feed(text) or _XML.match(text):
            visited = max(visit.day, page.fetched_at.astimezone(NEW_YORK).date())
            return read_feed(text, source=self.name, day=visit.day, visited=visited, announce=self.announce)
        if page.status == _REFUSED:
            raise PermanentCollectError("arXiv refuses the feed and gives no reason")
        return ListingSource(self.name, self.url, self.categories, self.every, self.announce).parse(page, visit)

    def _feed(self) -> PageRequest:
        categories = "+".join(map(quote, self.categories))
        return PageRequest(
            f"{roots(self.url).feeds}/rss/{categories}",
            accept=ACCEPT_FEED,
            pace=FEED_PACE,
            is_page=False,
            reads=frozenset({_REFUSED}),
        )

    def _catchups(self, visit: Visit) -> tuple[PageRequest, ...]:
        return tuple(catchup(roots(self.url).pages, category, visit.day) for category in self.categories)

    def _lists(self) -> tuple[PageRequest, ...]:
        return tuple(list_request(roots(self.url).pages, category) for category in self.categories)


# -- staleness ---------------------------------------------------------------------------------------------------------


def repeats(listing: Listing, sighted_before: frozenset[str], categories: tuple[str, ...] = ()) -> bool:
    """Whether a feed serves an earlier batch under today's date, by what the archive has seen.

    `sighted_before` are the arXiv ids among the listing's NEW announcements that some listing announced as new on an
    earlier day. Each category of a combined feed can be old by itself, so the new papers are judged for each of
    `categories`, as whose they count that stands first among their own, and all together. A part is old where at least
    80 % of it was seen so. The number lies between two that are far apart: a paper is announced as new once, so an
    honest batch has next to none, a few perhaps that a listing or mail of another source gave an earlier day; and in a
    repeated batch it is nearly all, but for what was added or taken out between two builds. On 12 August 2026 the feed
    of cs.AI held the day before's papers with no error in sight (Polaris issue 414). A category of fewer than three new
    papers says nothing by itself, for one chance repeat would be too much of it; a whole batch of fewer is old where
    all are known. Crosses and replacements do not count, since they may come again.
    """
    parts: dict[str, set[str]] = {}
    for paper in listing.papers:
        if paper.announcement is Announcement.NEW and paper.ids.arxiv:
            home = next((own for own in map(_within(categories), paper.categories) if own), "")
            parts.setdefault(home, set()).add(paper.ids.arxiv)
    whole = set().union(*parts.values())
    judged = [part for part in parts.values() if len(part) >= _FEW]
    if len(whole) < _FEW:
        return bool(whole) and whole <= sighted_before
    return any(len(part & sighted_before) >= _REPEATED_SHARE * len(part) for part in [*judged, whole])


def _within(categories: tuple[str, ...]) -> Callable[[str], str]:
    """Return what names, for a paper's category, the one of `categories` that it belongs to; "" for none."""

    def own(category: str) -> str:
        return next((each for each in categories if category == each or category.startswith(f"{each}.")), "")

    return own
